"""Fits the confidence of recipes/ask_docs on the tuning half of its questions, and says what it does on a half.

Usage: calibrate_answers.py ATELIER STUDIO [--half tuning|held-out] [--fit]

The recipe runs over the half's questions, answerable and not; every candidate carries its measures (src/operators/answer.h).
--fit prints the logistic regression (Newton's method, ridge 0.05 on the standardised features) per language of the
question as the recipe has it, with the threshold that gives the best balanced accuracy on the half, and how many would be
wrong if each were judged by a fit to the others. Without it the
recipe's own numbers are judged: how many answerable questions were answered, how many of these from the right section,
and how many unanswerable ones were refused.
"""
import argparse
import json
import math
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FEATURES = ["cosine", "coverage", "bm25", "sentence", "agreement"]


def run(atelier, studio, questions):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "questions.jsonl"
        path.write_text("".join(json.dumps({"question": q["question"]}, ensure_ascii=False) + "\n" for q in questions))
        subprocess.run([atelier, "make", str(ROOT / "recipes/ask_docs"), "--studio", studio, "--input", str(path),
                        "--out", folder, "--quiet", "--json"], check=True, stdout=subprocess.DEVNULL)
        lines = [json.loads(line) for line in (pathlib.Path(folder) / "answers.jsonl").read_text().splitlines()]
    assert len(lines) == len(questions)
    return lines


def solve(matrix, vector):
    n = len(vector)
    rows = [row[:] + [vector[i]] for i, row in enumerate(matrix)]
    for i in range(n):
        pivot = max(range(i, n), key=lambda r: abs(rows[r][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for r in range(n):
            if r != i:
                factor = rows[r][i] / rows[i][i]
                rows[r] = [a - factor * b for a, b in zip(rows[r], rows[i])]
    return [rows[i][n] / rows[i][i] for i in range(n)]


def fit(xs, ys, ridge=0.05):
    n = len(xs[0])
    means = [sum(x[i] for x in xs) / len(xs) for i in range(n)]
    scales = [max(1e-9, math.sqrt(sum((x[i] - means[i]) ** 2 for x in xs) / len(xs))) for i in range(n)]
    zs = [[1.0] + [(x[i] - means[i]) / scales[i] for i in range(n)] for x in xs]
    # Both kinds of question weigh the same, however many there are.
    positive = sum(ys) / len(ys)
    weights = [0.5 / positive if y else 0.5 / (1 - positive) for y in ys]
    w = [0.0] * (n + 1)
    for _ in range(50):
        ps = [1 / (1 + math.exp(-sum(a * b for a, b in zip(w, z)))) for z in zs]
        gradient = [sum(v * (y - p) * z[i] for v, y, p, z in zip(weights, ys, ps, zs)) / len(ys) - (ridge * w[i] if i else 0)
                    for i in range(n + 1)]
        hessian = [[sum(v * p * (1 - p) * z[i] * z[j] for v, p, z in zip(weights, ps, zs)) / len(ys)
                    + (ridge if i == j and i else 1e-9 if i == j else 0) for j in range(n + 1)] for i in range(n + 1)]
        step = solve(hessian, gradient)
        w = [a + b for a, b in zip(w, step)]
    slopes = [w[i + 1] / scales[i] for i in range(n)]
    return w[0] - sum(s * m for s, m in zip(slopes, means)), slopes


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("atelier")
    parser.add_argument("studio")
    parser.add_argument("--half", default="tuning")
    parser.add_argument("--fit", action="store_true")
    args = parser.parse_args()
    questions = [json.loads(line) for line in (ROOT / "recipes/ask_docs/tests/questions.jsonl").read_text().splitlines()]
    questions = [q for q in questions if q["half"] == args.half]
    lines = run(args.atelier, args.studio, questions)
    chosen = [line.get("chosen") or line["candidates"][0] for line in lines]
    if args.fit:
        for lang in ("zh", "en"):
            rows = [(q, c) for q, c in zip(questions, chosen) if q["lang"] == lang]
            xs = [[c["scores"][f] for f in FEATURES] for _, c in rows]
            ys = [1.0 if "section" in q else 0.0 for q, _ in rows]
            bias, slopes = fit(xs, ys)
            ps = [1 / (1 + math.exp(-(bias + sum(s * v for s, v in zip(slopes, x))))) for x in xs]
            best = max(sorted(set(ps)), key=lambda t: sum((p >= t) == (y > 0) for p, y in zip(ps, ys) if y) / sum(ys)
                       + sum(p < t for p, y in zip(ps, ys) if not y) / (len(ys) - sum(ys)))
            out = 0
            for k in range(len(xs)):
                b, w = fit(xs[:k] + xs[k + 1:], ys[:k] + ys[k + 1:])
                out += (b + sum(s * v for s, v in zip(w, xs[k])) >= 0) != (ys[k] > 0)
            print(f"{lang} = {{ bias = {bias:.3f}, " + ", ".join(f"{f} = {s:.3f}" for f, s in zip(FEATURES, slopes)) + " }",
                  f"  # {len(ys)} questions; best threshold {best:.3f}; wrong at 0.5: "
                  f"{sum((p >= 0.5) != (y > 0) for p, y in zip(ps, ys))}; left out: {out}")
        return
    result = {}
    for kind in ("zh", "en", "across", "all"):
        answerable = answered = right = absent = refused = 0
        for question, candidate in zip(questions, chosen):
            of = "across" if question.get("passage_lang", question["lang"]) != question["lang"] else question["lang"]
            if kind not in ("all", of):
                continue
            said = candidate["output"]["found"] == "yes"
            if "section" in question:
                answerable += 1
                answered += said
                right += said and any(place.endswith("#" + question["section"]) for place in candidate["output"]["citations"])
            else:
                absent += 1
                refused += not said
        result[kind] = {"answerable": answerable, "answered": answered, "from_the_right_section": right,
                        "unanswerable": absent, "refused": refused}
    print(json.dumps({"half": args.half, "results": result}, indent=1))


if __name__ == "__main__":
    main()
