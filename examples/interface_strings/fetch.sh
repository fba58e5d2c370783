#!/usr/bin/env bash
# Gets what programs say in English and in Chinese: the translations in Debian packages (packages.txt, some 150 MB; their
# licences are those of the programs, mostly GPL), and writes FOLDER/pairs.jsonl: en, zh, package. Nothing of them is in
# this repository. A second call does nothing.
# Usage: examples/interface_strings/fetch.sh FOLDER
set -euo pipefail
folder=${1:?usage: examples/interface_strings/fetch.sh FOLDER}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
command -v apt-get >/dev/null || { echo "fetch.sh: there is no apt-get here; take the packages' files from a Debian machine" >&2; exit 1; }
if [[ ! -f $folder/.complete ]]; then
  mkdir -p "$folder/packages" "$folder/licences"
  read -r -d '' -a packages <"$here/packages.txt" || true
  (cd "$folder/packages" && { apt-get download -qq "${packages[@]}" || { apt-get update && apt-get download -qq "${packages[@]}"; }; } >&2)
  python3 "$here/records.py" "$folder/pairs.jsonl" "$folder"/packages/*.deb >"$folder/counts.txt"
  for package in "$folder"/packages/*.deb; do
    name=$(basename "$package" | cut -d_ -f1)
    dpkg-deb --fsys-tarfile "$package" | tar -xO "./usr/share/doc/$name/copyright" >"$folder/licences/$name" 2>/dev/null || true
  done
  (cd "$folder/packages" && ls ./*.deb) >"$folder/versions.list"
  rm -r "$folder/packages"
  touch "$folder/.complete"
fi
cat "$folder/counts.txt"
echo "$folder/pairs.jsonl: $(wc -l <"$folder/pairs.jsonl") pairs; source: Debian packages ($folder/versions.list); licences: $folder/licences"
