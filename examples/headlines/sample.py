#!/usr/bin/env python3
"""sample.py MODEL --prompts FILE --out FILE [--samples N] [--temperature T]: what a model writes under prompts, as it comes.

FILE of prompts: JSON lines {"prompt", "row"}. Leaves a line {"record": row, "reply": text} for each sample, those of a prompt one
after the other: what `atelier check --reply headline` reads. Nothing is filtered.
"""

import argparse
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
    command = [options.atelier, "generate", "-m", options.model, "--input", options.prompts, "--into", "replies", "-n", options.samples]
    command += ["--max-tokens", 24, "--stop", "\n", "--temperature", options.temperature, "--seed", options.seed * 100_000]
    command += ["--studio", options.studio] if options.studio else []
    options.out.parent.mkdir(parents=True, exist_ok=True)
    made = options.out.with_suffix(".replies.jsonl")
    h.run([*command, "--out", made])
    lines = []
    for given in h.read(made):
        replies = given["replies"] if options.samples > 1 else [given["replies"]]
        lines += [{"record": given["row"], "reply": reply} for reply in replies]
    made.unlink()
    h.write(options.out, lines)


if __name__ == "__main__":
    main()
