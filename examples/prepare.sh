#!/usr/bin/env bash
# Gets the data of a guide and makes the dataset out of them: fetch, import, clean, de-duplicate, split, with fixed seeds.
# Usage: examples/prepare.sh poems|sentiment|interface_strings|digits FOLDER
# Leaves the studio FOLDER/studio with the dataset NAME, and FOLDER/train.jsonl, valid.jsonl, test.jsonl. What is there
# already is not done again. ATELIER names the program (default: build/release/atelier).
set -euo pipefail
guide=${1:?usage: examples/prepare.sh GUIDE FOLDER} folder=${2:?usage: examples/prepare.sh GUIDE FOLDER}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
atelier=${ATELIER:-$here/../build/release/atelier}
case $guide in
  poems) name=poems source=poems.jsonl licence=MIT split=(--stratify form) dedup=(--field text) ;;
  sentiment) name=reviews source=reviews.jsonl licence=MIT split=(--stratify label) dedup=(--field text) ;;
  interface_strings) name=pairs source=pairs.jsonl licence="per program, mostly GPL" split=(--field en) dedup=(--exact --field en) ;;
  digits) name=digits source=digits licence=MIT split=(--stratify label --no-near) dedup=() ;;
  *) echo "prepare.sh: there is no guide $guide; known: poems sentiment interface_strings digits" >&2; exit 2 ;;
esac
"$here/$guide/fetch.sh" "$folder" >&2
studio=$folder/studio
[[ -f $studio/studio.toml ]] || "$atelier" init "$studio" >&2
if [[ ! -f $folder/.prepared ]]; then
  [[ ! -d $studio/data/$name ]] || "$atelier" data rm "$name" --all --studio "$studio" >&2
  "$atelier" data import "$folder/$source" --name "$name" --licence "$licence" --studio "$studio" >&2
  if [[ -f $here/$guide/clean.toml ]]; then
    "$atelier" data clean "$name" --config "$here/$guide/clean.toml" --studio "$studio" >&2
  fi
  if [[ ${#dedup[@]} -gt 0 ]]; then "$atelier" data dedup "$name" "${dedup[@]}" --studio "$studio" >&2; fi
  "$atelier" data split "$name" --seed 1 "${split[@]}" --studio "$studio" >&2
  for part in train valid test; do
    "$atelier" data export "$name" --split "$part" --out "$folder/$part.jsonl" --studio "$studio" >&2
  done
  touch "$folder/.prepared"
fi
wc -l "$folder"/{train,valid,test}.jsonl
