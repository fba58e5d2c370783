#!/usr/bin/env bash
# The guide from nothing to its table: makes the pairs, tunes both models on them, lets the recipe product_rows fill rows for the
# test listings with each, and scores them beside the models as they came and the regular expressions. What is done already is
# not done again; training that was broken off goes on.
# Usage: examples/run.sh extract [gemma3-270m|smollm2...]
# Leaves build/examples/extract/{studio,runs,results}. ATELIER names the program.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
atelier=$(realpath "${ATELIER:-build/release/atelier}")
here=examples/extract folder=build/examples/extract
studio=$folder/studio runs=$folder/runs results=$folder/results
all=(gemma3-270m smollm2)
models=("${@:-${all[@]}}")
for model in "${models[@]}"; do
  [[ " ${all[*]} " == *" $model "* ]] || { echo "run.sh: extract has no $model; it has: ${all[*]}" >&2; exit 2; }
done
mkdir -p "$folder" "$results"
[[ -f $folder/validation.jsonl ]] || python3 "$here/make.py" --out "$folder" >&2  # it writes this one last
[[ -f $folder/en/validation.jsonl ]] || python3 "$here/make.py" --out "$folder/en" --lang en >&2
[[ -f $studio/studio.toml ]] || "$atelier" init "$studio" >&2

# The listings of the test set, and of one language, as the recipe takes them.
python3 - "$here" "$results" <<'PYTHON'
import json, pathlib, sys
sys.path.insert(0, sys.argv[1])
import listing
pairs = listing.read(f"{sys.argv[1]}/test.jsonl")
for name, wanted in (("all", ("zh", "en")), ("en", ("en",))):
    texts = [listing.listing(pair["prompt"]) for pair in pairs]
    lines = [json.dumps({"listing": text}, ensure_ascii=False) + "\n" for lang, text in texts if lang in wanted]
    pathlib.Path(sys.argv[2], f"listings.{name}.jsonl").write_text("".join(lines), encoding="utf-8")
PYTHON

tune() { # MODEL ADAPTER PAIRS
  local run=$runs/$1 resume=()
  [[ ! -f $run/done ]] || return 0
  rm -rf "${results:?}/$1+"*  # of an earlier model
  [[ ! -f $run/last.safetensors ]] || resume=(--resume)
  "$atelier" model pull "$1" --accept-terms >&2
  "$atelier" tune sft -m "$1" --data "$3/train.jsonl" --validation "$3/validation.jsonl" --format plain --rank 16 \
    --epochs "${EPOCHS:-3}" --seed 1 --name "$2" --run "$run" --studio "$studio" "${resume[@]}" >&2
  touch "$run/done"
}

# score NAME LISTINGS VARIANT [LANG]: rows of the test listings by one variant of the recipe, and what they are worth.
score() {
  local out=$results/$1
  [[ -f $out/all.jsonl ]] || "$atelier" make product_rows --input "$results/listings.$2.jsonl" --out "$out" --variant "$3" --seed 1 \
    --studio "$studio" >&2
  python3 - "$out" <<'PYTHON'
import json, pathlib, sys
out = pathlib.Path(sys.argv[1])
records = [json.loads(line) for line in (out / "all.jsonl").read_text(encoding="utf-8").splitlines()]
rows = [record["chosen"]["output"] if record["chosen"] else None for record in records]
lines = [json.dumps({"prediction": json.dumps(row, ensure_ascii=False) if row else ""}, ensure_ascii=False) + "\n" for row in rows]
(out / "predictions.jsonl").write_text("".join(lines), encoding="utf-8")
PYTHON
  python3 "$here/score.py" "$here/test.jsonl" "$out/predictions.jsonl" ${4:+--lang "$4"} >"$out.txt"
  printf '%s\n' "== $1"
  sed '$d' "$out.txt"
}

for model in "${models[@]}"; do
  case $model in
    gemma3-270m)
      tune "$model" listings "$folder"
      score gemma3-270m all plain_unchecked
      score gemma3-270m+listings all unchecked
      score gemma3-270m+listings,checked all ""
      ;;
    smollm2)
      tune "$model" listings-en "$folder/en"
      score smollm2 en smollm2_plain en
      score smollm2+listings-en en smollm2 en
      ;;
  esac
done
python3 "$here/regex.py" "$here/test.jsonl" >"$results/regex.jsonl"
python3 "$here/score.py" "$here/test.jsonl" "$results/regex.jsonl" >"$results/regex.txt"
echo "== regular expressions"
sed '$d' "$results/regex.txt"
finished=()
for model in "${all[@]}"; do [[ ! -f $runs/$model/done ]] || finished+=("$runs/$model"); done
"$atelier" run curves "${finished[@]}" --metric train/loss --lang en --out "$results/curves.svg" >&2
