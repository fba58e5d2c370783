#!/usr/bin/env python3
"""Holds a GPT that was trained here against llama.cpp (llama_cpp.py says which): both continue prompts from its GGUF file,
always with the likeliest token, and must say the same.

Usage: check_trained_gpt.py ATELIER MODEL.gguf [--tokens N] [--prompts FILE]   (FILE: a prompt a line)
"""
import argparse
import json
import pathlib
import subprocess
import sys

from llama_cpp import VERSION, fetch, peer_build

PROMPTS = ["春", "月", "春眠不觉晓", "白日依山", "君不见黄河之水天上来", "山", "，", "the", "Hello 🙂", "床前明月光，疑是地上霜。举头望明月"]

parser = argparse.ArgumentParser()
parser.add_argument("atelier")
parser.add_argument("model")
parser.add_argument("--tokens", type=int, default=48)
parser.add_argument("--prompts")
options = parser.parse_args()
prompts = pathlib.Path(options.prompts).read_text().splitlines() if options.prompts else PROMPTS
fetch()
folder, kind = peer_build(options.model)
differ = 0
for prompt in prompts:
    told = subprocess.run([options.atelier, "generate", "-m", options.model, "-p", prompt, "--temperature", "0", "--max-tokens",
                           str(options.tokens), "--json"], check=True, capture_output=True, text=True)
    ours = prompt + json.loads(told.stdout)["text"]
    said = subprocess.run([str(folder / "bin/llama-simple"), "-m", options.model, "-n", str(options.tokens), prompt], check=True,
                          capture_output=True)
    theirs = said.stdout.decode("utf-8", "replace").removeprefix("<s>").removeprefix("<|begin|>").removeprefix("\n")
    same = ours.rstrip() == theirs.rstrip()
    differ += not same
    print("same " if same else "OTHER", json.dumps(ours, ensure_ascii=False), "" if same else json.dumps(theirs, ensure_ascii=False))
print(f"{len(prompts) - differ} of {len(prompts)} prompts continue with the same {options.tokens} tokens; llama.cpp {VERSION}, {kind}")
sys.exit(1 if differ else 0)
