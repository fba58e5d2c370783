#!/usr/bin/env bash
# BLEU of what `atelier-learn translate` wrote, against the references in it. ATELIER names the program.
# Usage: examples/interface_strings/bleu.sh TRANSLATED.jsonl
set -euo pipefail
file=${1:?usage: examples/interface_strings/bleu.sh TRANSLATED.jsonl}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
atelier=${ATELIER:-$here/../../build/release/atelier}
base=${file%.jsonl}
python3 - "$file" "$base.hyp" "$base.ref" <<'PYTHON'
import json, sys
one_line = lambda text: " ".join(text.split())
with open(sys.argv[1], encoding="utf-8") as lines, open(sys.argv[2], "w", encoding="utf-8") as hyp, open(sys.argv[3], "w", encoding="utf-8") as ref:
    for line in lines:
        record = json.loads(line)
        print(one_line(record["hypotheses"][0]["text"]), file=hyp)
        print(one_line(record["reference"]), file=ref)
PYTHON
"$atelier" evaluate bleu --tokenize zh --hyp "$base.hyp" --ref "$base.ref"
