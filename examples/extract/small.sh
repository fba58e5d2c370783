#!/usr/bin/env bash
# The tuned extractor made small, step by step, and what each step costs: the tokens that its texts do not need go from the
# vocabulary, then most units of its feed-forward layers; what is left learns from the whole one, and is quantised.
# Usage: examples/run.sh extract first (gemma3-270m), then examples/extract/small.sh
# Leaves build/examples/extract/small. ATELIER names the program; UNITS (0.375), TOKENS (16000), EPOCHS (3), RANK (64), RATE (5e-4).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
atelier=$(realpath "${ATELIER:-build/release/atelier}")
here=examples/extract folder=build/examples/extract
run=$folder/runs/gemma3-270m small=$folder/small
[[ -f $run/done ]] || { echo "small.sh: there is no tuned extractor yet: examples/run.sh extract gemma3-270m" >&2; exit 2; }
mkdir -p "$small"

# What the extractor reads and writes; a piece of it to see which units count, and held-out rows to see what is lost.
python3 - "$folder" "$small" <<'PYTHON'
import json, pathlib, sys
folder, small = map(pathlib.Path, sys.argv[1:])
pairs = lambda name: [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]
whole = lambda records: "".join(r["prompt"] + r["response"] + "\n" for r in records)
train = pairs("train.jsonl")
(small / "words.txt").write_text(whole(train), encoding="utf-8")
(small / "calibration.txt").write_text(whole(train[:: max(1, len(train) // 200)]), encoding="utf-8")
(small / "held.txt").write_text(whole(pairs("validation.jsonl")[:80]), encoding="utf-8")
text = {"type": "string"}
fields = {key: {"enum": ["zh", "en"]} if key == "lang" else {"type": "array", "items": text} if key == "features" else text
          for key in ("lang", "name", "category", "features", "audience", "price", "tone")}
row = {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}
(small / "row.schema.json").write_text(json.dumps(row))
PYTHON

make() { # FILE COMMAND...: unless it is there
  [[ -f $1 ]] || "$atelier" "${@:2}" >&2
}
make "$small/teacher.gguf" model merge gemma3-270m "$run/adapter.gguf" "$small/teacher.gguf" --type q8_0
make "$small/words.gguf" model prune "$small/teacher.gguf" "$small/words.gguf" --vocabulary "$small/words.txt" --tokens "${TOKENS:-16000}"
make "$small/units.gguf" model prune "$small/words.gguf" "$small/units.gguf" --units "${UNITS:-0.375}" --calibration "$small/calibration.txt"
learn() { # NAME COMMAND...: an adapter laid into what is left
  local out=$small/$1 resume=()
  [[ ! -f $out/done ]] || return 0
  [[ ! -f $out/last.safetensors ]] || resume=(--resume)
  "$atelier" tune "${@:2}" -m "$small/units.gguf" --data "$folder/train.jsonl" --validation "$folder/validation.jsonl" --format plain \
    --rank "${RANK:-64}" --rate "${RATE:-5e-4}" --epochs "${EPOCHS:-3}" --seed "${SEED:-1}" --merge q8_0 --name "$1" --run "$out" "${resume[@]}" >&2
  touch "$out/done"
}
learn distilled distil --teacher "$small/words.gguf"
make "$small/q4_k.gguf" model quantise "$small/distilled/model.gguf" "$small/q4_k.gguf" --type q4_k --calibration "$small/calibration.txt"

measure() { # NAME FILE
  local out=$small/$1
  if [[ ! -f $out.predictions.jsonl ]]; then
    local begin end
    begin=$(date +%s.%N)
    "$atelier" generate -m "$2" --input "$here/test.jsonl" --into prediction --out "$out.predictions.jsonl" --schema "$small/row.schema.json" \
      --temperature 0 --max-tokens 400 >&2
    end=$(date +%s.%N)
    python3 -c "print($end - $begin)" >"$out.seconds"
  fi
  "$atelier" evaluate perplexity -m "$2" --text "$small/held.txt" --ctx 256 --json >"$out.perplexity.json"
  "$atelier" bench -m "$2" -p 128 -n 64 -r 5 --json >"$out.bench.json"
  "$atelier" model show "$2" --json >"$out.show.json"
  python3 "$here/score.py" "$here/test.jsonl" "$out.predictions.jsonl" | tail -n 1 >"$out.score.json"
}
steps=(teacher words units distilled q4_k)
for step in "${steps[@]}"; do
  file=$small/$step.gguf
  [[ $step != distilled ]] || file=$small/distilled/model.gguf
  measure "$step" "$file"
done
python3 - "$small" "${steps[@]}" <<'PYTHON'
import json, math, pathlib, sys
small, steps = pathlib.Path(sys.argv[1]), sys.argv[2:]
held = len((small / "held.txt").read_bytes())
tests = sum(1 for _ in open(small / "teacher.predictions.jsonl"))
print("| step | parameters | MiB | perplexity | bits a byte | rows whole | F1 of features | ms a listing | tokens/s |\n" + "|---" * 9 + "|")
for step in steps:
    read = lambda what: json.loads((small / f"{step}.{what}.json").read_text())
    score, shown, p = read("score"), read("show"), read("perplexity")
    bits = math.log2(p["perplexity"]) * p["tokens"] / held
    seconds = float((small / f"{step}.seconds").read_text())
    every = score["all"]
    print(f"| {step} | {shown['parameters'] / 1e6:.1f} M | {shown['bytes'] / 2**20:.1f} | {p['perplexity']:.3f} | {bits:.3f} | "
          f"{100 * every['exact']:.1f} % | {100 * every['fields']['features']['f1']:.1f} % | {1000 * seconds / tests:.0f} | "
          f"{read('bench')['decode_tps']:.0f} |")
PYTHON
