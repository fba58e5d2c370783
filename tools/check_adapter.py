#!/usr/bin/env python3
"""Holds an adapter that was tuned here against llama.cpp (llama_cpp.py says which): llama-perplexity reads the model with
--lora as `evaluate perplexity -m MODEL+ADAPTER` does, and the model with the adapter laid into it continues prompts with the
same likeliest tokens in both programs. Where weights are quantised both round activations, each in its own way, and near ties
part: a model in f32 with --type f32 has none of that.

Usage: check_adapter.py ATELIER MODEL.gguf ADAPTER.gguf TEXT PROMPTS [--tokens N] [--ctx N] [--characters N] [--type q8_0]
       (TEXT: a file, of which the beginning is read; PROMPTS: a file of prompts, one a line)
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

from llama_cpp import VERSION, fetch, peer_build

parser = argparse.ArgumentParser()
for name in ["atelier", "model", "adapter", "text", "prompts"]:
    parser.add_argument(name)
parser.add_argument("--tokens", type=int, default=32)
parser.add_argument("--ctx", type=int, default=512)
parser.add_argument("--characters", type=int, default=16000)
parser.add_argument("--type", default="q8_0", help="of the merged model's changed matrices")
options = parser.parse_args()
fetch()
folder, kind = peer_build(options.model)
faults = []


def atelier(*args):
    done = subprocess.run([options.atelier, *map(str, args)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"atelier {' '.join(map(str, args))}: {done.stderr}")
    return done.stdout


def theirs(model, *more):
    done = subprocess.run([folder / "bin/llama-perplexity", "-m", model, "-f", text, "-c", str(options.ctx), "-t", "2",
                           *more], capture_output=True, text=True)
    found = re.search(r"Final estimate: PPL = ([0-9.]+)", done.stdout + done.stderr)
    return float(found[1]) if found else sys.exit(f"llama-perplexity: {done.stderr[-600:]}")


with tempfile.TemporaryDirectory() as work:
    text = pathlib.Path(work) / "text.txt"
    text.write_text(pathlib.Path(options.text).read_text()[: options.characters])
    both = f"{options.model}+{options.adapter}"
    for name, model, lora in [("the model", options.model, []), ("with the adapter", both, ["--lora", options.adapter])]:
        told = json.loads(atelier("evaluate", "perplexity", "-m", model, "--text", text, "--ctx", options.ctx, "--json"))
        ours, peer = told["perplexity"], theirs(options.model, *lora)
        print(f"{name}: perplexity {ours:.4f}, llama-perplexity {peer:.4f}, ratio {ours / peer:.4f}")
        if abs(ours / peer - 1) > 0.01:
            faults.append(name)
    merged = pathlib.Path(work) / "merged.gguf"
    atelier("model", "merge", options.model, options.adapter, merged, "--type", options.type)
    prompts = pathlib.Path(options.prompts).read_text().splitlines()
    same = alike = 0
    for prompt in prompts:
        say = lambda model: json.loads(atelier("generate", "-m", model, "-p", prompt, "--temperature", 0, "--max-tokens",
                                               options.tokens, "--json"))["text"]
        ours, beside = say(merged), say(both)
        done = subprocess.run([folder / "bin/llama-simple", "-m", merged, "-n", str(options.tokens), prompt], check=True,
                              capture_output=True)
        said = done.stdout.decode("utf-8", "replace")
        said = said[said.index(prompt) + len(prompt):]
        same += ours.rstrip() == said.rstrip()
        alike += ours == beside
        print("same " if ours.rstrip() == said.rstrip() else "OTHER", json.dumps(ours, ensure_ascii=False),
              "" if ours.rstrip() == said.rstrip() else json.dumps(said, ensure_ascii=False))
    print(f"{same} of {len(prompts)} prompts continue with the same {options.tokens} tokens in llama.cpp {VERSION}, {kind}; "
          f"{alike} also with the adapter beside the model")
    if same < len(prompts):
        faults.append("greedy text")
sys.exit(", ".join(faults) if faults else 0)
