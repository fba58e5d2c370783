#!/usr/bin/env python3
"""sample.py MODEL --prompts FILE --out FILE [--samples N] [--temperature T]: what a model writes under prompts, as it comes.

FILE of prompts: JSON lines {"prompt", "row"}. Leaves a line {"record": row, "reply": text} for each sample, those of a prompt one
after the other: what `atelier check --reply headline` reads. Nothing is filtered.
"""

import argparse
import json
import pathlib

import headline as h


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--prompts", required=True)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--atelier", default=h.ROOT / "build" / "release" / "atelier")
    parser.add_argument("--studio")
    options = parser.parse_args()
    lines = []
    for number, given in enumerate(h.read(options.prompts)):
        command = [options.atelier, "generate", "-m", options.model, "-p", "-", "-n", options.samples, "--max-tokens", 24, "--stop", "\n"]
        command += ["--temperature", options.temperature, "--seed", options.seed * 100_000 + number, "--json"]
        command += ["--studio", options.studio] if options.studio else []
        made = json.loads(h.run(command, input=given["prompt"]))
        lines += [{"record": given["row"], "reply": sample["text"]} for sample in made["samples"]]
    h.write(options.out, lines)


if __name__ == "__main__":
    main()
