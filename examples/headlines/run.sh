#!/usr/bin/env bash
# The guide from nothing to its table: makes the pairs, tunes gemma3-270m on them, lets the recipe ad_copy write headlines for
# products that were held out, by the model as it came and by the tuned one, and counts. What is done already is not done again;
# training that was broken off goes on.
# Usage: examples/run.sh headlines [gemma3-270m]
# Leaves build/examples/headlines/{studio,runs,results}. ATELIER names the program; EPOCHS (2), SEED (1) and COMPOSED (1600, of each
# language) are the run's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
atelier=$(realpath "${ATELIER:-build/release/atelier}")
seed=${SEED:-1}
here=examples/headlines folder=${FOLDER:-build/examples/headlines}
studio=$folder/studio run=$folder/runs/headlines results=$folder/results
[[ ${1:-gemma3-270m} == gemma3-270m ]] || { echo "run.sh: headlines has no $1; it has: gemma3-270m" >&2; exit 2; }
mkdir -p "$folder" "$results"
[[ -f $folder/validation.jsonl ]] ||  # it is written last
  python3 "$here/make.py" --out "$folder" --atelier "$atelier" --seed "$seed" --composed "${COMPOSED:-1600}" >&2
python3 "$here/check.py" "$folder" --atelier "$atelier" >&2
[[ -f $studio/studio.toml ]] || "$atelier" init "$studio" >&2

if [[ ! -f $run/done ]]; then
  rm -rf "${results:?}"/*  # of an earlier model
  resume=()
  [[ ! -f $run/last.safetensors ]] || resume=(--resume)
  "$atelier" model pull gemma3-270m --accept-terms >&2
  "$atelier" tune sft -m gemma3-270m --data "$folder/train.jsonl" --validation "$folder/validation.jsonl" --format plain --rank 16 \
    --rate 2e-4 --epochs "${EPOCHS:-2}" --length 160 --seed "$seed" --name headlines --run "$run" --studio "$studio" "${resume[@]}" >&2
  touch "$run/done"
fi

python3 - "$here" "$results" <<'PYTHON'
import sys
sys.path.insert(0, sys.argv[1])
import headline as h
h.write(f"{sys.argv[2]}/products.jsonl", h.sample() + h.read(h.HERE / "held_out.jsonl"))
h.write(f"{sys.argv[2]}/odd.jsonl", h.read(h.HERE / "odd.jsonl"))
PYTHON

write() { # ARM RECIPE SHEET
  [[ -f $results/$1/copy.jsonl ]] || "$atelier" make "$2" --variant headlines --input "$results/$3.jsonl" --out "$results/$1" --seed "$seed" \
    --studio "$studio" >&2
}
python3 "$here/arm.py" "$folder/recipes/plain" --plain
python3 "$here/arm.py" "$folder/recipes/one" --samples 1
write plain "$folder/recipes/plain" products
write one "$folder/recipes/one" products
write headlines recipes/ad_copy products
write odd recipes/ad_copy odd
python3 "$here/table.py" "$results" --form "$results/to_read.jsonl" >&2
"$atelier" run curves "$run" --metric train/loss --lang en --out "$results/curves.svg" >&2
python3 "$here/table.py" "$results" | tee "$results/table.md"
