#!/usr/bin/env bash
# The guide on a style that readers prefer: merges the headlines' adapter into its model, makes pairs of preferences by a rule (the
# headline names the person whom it is for), tunes the model on them by DPO, and counts before and after, beside the perplexity of
# general text. Needs examples/run.sh headlines first. What is done already is not done again.
# Usage: examples/run.sh style
# Leaves build/examples/headlines/style. ATELIER names the program; EPOCHS (1), SEED (1), PAIRS (700, of each language), RATE (5e-5),
# BETA (0.5), OBJECTIVE (dpo, or ipo), CHOSEN_WEIGHT (0) and KEEP (2, the weight of text to be written as before) are the run's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export ATELIER=${ATELIER:-build/release/atelier}
atelier=$(realpath "$ATELIER")
seed=${SEED:-1}
here=examples/headlines folder=${FOLDER:-build/examples/headlines}
studio=$folder/studio run=$folder/runs/style out=$folder/style
examples/headlines/merged.sh "$folder"
mkdir -p "$out"
[[ -f $out/preferences_validation.jsonl ]] ||
  python3 "$here/style.py" pairs --data "$folder" --out "$out" --most "${PAIRS:-700}" --seed "$seed" --atelier "$atelier" >&2
[[ -f $out/prompts.jsonl ]] || python3 "$here/style.py" prompts --out "$out/prompts.jsonl" --most "${PROMPTS:-200}"
"$here/general_text.sh" "$out" >&2

if [[ ! -f $run/done ]]; then
  rm -f "$out"/*.after.*  # of an earlier model
  resume=() keep=()
  [[ ${KEEP:-2} == 0 ]] || keep=(--keep "$out/keep.txt" --keep-weight "${KEEP:-2}")
  [[ ! -f $run/last.safetensors ]] || resume=(--resume)
  "$atelier" tune "${OBJECTIVE:-dpo}" -m "$folder/headlines.gguf" --data "$out/preferences.jsonl" --validation "$out/preferences_validation.jsonl" \
    --format plain --rank 16 --rate "${RATE:-5e-5}" --beta "${BETA:-0.5}" \
    --chosen-weight "${CHOSEN_WEIGHT:-0}" "${keep[@]}" --epochs "${EPOCHS:-1}" --length 160 --seed "$seed" \
    --name style --run "$run" --studio "$studio" "${resume[@]}" >&2
  touch "$run/done"
fi

measure() { # WHEN MODEL
  local file
  for what in "sampled 8 1" "greedy 1 0"; do
    read -r name samples temperature <<<"$what"
    file=$out/$name.$1.jsonl
    [[ -f $file ]] || python3 "$here/sample.py" "$2" --prompts "$out/prompts.jsonl" --out "$file" --samples "$samples" --temperature "$temperature" \
      --seed "$seed" --atelier "$atelier" --studio "$studio"
  done
  for lang in zh en reviews; do
    file=$out/perplexity.$lang.$1.json
    [[ -f $file ]] || { "$atelier" evaluate perplexity -m "$2" --text "$out/general.$lang.txt" --studio "$studio" --json >"$file.new" && mv "$file.new" "$file"; }
  done
}
measure before "$folder/headlines.gguf"
measure after "$folder/headlines.gguf+style"
"$atelier" run curves "$run" --metric train/loss --lang en --out "$out/curves.svg" >&2
python3 "$here/style.py" table "$out" | tee "$out/table.md"
