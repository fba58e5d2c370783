#!/usr/bin/env python3
"""table.py ATELIER FOLDER ROW...: the table of run.sh, from FOLDER/results/ROW-SEED.{valid,test}.jsonl, for people; the same as one
JSON object a row and seed in FOLDER/results/table.jsonl.

Every figure of the test texts is `atelier evaluate classification`'s. Calibration error is measured as the model stands and after
temperature scaling (Guo et al. 2017): probabilities become p^(1/T) over their sum, T the one number that makes the validation
texts' true classes likeliest; it changes no prediction. Several seeds: mean, and how far they lie apart at most.
"""
import json
import math
import pathlib
import subprocess
import sys

LEAST = 1e-12  # chances are kept off nought


def read(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines()]


def scaled(chances, temperature):
    logs = {name: math.log(max(p, LEAST)) / temperature for name, p in chances.items()}
    most = max(logs.values())
    parts = {name: math.exp(value - most) for name, value in logs.items()}
    total = sum(parts.values())
    return {name: value / total for name, value in parts.items()}


def log_loss(lines, temperature):
    return -sum(math.log(max(scaled(line["probabilities"], temperature)[line["label"]], LEAST)) for line in lines) / len(lines)


def fit(lines):
    """The temperature between 1/20 and 20 at which the log loss is least: it has one valley in log T."""
    low, high = math.log(1 / 20), math.log(20)
    part = (math.sqrt(5) - 1) / 2
    for _ in range(60):
        a, b = high - part * (high - low), low + part * (high - low)
        if log_loss(lines, math.exp(a)) < log_loss(lines, math.exp(b)):
            high = b
        else:
            low = a
    return math.exp((low + high) / 2)


def evaluate(atelier, path):
    return json.loads(subprocess.run([atelier, "evaluate", "classification", path, "--json"], capture_output=True, text=True, check=True).stdout)


def size_of(run):
    for name in ("adapter.gguf", "model.safetensors"):
        if (run / name).exists():
            return (run / name).stat().st_size
    return 0


def measure(atelier, folder, row, seed):
    out = folder / "results" / f"{row}-{seed}"
    valid, test = (read(f"{out}.{part}.jsonl") for part in ("valid", "test"))
    temperature = fit(valid)
    cooled = pathlib.Path(f"{out}.scaled.jsonl")
    cooled.write_text("".join(json.dumps(line | {"probabilities": scaled(line["probabilities"], temperature)}, ensure_ascii=False) + "\n"
                              for line in test), encoding="utf-8")
    plain, after = evaluate(atelier, f"{out}.test.jsonl"), evaluate(atelier, str(cooled))
    run = folder / "runs" / f"{row}-{seed}"
    seconds = run / "seconds"
    return {"row": row, "seed": seed, "texts": plain["cases"], "macro_f1": plain["macro"]["f1"], "accuracy": plain["accuracy"],
            "calibration_error": plain["scores"]["expected_calibration_error"],
            "calibration_error_scaled": after["scores"]["expected_calibration_error"], "temperature": temperature,
            "milliseconds_per_text": json.loads(pathlib.Path(f"{out}.test.json").read_text())["milliseconds_per_text"],
            "learned_bytes": size_of(run), "minutes": sum(map(int, seconds.read_text().split())) / 60 if seconds.exists() else 0}


def learned_from(folder, row):
    if row == "gemma-asked":
        return 0
    if row == "gemma-lora" or row.endswith("-some"):
        return len(read(folder / "some.jsonl"))
    data = folder / "data" if (folder / "data").exists() else folder.parent.parent / folder.name
    return len(read(data / "train.jsonl"))


def main(atelier, folder, *rows):
    folder = pathlib.Path(folder)
    measured = []
    lines = [("model", "learned from", "macro F1", "accuracy", "calibration error", "after scaling", "ms a text", "learned, MB", "training, min", "seeds")]
    for row in rows:
        seeds = sorted(int(path.name.removesuffix(".test.json").rsplit("-", 1)[1]) for path in (folder / "results").glob(f"{row}-*.test.json")
                       if path.name.removesuffix(".test.json").rsplit("-", 1)[0] == row)
        found = [measure(atelier, folder, row, seed) for seed in seeds]
        measured += found
        if not found:
            continue

        def mean(key, digits, factor=1.0):
            values = [factor * one[key] for one in found]
            spread = f" ±{(max(values) - min(values)) / 2:.{digits}f}" if len(values) > 1 else ""
            return f"{sum(values) / len(values):.{digits}f}{spread}"

        lines.append((row, str(learned_from(folder, row)), mean("macro_f1", 3), mean("accuracy", 3), mean("calibration_error", 3),
                      mean("calibration_error_scaled", 3), mean("milliseconds_per_text", 1), mean("learned_bytes", 1, 1e-6), mean("minutes", 1), str(len(found))))
    (folder / "results/table.jsonl").write_text("".join(json.dumps(one) + "\n" for one in measured))
    for i, line in enumerate(lines):
        print("| " + " | ".join(line) + " |")
        if i == 0:
            print("|" + "---|" * len(line))


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
