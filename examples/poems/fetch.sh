#!/usr/bin/env bash
# Gets the poems of the Tang from the npm package chinese-poetry 2.0.1 (MIT) and writes FOLDER/poems.jsonl: author, title,
# form, text, as printed, in traditional characters. Nothing of them is in this repository. A second call does nothing.
# Usage: examples/poems/fetch.sh FOLDER
set -euo pipefail
folder=${1:?usage: examples/poems/fetch.sh FOLDER}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [[ ! -f $folder/.complete ]]; then
  # shellcheck source=../npm_package.sh
  . "$here/../npm_package.sh"
  mkdir -p "$folder"
  npm_package chinese-poetry 2.0.1 "$folder/package"
  python3 "$here/records.py" "$folder/package/dist/quantangshi" "$folder/poems.jsonl" >"$folder/counts.txt"
  cp "$folder/package/LICENSE" "$folder/LICENSE"
  rm -rf "$folder/package"
  touch "$folder/.complete"
fi
cat "$folder/counts.txt"
echo "$folder/poems.jsonl: $(wc -l <"$folder/poems.jsonl") poems; source: npm chinese-poetry 2.0.1; licence: MIT ($folder/LICENSE)"
