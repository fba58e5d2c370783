#!/usr/bin/env bash
# Fetches the documents that the recipe is shown with, the Debian Reference and the Debian FAQ in English and Chinese
# (GPL; nothing of them is in this repository), into FOLDER, and says how to make the index of them.
# Usage: recipes/ask_docs/fetch.sh FOLDER
set -euo pipefail
folder=${1:?usage: recipes/ask_docs/fetch.sh FOLDER}
command -v apt-get >/dev/null || { echo "fetch.sh: there is no apt-get here; take the packages' files from a Debian machine" >&2; exit 1; }
if [ ! -f "$folder/.complete" ]; then
  mkdir -p "$folder/packages"
  packages=(debian-reference-en debian-reference-zh-cn debian-faq debian-faq-zh-cn)
  (cd "$folder/packages" && { apt-get download "${packages[@]}" || { apt-get update && apt-get download "${packages[@]}"; }; } >&2)
  rm -rf "$folder/docs"
  mkdir -p "$folder/unpacked" "$folder/docs/debian-reference" "$folder/docs/debian-faq"
  for package in "$folder"/packages/*.deb; do dpkg-deb -x "$package" "$folder/unpacked"; done
  cp "$folder"/unpacked/usr/share/debian-reference/{ch,ap}*.{en,zh-cn}.html "$folder/docs/debian-reference/"
  cp "$folder"/unpacked/usr/share/doc/debian/FAQ/*.en.html "$folder"/unpacked/usr/share/doc/debian/FAQ/zh-cn/*.zh-cn.html \
    "$folder/docs/debian-faq/"
  (cd "$folder/packages" && ls ./*.deb) > "$folder/docs/versions.list"
  rm -rf "$folder/unpacked"
  touch "$folder/.complete"
fi
cat >&2 <<TEXT
The documents are in $folder/docs. In a studio:
  atelier model pull e5-small
  atelier index add debian $folder/docs --base $folder/docs
  atelier make ask_docs --input recipes/ask_docs/sample/questions.csv --out out
TEXT
