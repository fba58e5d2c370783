#!/usr/bin/env bash
# A guide from nothing to its table: gets and prepares the data (prepare.sh), trains every model of the guide, holds each
# against the test split and draws the curves. What is done already is not done again; a run that was broken off goes on.
# Usage: examples/run.sh poems|sentiment|interface_strings|digits|extract|headlines|style|reinforce [MODEL...]   (from the repository's root)
#        examples/run.sh classify sentiment|intent [ROW...]
# Leaves build/examples/GUIDE/{runs,results}; results/results.jsonl has a line for each model (not of extract and what follows it). ATELIER
# names the program.
set -euo pipefail
guide=${1:?usage: examples/run.sh GUIDE [MODEL...]}
shift
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/.."
[[ ! -f studio.toml ]] || { echo "run.sh: the repository's root is a studio; guides want their models beside their runs" >&2; exit 2; }
export ATELIER=${ATELIER:-$PWD/build/release/atelier}
learn=${ATELIER_LEARN:-$(dirname "$ATELIER")/atelier-learn}
case $guide in
  extract | headlines | classify) exec "examples/$guide/run.sh" "$@" ;;
  style | reinforce) exec "examples/headlines/$guide.sh" "$@" ;;
esac
folder=build/examples/$guide runs=build/examples/$guide/runs results=build/examples/$guide/results
case $guide in
  poems) all=(gpt lstm) ;;
  sentiment) all=(linear cnn lstm bert) ;;
  interface_strings) all=(seq2seq transformer) ;;
  digits) all=(gan vae) ;;
  *) echo "run.sh: there is no guide $guide; known: poems sentiment interface_strings digits extract headlines style reinforce classify" >&2; exit 2 ;;
esac
models=("${@:-${all[@]}}")
for model in "${models[@]}"; do
  [[ " ${all[*]} " == *" $model "* ]] || { echo "run.sh: $guide has no $model; it has: ${all[*]}" >&2; exit 2; }
done
examples/prepare.sh "$guide" "$folder" >&2
mkdir -p "$runs" "$results"

train() { # MODEL
  local run=$runs/$1 resume=()
  [[ ! -f $run/done ]] || return 0
  [[ ! -f $run/last.safetensors ]] || resume=(--resume)
  [[ $1 != bert ]] || "$ATELIER" model pull e5-small >&2
  "$ATELIER" train "examples/$guide/$1.toml" --run "$run" "${resume[@]}" >&2
  touch "$run/done"
}

# tell MODEL: a line of JSON on standard input becomes the model's in results.jsonl.
tell() {
  python3 - "$results" "$1" "$(cat)" <<'PYTHON'
import json, pathlib, sys
folder, model, line = sys.argv[1:]
path = pathlib.Path(folder) / "results.jsonl"
others = [l for l in path.read_text().splitlines() if json.loads(l)["model"] != model] if path.exists() else []
line = json.loads(line)
for key in ("event", "path"):
    line.pop(key, None)
path.write_text("\n".join([*others, json.dumps({"model": model} | line, ensure_ascii=False)]) + "\n")
PYTHON
}

judge() { # MODEL
  local run=$runs/$1 out=$results/$1
  case $guide in
    poems)
      "$learn" score --run "$run" --input "$folder/test.jsonl" | tail -n 1 | tell "$1"
      for prompt in 春 月 山; do
        "$ATELIER" generate -m "$run"/model.* -p "$prompt" -n 3 --max-tokens 60 --temperature 0.8 --seed 1
      done >"$out.txt"
      ;;
    sentiment)
      "$learn" classify --run "$run" --input "$folder/test.jsonl" --out "$out.jsonl" | tail -n 1 | tell "$1"
      "$ATELIER" evaluate classification "$out.jsonl" >"$out.txt"
      ;;
    interface_strings)
      "$learn" translate --model "$run/best.safetensors" --input "$folder/test.jsonl" --out "$out.jsonl" --attention "$out-attention" \
        --pictures 12 | tail -n 1 >"$out.done"
      examples/interface_strings/bleu.sh "$out.jsonl" >"$out.txt"
      "$ATELIER" evaluate bleu --tokenize zh --hyp "$out.hyp" --ref "$out.ref" --json | tell "$1"
      ;;
    digits)
      "$ATELIER" generate -m "$run/model.safetensors" --out "$out.png" -n 64 >&2
      "$ATELIER" generate -m "$run/model.safetensors" --out "$out-interpolation.png" --interpolate -n 6 >&2
      ;;
  esac
}

for model in "${models[@]}"; do
  train "$model"
  judge "$model"
done
if [[ $guide == poems ]]; then
  for order in 2 3 4 5 6; do
    "$ATELIER" evaluate ngram --train "$folder/train.jsonl" --input "$folder/test.jsonl" --order "$order" --json | tell "ngram-$order"
  done
fi
finished=()
for model in "${all[@]}"; do [[ ! -f $runs/$model/done ]] || finished+=("$runs/$model"); done
if [[ $guide != digits ]]; then
  "$ATELIER" run curves "${finished[@]}" --metric validation/loss --lang en --out "$results/curves.svg" >&2
fi
shopt -s nullglob
for file in "$results"/*.txt "$results"/results.jsonl "$results"/*.png; do
  [[ -e $file ]] || continue
  if [[ $file == *.png ]]; then echo "$file"; else cat "$file"; fi
done
