#!/usr/bin/env bash
# Adds what ./dev bench train reads beside the texts of fetch_token_corpora.sh, in the same FOLDER: poems.txt, Tang poems of
# the npm package chinese-poetry 2.0.1 (MIT), and sentencepiece, a peer, in FOLDER/venv.
# Usage: tools/fetch_poems.sh FOLDER
set -euo pipefail
folder=${1:?usage: tools/fetch_poems.sh FOLDER}
if [ -f "$folder/.poems" ]; then exit 0; fi
echo "fetching sentencepiece 0.2.3 and poems (chinese-poetry) ..." >&2
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check sentencepiece==0.2.3 >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm pack --silent chinese-poetry@2.0.1 >/dev/null && tar -xzf chinese-poetry-2.0.1.tgz package/dist/quantangshi)
python3 - "$work/package/dist/quantangshi" "$folder/poems.txt" <<'PYTHON'
import json, pathlib, sys
folder, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
lines = []
for file in sorted(folder.glob("poet.tang.*.json"), key=lambda file: int(file.name.split(".")[2])):
    for poem in json.loads(file.read_text(encoding="utf-8")):
        lines += [poem["title"], *poem["paragraphs"]]
out.write_text("\n".join(lines), encoding="utf-8")
PYTHON
touch "$folder/.poems"
