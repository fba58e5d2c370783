"""Classifiers and picture makers from records to predictions, reports and pictures, as people and scripts use them.
Usage: classify_commands_test.py ATELIER ATELIER_LEARN."""
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import zlib

from promises import FAULTS, end, expect, run

LEARN = os.path.abspath(sys.argv[2])
ROOT = pathlib.Path(tempfile.mkdtemp())
ENV = {"ATELIER_LEARN": LEARN}
GOOD, BAD = ["好评，很满意", "great, love it", "喜欢🙂", "非常好用"], ["差评，太失望", "broken, refund", "不好😡", "很难用"]


def file(name, data):
    path = ROOT / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return str(path)


def learn(*args, code=0, says=""):
    done = subprocess.run([LEARN, *args], capture_output=True, text=True, timeout=300)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode != code or says not in done.stdout:
        FAULTS.append(f"{args}: exit {done.returncode}, wanted {code} and {says!r}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return events[-1] if events else {}


def reviews():
    lines = [{"text": f"{text} {i}", "label": label} for i in range(8) for label, texts in (("pos", GOOD), ("neg", BAD)) for text in texts]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def config(name, model, data, train="epochs = 12\nbatch = 8\n", rate=0.02):
    return file(f"{name}.toml", f"[run]\nname = \"{name}\"\n[data]\n{data}\n[model]\n{model}\n[train]\n{train}"
                f"[optimiser]\nrate = {rate}\nweight_decay = 0.0\n[track]\nevery = 50\n")


def labelled():
    records = file("reviews.jsonl", reviews())
    data = f'train = "{records}"\nvalidation = "{records}"\nunits = "characters"\nsequence_length = 32'
    toml = config("linear", 'architecture = "fasttext"\nwidth = 8\nbuckets = 4096', data)
    folder = str(ROOT / "run")
    out = run("train", toml, "--run", folder, env=ENV, says="macro_f1")
    expect("accuracy is shown", "accuracy 1" in out)

    # The records that it learned from are needed no more.
    os.remove(records)
    asked = file("asked.jsonl", '{"text": "好评，很满意 1", "label": "pos"}\n{"text": "", "label": "neg"}\n'
                 + json.dumps({"text": "差评 " * 200, "label": "neg"}) + "\n")
    predictions = str(ROOT / "predictions.jsonl")
    done = learn("classify", "--run", folder, "--input", asked, "--out", predictions)
    expect("classify tells", {k: done.get(k) for k in ("records", "empty", "truncated", "labelled")},
           {"records": 3, "empty": 1, "truncated": 1, "labelled": 3})
    lines = [json.loads(line) for line in pathlib.Path(predictions).read_text().splitlines()]
    expect("their order", [line["text"][:2] for line in lines], ["好评", "", "差评"])
    expect("predicted", [lines[0]["predicted"], lines[2]["predicted"]], ["pos", "neg"])
    for line in lines:
        expect("probabilities sum to 1", abs(sum(line["probabilities"].values()) - 1) < 1e-9)
        expect("the likeliest is predicted", max(line["probabilities"], key=line["probabilities"].get), line["predicted"])
    report = json.loads(run("evaluate", "classification", predictions, "--json"))
    expect("the report's cases", report["cases"], 3)
    expect("the report's scores", report["scores"]["roc_auc"] >= 0.5 and report["scores"]["brier"] is not None)
    run("evaluate", "classification", predictions, says="precision")
    table = run("evaluate", "classification", "--true", file("t", "pos\nneg\n"), "--pred", file("p", "pos\npos\n"), "--json")
    expect("labels by themselves still do", json.loads(table)["accuracy"], 0.5)

    run("evaluate", "classification", code=2, says="--true and --pred")
    run("evaluate", "classification", predictions, "--true", "t", code=2, says="one or the other")
    run("evaluate", "classification", file("no.jsonl", '{"label": "a"}\n'), code=1, says="no.jsonl:1: no text in a field 'predicted'")
    run("evaluate", "classification", file("odd.jsonl", '{"label":"a","predicted":"a","probabilities":{"a":1,"b":0}}\n'
                                          '{"label":"a","predicted":"a","probabilities":{"a":1,"c":0}}\n'), code=1, says="odd.jsonl:2")
    run("evaluate", "classification", file("text.jsonl", "not json\n"), code=1, says="text.jsonl:1")
    learn("pictures", "--run", folder, "--out", str(ROOT / "x.png"), code=1, says="makes no pictures")
    learn("classify", "--run", str(ROOT), "--input", asked, "--out", predictions, code=1, says="safetensors")

    bad = file("bad.jsonl", reviews() + '{"text": "so so", "label": "neutral"}\n')
    good = file("good.jsonl", reviews())
    run("train", config("bad", 'architecture = "text_cnn"', f'train = "{good}"\nvalidation = "{bad}"'), "--run", str(ROOT / "bad"),
        env=ENV, code=1, says="record 65: the label 'neutral' is none of the 2 classes (they are neg, pos)")
    expect("no model is left of it", list((ROOT / "bad").glob("*.safetensors")), [])
    run("train", config("units", 'architecture = "mlp_gan"', f'train = "{good}"\nunits = "characters"'), "--run", str(ROOT / "bad"),
        env=ENV, code=1, says="classifiers of texts")
    run("train", config("init", 'architecture = "text_cnn"\ninit = "e5-small"', f'train = "{good}"'), "--run", str(ROOT / "bad"),
        env=ENV, code=1, says="init")


def size_of(png):
    head = pathlib.Path(png).read_bytes()
    expect("a PNG", head[:8], b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", head[16:24])
    return height, width


def pictures():
    pixels = bytes((x * y * 7 + n) % 256 for n in range(20) for y in range(6) for x in range(5))
    idx = file("images-idx3-ubyte", bytes([0, 0, 8, 3]) + struct.pack(">III", 20, 6, 5) + pixels)
    for name in ("mlp_gan", "vae"):
        folder = str(ROOT / name)
        run("train", config(name, f'architecture = "{name}"\nhidden = 8\nlatent = 4', f'train = "{idx}"', rate=1e-3), "--run", folder,
            env=ENV)
        expect("samples", len(list((ROOT / name / "samples").glob("grid-*.png"))), 12)
        expect("their size", size_of(next((ROOT / name / "samples").glob("grid-*.png"))), (8 * 8 + 2, 8 * 7 + 2))
        grids = [str(ROOT / f"{name}-{i}.png") for i in range(3)]
        learn("pictures", "--run", folder, "--out", grids[0], "--count", "6", "--seed", "4")
        learn("pictures", "--run", folder, "--out", grids[1], "--count", "6", "--seed", "4")
        learn("pictures", "--run", folder, "--out", grids[2], "--count", "3", "--interpolate")
        expect("a seed's picture", pathlib.Path(grids[0]).read_bytes() == pathlib.Path(grids[1]).read_bytes())
        expect("a grid", size_of(grids[0]), (2 * 8 + 2, 3 * 7 + 2))
        expect("ways", size_of(grids[2]), (3 * 8 + 2, 10 * 7 + 2))
    learn("pictures", "--run", folder, "--out", grids[0], "--count", "0", code=2, says="--count is a whole number")
    learn("classify", "--run", folder, "--input", idx, "--out", grids[0], code=1, says="does not name classes")
    packed = file("packed-idx3-ubyte.gz", b"\x1f\x8b" + zlib.compress(pixels))
    run("train", config("packed", 'architecture = "vae"', f'train = "{packed}"'), "--run", str(ROOT / "packed"), env=ENV, code=1,
        says="gunzip")


labelled()
pictures()
end("classifiers and picture makers: from records to predictions and pictures")
