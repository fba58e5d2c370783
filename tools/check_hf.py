#!/usr/bin/env python3
"""Holds `atelier model pull FOLDER` against folders that transformers writes: the tiny models of golden_archs.py, saved as
f32, bf16 and in shards, have to become the tensors and settings of tests/golden/archs, whose logits are transformers' own.

Usage: tools/golden.sh archs --environment; build/peer/venv-archs/bin/python tools/check_hf.py ATELIER
"""
import os
import pathlib
import subprocess
import sys
import tempfile

sys.setdlopenflags(os.RTLD_LAZY)  # CUDA libraries may be empty stand-ins: tools/golden.sh
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import numpy as np
import tokenizers
import torch
import transformers

import golden_archs
import llama_cpp

llama_cpp.fetch()
sys.path.insert(0, str(llama_cpp.PEER / "gguf-py"))
from gguf import GGUFReader

ATELIER = str(pathlib.Path(sys.argv[1]).resolve())
work = pathlib.Path(tempfile.mkdtemp(prefix="hf-"))
os.environ["ATELIER_HOME"] = str(work / "home")


class Vocabulary:
    def set(self, key, value):
        setattr(self, key.rsplit(".", 1)[1], value)


def write_tokenizer(folder):
    golden = Vocabulary()
    golden_archs.bpe_vocabulary(golden, "llama-bpe")
    special = len(golden.tokens) - 5
    model = tokenizers.models.BPE({t: i for i, t in enumerate(golden.tokens[:special])}, [tuple(m.split(" ")) for m in golden.merges])
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    tokenizer.add_special_tokens(golden.tokens[special:])
    tokenizer.save(str(folder / "tokenizer.json"))


def values(tensor):
    """Of F32 or BF16, as float32."""
    if tensor.tensor_type.name == "BF16":
        raw = np.frombuffer(tensor.data.tobytes(), "<u2").astype("<u4") << 16
        return raw.view("<f4")
    return np.frombuffer(tensor.data.tobytes(), "<f4")


wrong = 0
for seed, (name, arch, build) in enumerate(golden_archs.models()):
    model = build()
    golden_archs.fill(model, seed)
    packed = golden_archs.FOLDER / f"{name}.gguf.zst"
    wanted_path = work / f"{name}-golden.gguf"
    subprocess.run(["zstd", "-dqf", str(packed), "-o", str(wanted_path)], check=True)
    wanted = GGUFReader(wanted_path)
    for kind, options in (("f32", {}), ("bf16", {}), ("shards", {"max_shard_size": "60KB"})):
        folder = work / f"{name}-{kind}"
        (model.bfloat16() if kind == "bf16" else model).save_pretrained(folder, **options)
        model.float()
        write_tokenizer(folder)
        told = subprocess.run([ATELIER, "model", "pull", str(folder)], capture_output=True, text=True)
        if told.returncode != 0:
            print(f"{name} {kind}: {told.stderr.strip()}")
            wrong += 1
            continue
        made = GGUFReader(work / "home/models" / f"{folder.name}.gguf")
        faults = []
        ours = {t.name: t for t in made.tensors}
        theirs = {t.name: t for t in wanted.tensors}
        faults += [f"tensors {sorted(set(ours) ^ set(theirs))}"] if set(ours) != set(theirs) else []
        for key in set(ours) & set(theirs):
            # Weights are multiples of 1/32 below 4: exact in bf16. Llama 3's divisors are computed, here in f32.
            if not np.allclose(values(ours[key]), values(theirs[key]), rtol=1e-6 if key == "rope_freqs.weight" else 0, atol=0):
                faults.append(key)
        for key, field in wanted.fields.items():
            if key.startswith(arch + "."):
                found = made.fields.get(key)
                if found is None or not np.allclose(np.asarray(found.contents(), float) if field.types[0].name != "STRING" else 0,
                                                    np.asarray(field.contents(), float) if field.types[0].name != "STRING" else 0, rtol=1e-6):
                    faults.append(key)
        wrong += bool(faults)
        shards = len(list(folder.glob("*.safetensors")))
        print(f"{name:13} {kind:6} {shards} file(s), {len(ours)} tensors: {'equal' if not faults else faults}")
print(f"{wrong} of {3 * (seed + 1)} folders came out other; transformers {transformers.__version__}, torch {torch.__version__}")
sys.exit(1 if wrong else 0)
