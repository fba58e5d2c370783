"""What bert-score says about random and awkward pairs, in float64: tests/golden/evaluate/bert_score.json, which
src/evaluate/bert_score_test.cc holds our arithmetic to. Calls nothing of ours. Run by `./dev golden bert-score`.

The pairs themselves are not written down: SplitMix64 draws them here and in the test, from the case's number as seed."""
import contextlib
import io
import json
import math
import os
import pathlib
import sys

sys.setdlopenflags(os.RTLD_LAZY)  # CUDA libraries may be empty stand-ins: tools/golden.sh
import bert_score  # noqa: E402
import torch  # noqa: E402
from bert_score.utils import get_idf_dict, greedy_cos_idf  # noqa: E402

PAIRS = 3000
OUT = pathlib.Path(__file__).resolve().parent.parent / "tests/golden/evaluate/bert_score.json"
MASK = (1 << 64) - 1


class Draw:
    def __init__(self, seed):
        self.state = seed

    def __call__(self, below):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
        return (z ^ (z >> 31)) % below


def side(draw, tokens, dims, kind):
    """Vectors and weights of one text; every number is exact in float32."""
    vectors = []
    for i in range(tokens):
        if kind == 2 and i > 0 and draw(2):  # repeated tokens
            vectors.append(list(vectors[draw(i)]))
        elif kind == 1:  # ties and zeros
            vectors.append([float(draw(3) - 1) for _ in range(dims)])
        else:
            vectors.append([(draw(129) - 64) / 64 for _ in range(dims)])
    if kind == 3:
        vectors[draw(tokens)] = [0.0] * dims
    if kind == 6:
        vectors = [[v * 2.0**90 for v in row] for row in vectors]
    weights = [0.0 if i in (0, tokens - 1) else draw(33) / 16 for i in range(tokens)]
    if kind == 4:
        weights = [0.0] * tokens
    if kind == 7:
        weights = [1.0] * tokens
    return vectors, weights


def match(hyp, ref):
    def tensor(x):
        return torch.tensor([x], dtype=torch.float64)

    ones = [torch.ones(1, len(x[0]), dtype=torch.int64) for x in (ref, hyp)]
    with contextlib.redirect_stderr(io.StringIO()):
        scores = greedy_cos_idf(tensor(ref[0]), ones[0], tensor(ref[1]), tensor(hyp[0]), ones[1], tensor(hyp[1]))
    return [x.item() for x in scores]


class Numbers:
    """A tokenizer of texts that are numbers: an end is 0 in front and 1 behind."""
    model_max_length = 512

    def encode(self, text, **_):
        return [0] + [int(x) for x in text.split()] + [1]

    def build_inputs_with_special_tokens(self, ids):
        return [0] + ids + [1]


def corpus():
    """Lines with two references each, by a table of vectors, with idf and without, and rescaled."""
    draw = Draw(77)
    table = [[(draw(129) - 64) / 64 for _ in range(8)] for _ in range(30)]
    table[0][0] = table[1][0] = 1.0

    def text(most):
        return " ".join(str(2 + min(draw(28), draw(28))) for _ in range(1 + draw(most)))

    hyp = [text(12) for _ in range(60)]
    refs = [[text(12) for _ in range(60)] for _ in range(2)]
    hyp[3], refs[0][4], hyp[7] = "", "", refs[1][7]
    tokenizer = Numbers()
    rescale = [0.31, 0.27, 0.29]
    out = {"table": table, "hyp": hyp, "refs": refs, "rescale": rescale}
    flat = [reference for pair in zip(*refs) for reference in pair]
    idf = get_idf_dict(flat, tokenizer, nthreads=0)
    out["idf"] = [idf[i] for i in range(32)]
    for name, weigh in (("plain", lambda i: 0.0 if i < 2 else 1.0), ("with_idf", lambda i: idf[i])):
        rows = []
        for line, text_ in enumerate(hyp):
            def prepared(x):
                ids = tokenizer.encode(x)
                return [table[i] for i in ids], [weigh(i) for i in ids]
            scores = torch.tensor([match(prepared(text_), prepared(r[line])) for r in refs], dtype=torch.float64)
            rows.append(scores.max(dim=0)[0].tolist())
        out[name] = rows
        base = torch.tensor(rescale, dtype=torch.float64)
        out[name + "_rescaled_means"] = ((torch.tensor(rows, dtype=torch.float64) - base) / (1 - base)).mean(0).tolist()
    return out


def main():
    pairs = []
    for number in range(PAIRS):
        draw = Draw(number)
        hyp_tokens, ref_tokens, dims, kind = 1 + draw(9), 1 + draw(9), 1 + draw(12), draw(8)
        hyp = side(draw, hyp_tokens, dims, kind)
        ref = side(draw, ref_tokens, dims, kind)
        pairs.append([None if math.isnan(x) or math.isinf(x) else round(x, 13) for x in match(hyp, ref)])
    golden = {"made_by": "tools/golden_bert_score.py", "peer": f"bert-score {bert_score.__version__}, torch {torch.__version__}",
              "pairs": pairs, "corpus": corpus()}
    OUT.write_text(json.dumps(golden, separators=(",", ":"), ensure_ascii=False) + "\n")
    print(f"{OUT.name}: {len(pairs)} pairs, {OUT.stat().st_size} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
