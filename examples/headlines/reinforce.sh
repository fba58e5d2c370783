#!/usr/bin/env bash
# The guide on learning from the recipe's own checks: merges the headlines' adapter into its model, lets the model write headlines for
# products of the training pairs, has `atelier check` say what each is worth by the recipe's checks, and teaches it that (GRPO). Counts
# before and after, on products that were held out, how many of its texts pass every check and how different they are. Needs
# examples/run.sh headlines first. What is done already is not done again; training that was broken off goes on.
# Usage: examples/run.sh reinforce
# Leaves build/examples/headlines/reinforce. ATELIER names the program; EPOCHS (0.5), SEED (1), PRODUCTS (320, of each language), SAMPLES (8,
# of each product), RATE (5e-5), BETA (1) and OBJECTIVE (grpo, or reinforce) are the run's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export ATELIER=${ATELIER:-build/release/atelier}
atelier=$(realpath "$ATELIER")
seed=${SEED:-1} objective=${OBJECTIVE:-grpo}
here=examples/headlines folder=${FOLDER:-build/examples/headlines}
studio=$folder/studio run=$folder/runs/$objective out=$folder/reinforce
[[ $atelier$PWD != *" "* ]] || { echo "reinforce.sh: --scorer is cut at blanks, and there is one in $atelier or $PWD" >&2; exit 2; }
check=("$atelier" check "$PWD/recipes/ad_copy" --variant headlines --reply headline)
examples/headlines/merged.sh "$folder"
mkdir -p "$out"
[[ -f $out/validation.jsonl ]] ||
  python3 "$here/reinforce.py" prompts --data "$folder" --out "$out" --most "${PRODUCTS:-320}" --seed "$seed" >&2
[[ -f $out/prompts.jsonl ]] || python3 "$here/style.py" prompts --out "$out/prompts.jsonl" --most "${PROMPTS:-200}"

if [[ ! -f $run/done ]]; then
  rm -f "$out/$objective".*  # of an earlier model
  resume=()
  [[ ! -f $run/last.safetensors ]] || resume=(--resume)
  "$atelier" tune "$objective" -m "$folder/headlines.gguf" --data "$out/train.jsonl" --validation "$out/validation.jsonl" --format plain \
    --scorer "${check[*]} --ignore prompt --scores" --samples "${SAMPLES:-8}" --reply-tokens 24 --temperature 1 --rank 16 \
    --rate "${RATE:-5e-5}" --beta "${BETA:-1}" --epochs "${EPOCHS:-0.5}" --seed "$seed" --name "$objective" --run "$run" --studio "$studio" \
    "${resume[@]}" >&2
  touch "$run/done"
fi

measure() { # WHEN MODEL
  local file=$out/$1
  [[ -f $file.jsonl ]] || python3 "$here/sample.py" "$2" --prompts "$out/prompts.jsonl" --out "$file.jsonl" --samples 8 --seed "$seed" \
    --atelier "$atelier" --studio "$studio"
  "${check[@]}" --input "$file.jsonl" --json >"$file.checks.jsonl"
  for lang in zh en; do
    python3 "$here/reinforce.py" texts "$file.jsonl" --lang "$lang" >"$file.$lang.txt"
    "$atelier" evaluate diversity --hyp "$file.$lang.txt" --json >"$file.$lang.json"
  done
}
measure before "$folder/headlines.gguf"
measure "$objective" "$folder/headlines.gguf+$objective"
"$atelier" run curves "$run" --metric train/score --lang en --out "$out/curves.svg" >&2
python3 "$here/reinforce.py" table "$out" --objective "$objective" | tee "$out/table.md"
