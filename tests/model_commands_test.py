"""What the model commands promise on the command line. Usage: model_commands_test.py ATELIER SOURCE_DIR."""
import json
import os
import pathlib
import shutil
import sys
import tempfile

from promises import end, expect, run

SOURCE = pathlib.Path(sys.argv[2])


def main():
    root = pathlib.Path(tempfile.mkdtemp())
    os.environ.update(ATELIER_HOME=str(root / "home"), PIP_NO_INDEX="1", PIP_FIND_LINKS=str(root))
    outside, shop = root / "outside", root / "shop"
    outside.mkdir()
    model = outside / "Tiny Model.gguf"
    shutil.copy(SOURCE / "fuzz/corpus/gguf/tiny.gguf", model)

    run("model", "list", cwd=outside, says="No models yet")
    run("model", "show", "smollm2", cwd=outside, code=1, says="atelier model pull smollm2")
    run("model", "pull", "smolm2", cwd=outside, code=1, says="did you mean smollm2")
    run("model", "pull", "gemma3-270m", cwd=outside, code=1, says="--accept-terms")
    run("model", "pull", cwd=outside, code=2)
    run("model", "list", "--studio", str(shop), cwd=outside, code=1, says="atelier init")

    # Without a studio a path is copied into the user's store.
    pulled = json.loads(run("model", "pull", str(model), "--json", cwd=outside))
    expect("pulled name", pulled["name"], "tiny-model")
    expect("registered", pulled["registered"], False)
    expect("path", pulled["path"], str(root / "home/models/tiny-model.gguf"))
    expect("already", json.loads(run("model", "pull", str(model), "--json", cwd=outside))["already"], True)

    run("init", str(shop), cwd=outside, says="Made the studio shop")
    run("init", str(shop), cwd=outside, code=1, says="is a studio already")
    inside = shop / "recipes"
    registered = json.loads(run("model", "pull", str(model), "--name", "mine", "--json", cwd=inside))
    expect("registered in place", registered["path"], str(model.resolve()))
    listed = json.loads(run("model", "list", "--json", cwd=inside))["models"]
    expect("listed", [(m["name"], m["registered"]) for m in listed], [("mine", True), ("tiny-model", False)])

    shown = json.loads(run("model", "show", "mine", "--json", cwd=inside))
    expect("architecture", shown["architecture"], "llama")
    expect("parameters", shown["parameters"], 512)
    expect("types", shown["tensors"]["types"], {"F32": {"count": 1, "bytes": 1024}, "Q8_0": {"count": 1, "bytes": 272}})
    expect("chat template", shown["chat_template"], False)
    expect("tokens", shown["tokenizer"]["tokens"], 2)
    expect("metadata", shown["metadata"]["llama.context_length"], 128)

    # Smaller copies.
    run("model", "quantise", "mine", "small.gguf", "--type", "q3", cwd=inside, code=1, says="types: f32 f16")
    small = json.loads(run("model", "quantise", "mine", "small.gguf", "--type", "bf16", "--json", cwd=inside))
    expect("types of the copy", small["types"], {"BF16": {"tensors": 2, "bytes": 1024}})
    expect("its size", small["bytes"], (inside / "small.gguf").stat().st_size)
    copy = json.loads(run("model", "show", "small.gguf", "--json", cwd=inside))
    expect("metadata of the copy", {k: v for k, v in copy["metadata"].items() if k not in ("general.file_type", "general.quantization_version")},
           {k: v for k, v in shown["metadata"].items() if k not in ("general.file_type", "general.quantization_version")})
    run("model", "quantise", "mine", "small.gguf", "--type", "q8_0", cwd=inside, code=1, says="--overwrite")
    run("model", "quantise", "mine", str(model), "--type", "q8_0", "--overwrite", cwd=inside, code=1, says="is the model itself")
    run("model", "quantise", "mine", "small.gguf", "--type", "f32", "--overwrite", cwd=inside, says="F32")
    run("model", "quantise", "mine", "other.gguf", "--type", "q4_0", cwd=inside, code=1, says="'token_embd.weight' has a number that Q8_0 cannot store")
    run("model", "quantise", "mine", "other.gguf", "--type", "q8_0", "--calibration", "nosuch.txt", cwd=inside, code=1, says="nosuch.txt")
    expect("nothing was written", (inside / "other.gguf").exists(), False)
    run("model", "prune", "mine", "other.gguf", cwd=inside, code=1, says="all units, all weights and all tokens would stay")
    run("model", "prune", "mine", "other.gguf", "--units", "0.5", cwd=inside, code=1, says="name a text by --calibration")
    run("model", "prune", "mine", "other.gguf", "--weights", "0.5", cwd=inside, code=1, says="llama.embedding_length")
    run("model", "prune", "mine", "small.gguf", "--weights", "0.5", cwd=inside, code=1, says="--overwrite")
    run("model", "prune", "mine", "other.gguf", "--units", "1.5", cwd=inside, code=2)
    expect("nothing was pruned", (inside / "other.gguf").exists(), False)
    (inside / "small.gguf").unlink()
    (outside / "hub").mkdir()
    (outside / "hub/config.json").write_text('{"model_type": "mixtral"}')
    run("model", "pull", str(outside / "hub"), cwd=inside, code=1, says="model_type is 'mixtral'")
    run("model", "show", str(model), cwd=outside, says="Q8_0")

    expect("sound", json.loads(run("model", "verify", "--json", cwd=inside))["sound"], True)
    data = bytearray(model.read_bytes())
    data[-1] ^= 1
    model.write_bytes(data)
    run("model", "verify", "mine", cwd=inside, code=1, says="damaged")
    model.write_bytes(data[:500])
    run("model", "show", "mine", cwd=inside, code=1, says="at byte")
    error = json.loads(run("model", "show", str(model), "--json", cwd=inside, code=1))
    expect("error code", error["error"]["code"], "corrupt")

    run("model", "rm", "mine", cwd=inside, says="stay in")
    expect("a file elsewhere is kept", model.exists(), True)
    run("model", "rm", "tiny-model", "--weights", cwd=inside, says="and its weights")
    expect("store", sorted(p.name for p in (root / "home/models").iterdir() if not p.name.startswith(".")), [])
    run("model", "rm", "mine", cwd=inside, code=1, says="there is no model")
    shutil.rmtree(root)
    end("model commands: as promised")


main()
