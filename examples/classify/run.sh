#!/usr/bin/env bash
# Classes of texts by four kinds of models, in one table: the linear baseline, an encoder with adapters (LoRA on e5-small), the
# same encoder with all its blocks trained, and a language model that is taught to say the class's word (LoRA on gemma3-270m).
# Usage: examples/run.sh classify sentiment|intent [ROW...]   (from the repository's root)
# Rows: linear e5-lora e5-full     learn from all training texts
#       linear-some e5-lora-some e5-full-some gemma-lora     from the same sample of them, SAMPLE texts (sentiment: 2000; intent:
#                                  all, so that it has no rows -some)
#       gemma-asked                from none: the language model as it comes
# SEED (default 1) is of training alone: data, split and sample are always the same. Rows of every seed that is there are in the
# table, with their spread. What is done already is not done again; training that was broken off goes on.
# Leaves build/examples/classify/TASK/{runs,results}. ATELIER names the program.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
task=${1:?usage: examples/run.sh classify sentiment|intent [ROW...]}
shift
export ATELIER=${ATELIER:-$PWD/build/release/atelier}
seed=${SEED:-1} here=examples/classify folder=build/examples/classify/$task
runs=$folder/runs results=$folder/results
case $task in
  sentiment)
    all=(linear e5-lora e5-full linear-some e5-lora-some e5-full-some gemma-asked gemma-lora)
    data=build/examples/sentiment sample=${SAMPLE:-2000} labels=negative,positive
    words='negative=负面,positive=正面' template=$here/sentiment.jinja
    declare -A epochs=([linear]=5 [linear-some]=20 [e5-lora]=5 [e5-lora-some]=10 [e5-full]=5 [e5-full-some]=10 [gemma-lora]=1)
    ;;
  intent)
    all=(linear e5-lora e5-full gemma-asked gemma-lora)
    data=$folder/data sample=0 labels=address,cancel,complaint,delivery,invoice,praise,refund,size
    words='address= address,cancel= cancel,complaint= complaint,delivery= delivery,invoice= invoice,praise= praise,refund= refund,size= size'
    template=$here/intent.jinja
    declare -A epochs=([linear]=60 [e5-lora]=30 [e5-full]=30 [gemma-lora]=6)
    ;;
  *) echo "run.sh: there is no task $task; known: sentiment intent" >&2; exit 2 ;;
esac
rows=("${@:-${all[@]}}")
for row in "${rows[@]}"; do
  [[ " ${all[*]} " == *" $row "* ]] || { echo "run.sh: $task has no row $row; it has: ${all[*]}" >&2; exit 2; }
done
mkdir -p "$runs" "$results"

# The texts: split before anything is learned, and a sample of the training texts that holds as much of each class.
if [[ $task == sentiment ]]; then
  examples/prepare.sh sentiment "$data" >&2
else
  python3 "$here/records.py" split examples/intent/train.jsonl "$data"
  cp examples/intent/test.jsonl "$data/test.jsonl"
fi
[[ -f $folder/some.jsonl ]] || python3 "$here/records.py" sample "$data/train.jsonl" "$sample" "$folder/some.jsonl"
python3 "$here/records.py" pairs "$folder/some.jsonl" "$words" "$template" "$folder/pairs.jsonl"
python3 "$here/records.py" sample "$data/valid.jsonl" 300 "$folder/some-valid.jsonl"
python3 "$here/records.py" pairs "$folder/some-valid.jsonl" "$words" "$template" "$folder/pairs-valid.jsonl"

train() { # ROW
  local row=$1 run=$runs/$1-$seed resume=() texts=$data/train.jsonl begun
  [[ ! -f $run/done && $row != gemma-asked ]] || return 0
  [[ $row != *-some ]] || texts=$folder/some.jsonl
  [[ ! -f $run/last.safetensors ]] || resume=(--resume)
  mkdir -p "$run"
  begun=$SECONDS
  case $row in
    linear* | e5-full*)
      [[ $row != e5-* ]] || "$ATELIER" model pull e5-small >&2
      local toml=linear
      [[ $row != e5-* ]] || toml=bert
      python3 "$here/records.py" config "examples/$task/$toml.toml" "$run/run.toml" name="$task-$row-$seed" seed="$seed" train="$texts" \
        validation="$data/valid.jsonl" epochs="${epochs[$row]}"
      "$ATELIER" train "$run/run.toml" --run "$run" "${resume[@]}" >&2
      ;;
    e5-lora*)
      "$ATELIER" model pull e5-small >&2
      "$ATELIER" tune classify -m e5-small --data "$texts" --validation "$data/valid.jsonl" --labels "$labels" --rank 16 \
        --epochs "${epochs[$row]}" --patience 3 --seed "$seed" --name "$task-$row-$seed" --run "$run" "${resume[@]}" >&2
      ;;
    gemma-lora)
      "$ATELIER" model pull gemma3-270m --accept-terms >&2
      "$ATELIER" tune sft -m gemma3-270m --data "$folder/pairs.jsonl" --validation "$folder/pairs-valid.jsonl" --format plain --rank 16 \
        --epochs "${epochs[$row]}" --length 160 --seed "$seed" --name "$task-$row-$seed" --run "$run" "${resume[@]}" >&2
      ;;
  esac
  echo $((SECONDS - begun)) >>"$run/seconds"  # a line for each time that it went on
  touch "$run/done"
}

judge() { # ROW
  local row=$1 run=$runs/$1-$seed out=$results/$1-$seed asked=()
  local model=$run/model.safetensors part
  [[ $row != gemma-* ]] || asked=(--labels "$words" --template "@$template")
  [[ $row != gemma-lora ]] || model=gemma3-270m+$run/adapter.gguf
  [[ $row != gemma-asked ]] || { model=gemma3-270m; "$ATELIER" model pull gemma3-270m --accept-terms >&2; }
  for part in valid test; do
    [[ -f $out.$part.json ]] && continue
    "$ATELIER" classify -m "$model" --input "$data/$part.jsonl" --out "$out.$part.jsonl" "${asked[@]}" --json >"$out.$part.json.new"
    mv "$out.$part.json.new" "$out.$part.json"
  done
}

for row in "${rows[@]}"; do
  train "$row"
  judge "$row"
done
python3 "$here/table.py" "$ATELIER" "$folder" "${all[@]}"
