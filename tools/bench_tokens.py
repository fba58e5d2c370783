#!/usr/bin/env python3
"""Tokenisation, one thread: our engine's tokenizers beside Hugging Face's `tokenizers`, with the vocabularies of smollm2
(byte-level BPE) and gemma3-270m (SentencePiece BPE). Run it as `./dev bench data tokens`.

Both read the same lines; the peer by encode_batch_fast with one thread, its fastest way. Ids must be identical. Runs
alternate; the ratio is that of the medians. Times are processor seconds of the one thread, so that what else the machine
does counts less.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TEXTS = {"brown": "Brown corpus, English", "reviews": "reviews, Chinese", "news": "People's Daily, Chinese"}
AIM = 5


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", metavar="FILE", help="write all figures there")
    options = parser.parse_args()
    folder = ROOT / "build/peer/tokens"
    subprocess.run([ROOT / "tools/fetch_token_corpora.sh", folder], check=True)
    atelier = ROOT / "build/release/atelier"
    home = pathlib.Path(os.environ.get("ATELIER_HOME", pathlib.Path.home() / ".atelier"))
    rows, failed = [], False
    for model in ("smollm2", "gemma3-270m"):
        texts = [folder / f"{name}.txt" for name in TEXTS]
        ours, peers = [], []
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}: {model}", file=sys.stderr, flush=True)
            ours.append([json.loads(subprocess.run(
                [atelier, "--json", "tokenize", "-m", model, "--count", "--text", text], check=True,
                stdout=subprocess.PIPE).stdout) for text in texts])
            out = subprocess.run([folder / "venv/bin/python", ROOT / "tools/token_peer.py", home / f"models/{model}.gguf",
                                  "1", *texts], check=True, stdout=subprocess.PIPE).stdout
            peers.append([json.loads(line) for line in out.splitlines()])
        for k, (name, shown) in enumerate(TEXTS.items()):
            size = texts[k].stat().st_size / 1e6
            mine, theirs = [r[k]["cpu_seconds"] for r in ours], [r[k]["cpu_seconds"] for r in peers]
            same = all(a[k][key] == b[k][key] for a, b in zip(ours, peers) for key in ("lines", "tokens", "hash"))
            ratio = statistics.median(theirs) / statistics.median(mine)
            rows.append({"model": model, "text": name, "mb": size, "ours": mine, "peer": theirs, "ratio": ratio,
                         "identical": same})
            print(f"{model:12} {shown:25} {size:6.2f} MB {ours[0][k]['tokens']:9} tokens  ours "
                  f"{size / statistics.median(mine):6.1f} MB/s  tokenizers {size / statistics.median(theirs):6.1f} MB/s  "
                  f"{ratio:5.1f}x  ids {'identical' if same else 'DIFFER'}", flush=True)
            failed |= not same or ratio < AIM
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(rows))
    if failed:
        sys.exit(f"not everywhere identical and {AIM} times as fast")


if __name__ == "__main__":
    main()
