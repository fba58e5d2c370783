"""Makes tests/golden/evaluate/labels.json and porter.txt from the field's references: what they say about random and
awkward labels, scores, numbers, ratings and texts. With --check ATELIER it draws many more such cases, runs the program
on each and compares. ./dev golden labels runs it in an environment that holds the peers (tools/golden.sh)."""
import argparse
import csv
import importlib.metadata
import json
import math
import os
import random
import re
import subprocess
import string
import sys
import tempfile
import types
import warnings
from collections import Counter

import krippendorff
import numpy as np
import regex
import scipy.stats
import sklearn.calibration
import sklearn.metrics as sk
from nltk.stem.porter import PorterStemmer
from nltk.translate import bleu_score, meteor_score
from rouge_score import rouge_scorer, tokenizers
from statsmodels.stats.inter_rater import fleiss_kappa

warnings.filterwarnings("ignore")
np.seterr(all="ignore")
PEERS = ("scikit-learn", "scipy", "statsmodels", "krippendorff", "rouge-score", "nltk", "numpy")
GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "golden", "evaluate")
MEASURES = ("rouge1", "rouge2", "rougeL", "rougeLsum")
BREAK = "<n>"


def plain(value):
    """numpy's numbers and arrays as JSON's; what is not finite as null."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(v) for v in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value


# --- labels ---------------------------------------------------------------------------------------------------------

LABELS = (["spam", "ham"], ["0", "1"], [str(i) for i in range(12)], ["好评", "中评", "差评"], ["a", "B", "á", "é", "z"],
          ["-3", "-1", "0", "7"], ["weighted avg and more than that", "x"], ["𠀀", "e\u0301", "🙂", "中 文", "a b"],
          [f"class {i}" for i in range(40)], ["only"], ["01", "1", "2"])


def classification_case(r):
    pool = r.choice(LABELS)
    used = r.sample(pool, r.randint(1, len(pool)))
    n = r.choice((1, 2, 3, 5, 10, 50, 200))
    skew = [r.random() ** 3 + 1e-3 for _ in used]
    truth = r.choices(used, skew, k=n)
    accuracy = r.choice((0, 0.3, 0.7, 0.95, 1))
    pred = [t if r.random() < accuracy else r.choice(used) for t in truth]
    case = {"true": truth, "pred": pred, "digits": r.choice((2, 2, 2, 0, 1, 3, 4, 8))}
    if r.random() < 0.4:
        case["classes"] = r.sample(pool, len(pool))
    return case


def whole(label):
    return re.fullmatch(r"0|-?[1-9][0-9]*", label) is not None


def classification_answer(case):
    seen = case["true"] + case["pred"]
    kind = int if all(whole(x) for x in seen + case.get("classes", [])) else str
    truth, pred = np.array([kind(x) for x in case["true"]]), np.array([kind(x) for x in case["pred"]])
    labels = [kind(x) for x in case["classes"]] if "classes" in case else None
    kwargs = dict(labels=labels, zero_division=0)
    report = sk.classification_report(truth, pred, digits=case["digits"], **kwargs)
    p, rec, f, s = sk.precision_recall_fscore_support(truth, pred, **kwargs)
    answer = {"report": report, "precision": p, "recall": rec, "f1": f, "support": s,
              "confusion": sk.confusion_matrix(truth, pred, labels=labels), "accuracy": sk.accuracy_score(truth, pred)}
    for average in ("macro", "weighted"):
        answer[average] = sk.precision_recall_fscore_support(truth, pred, average=average, **kwargs)[:3]
    return plain(answer)


def scores_case(r):
    """Two classes: truth 0 or 1 and the probability of 1."""
    n = r.choice((2, 3, 5, 20, 100, 400))
    truth = [0, 1] + [int(r.random() < r.choice((0.1, 0.5, 0.9))) for _ in range(n - 2)]
    r.shuffle(truth)
    step = r.choice((0, 2, 10, 20))  # ties, and values on the edges of bins
    scores = []
    for t in truth:
        p = min(1, max(0, r.gauss(0.35 + 0.3 * t, 0.25)))
        scores.append(round(p * step) / step if step else p)
    if r.random() < 0.1:
        scores = [0.5] * n
    return {"truth": truth, "scores": scores, "bins": r.choice((1, 5, 10, 10, 15))}


def scores_answer(case):
    truth, scores, bins = np.array(case["truth"]), np.array(case["scores"]), case["bins"]
    fpr, tpr, roc_at = sk.roc_curve(truth, scores)
    precision, recall, pr_at = sk.precision_recall_curve(truth, scores)
    observed, predicted = sklearn.calibration.calibration_curve(truth, scores, n_bins=bins)
    ids = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], scores)
    counts = np.bincount(ids, minlength=bins)
    ece = float(np.sum(counts[counts > 0] / len(truth) * np.abs(observed - predicted)))
    return plain({"fpr": fpr, "tpr": tpr, "roc_thresholds": roc_at, "precision": precision, "recall": recall,
                  "pr_thresholds": pr_at, "roc_auc": sk.roc_auc_score(truth, scores),
                  "average_precision": sk.average_precision_score(truth, scores), "brier": sk.brier_score_loss(truth, scores),
                  "log_loss": sk.log_loss(truth, scores), "ece": ece, "counts": counts, "observed": observed,
                  "predicted": predicted})


def many_case(r):
    """Three or more classes with a probability each."""
    k = r.randint(3, 6)
    n = r.randint(k, 60)
    truth = list(range(k)) + [r.randrange(k) for _ in range(n - k)]
    rows = []
    for t in truth:
        raw = np.array([r.random() + (0.7 if c == t else 0) for c in range(k)])
        rows.append((raw / raw.sum()).tolist())
    return {"truth": truth, "rows": rows}


def many_answer(case):
    truth, rows = np.array(case["truth"]), np.array(case["rows"])
    answer = {"brier": sk.brier_score_loss(truth, rows), "log_loss": sk.log_loss(truth, rows)}
    for average in ("macro", "weighted"):
        answer["roc_auc_" + average] = sk.roc_auc_score(truth, rows, multi_class="ovr", average=average)
        answer["average_precision_" + average] = sk.average_precision_score(truth, rows, average=average)
    best, right = rows.max(axis=1), rows.argmax(axis=1) == truth
    ids = np.searchsorted(np.linspace(0, 1, 11)[1:-1], best)
    answer["ece"] = sum((ids == b).mean() * abs(best[ids == b].mean() - right[ids == b].mean()) for b in set(ids))
    return plain(answer)


# --- numbers --------------------------------------------------------------------------------------------------------


def regression_case(r):
    n = r.choice((1, 2, 3, 4, 9, 50, 300))
    kind = r.choice(("near", "ties", "wide", "constant", "exact"))
    truth = [{"near": r.gauss(5, 2), "ties": float(r.randint(0, 4)), "wide": r.gauss(0, 1) * 10 ** r.randint(-8, 8),
              "constant": 0.1, "exact": r.gauss(0, 1)}[kind] for _ in range(n)]
    pred = truth[:] if kind == "exact" else [t + (r.choice((-1, 0, 1)) if kind == "ties" else r.gauss(0, 1)) for t in truth]
    return {"true": truth, "pred": pred}


def regression_answer(case):
    t, p = np.array(case["true"]), np.array(case["pred"])
    answer = {"mean_absolute_error": sk.mean_absolute_error(t, p), "mean_squared_error": sk.mean_squared_error(t, p),
              "root_mean_squared_error": sk.root_mean_squared_error(t, p),
              "median_absolute_error": sk.median_absolute_error(t, p), "max_error": sk.max_error(t, p),
              "mean_absolute_percentage_error": sk.mean_absolute_percentage_error(t, p), "r2": sk.r2_score(t, p),
              "explained_variance": sk.explained_variance_score(t, p)}
    varied = len(t) > 1 and len(set(t)) > 1 and len(set(p)) > 1
    answer["pearson"] = scipy.stats.pearsonr(t, p).statistic if varied else None
    answer["spearman"] = scipy.stats.spearmanr(t, p).statistic if varied else None
    answer["kendall_tau_b"] = scipy.stats.kendalltau(t, p).statistic if varied else None
    return plain(answer)


def ranking_case(r):
    n = r.choice((2, 3, 5, 10, 40))
    gains = [float(r.choice((0, 0, 0, 1, 1, 2, 3))) for _ in range(n)]
    gains[r.randrange(n)] = float(r.randint(1, 3))
    step = r.choice((0, 3, 10))
    scores = [r.random() for _ in range(n)]
    return {"gains": gains, "scores": [round(s * step) / step if step else s for s in scores], "k": r.choice((1, 3, 5, 10))}


def ranking_answer(case):
    g, s, k = np.array([case["gains"]]), np.array([case["scores"]]), case["k"]
    relevant = g[0] > 0
    order = sorted(range(len(s[0])), key=lambda i: (-s[0][i], g[0][i]))  # relevant last among equals
    hits = [bool(relevant[i]) for i in order]
    varied = len(set(g[0])) > 1 and len(set(s[0])) > 1
    return plain({"ndcg_at_k": sk.ndcg_score(g, s, k=k), "ndcg": sk.ndcg_score(g, s),
                  "map": sk.average_precision_score(relevant, s[0]), "mrr": 1 / (hits.index(True) + 1),
                  "recall_at_k": sum(hits[:k]) / sum(hits), "precision_at_k": sum(hits[:k]) / k,
                  "kendall_tau_b": scipy.stats.kendalltau(g[0], s[0]).statistic if varied else None,
                  "spearman": scipy.stats.spearmanr(g[0], s[0]).statistic if varied else None})


# --- ratings --------------------------------------------------------------------------------------------------------


def ratings_case(r):
    """[item][rater], "" where there is none; at least two different ratings in items that two rated."""
    kind = r.choice(("numbers", "fractions", "words", "ordered"))
    pool = {"numbers": ["1", "2", "3", "4", "5"], "fractions": ["0", "0.5", "-2", "3.25", "10"],
            "words": ["yes", "no", "也许"], "ordered": ["low", "mid", "high", "极高"]}[kind]
    raters, items = r.choice((2, 2, 3, 5)), r.choice((2, 5, 12, 60))
    missing = r.choice((0, 0, 0.1, 0.4))
    while True:
        table = []
        for _ in range(items):
            mind = r.choice(pool)
            table.append(["" if r.random() < missing else mind if r.random() < 0.6 else r.choice(pool) for _ in range(raters)])
        paired = {x for row in table if sum(v != "" for v in row) > 1 for x in row if x}
        if len(paired) > 1 and (kind != "ordered" or len({x for row in table for x in row if x}) > 1):
            break
    case = {"table": table}
    if kind == "ordered":
        case["order"] = pool
    return case


def ratings_answer(case):
    table = case["table"]
    seen = {x for row in table for x in row if x}
    numeric = all(re.fullmatch(r"-?[0-9.]+", x) for x in seen)
    categories = case.get("order") or (sorted(seen, key=float) if numeric else sorted(seen))
    ordered = "order" in case or numeric
    index = {c: i for i, c in enumerate(categories)}
    answer = {}
    columns = list(zip(*table))
    for name, weights in (("unweighted", None), ("linear", "linear"), ("quadratic", "quadratic")):
        kappas = []
        for a in range(len(columns)):
            for b in range(a + 1, len(columns)):
                both = [(index[x], index[y]) for x, y in zip(columns[a], columns[b]) if x and y]
                kappa = math.nan
                if both:
                    kappa = sk.cohen_kappa_score(*zip(*both), labels=list(range(len(categories))), weights=weights)
                if not math.isnan(kappa):
                    kappas.append(kappa)
        answer[name] = sum(kappas) / len(kappas) if kappas and (ordered or not weights) else None
    counts = np.array([[row.count(c) for c in categories] for row in table])
    full = len(set(counts.sum(axis=1))) == 1 and counts[0].sum() > 1
    answer["fleiss"] = fleiss_kappa(counts) if full else None
    for level in ("nominal", "ordinal", "interval", "ratio"):
        if level == "nominal" or (level == "ordinal" and ordered) or numeric:
            domain = [float(c) for c in categories] if numeric else list(range(len(categories)))
            answer[level] = krippendorff.alpha(value_counts=counts, value_domain=domain, level_of_measurement=level)
        else:
            answer[level] = None
    return plain(answer)


# --- texts ----------------------------------------------------------------------------------------------------------

WORDS = """the a an of and in to is was it for running runner runs ran flies flying died dies skies sky relational
conditional rational digitizer conformably radically differently vilely analogously happily news proceed exceeding
agreed plastered motoring sized hopping tanned falling hissing fizzed failing filing generalizations oscillators
geology archaeology beautifully hopefulness don't it's U.S. 3.14 2,000 covid-19 x86 état naïve Straße İstanbul Kelvin
ÅNGSTRÖM ﬁne １２３ ＡＢＣ _ -- ... 手冲咖啡壶 不锈钢 好 你好 世界 北京大学 𠀀𠀁 𪚥 か カタカナ 한국어 👍🏽 e\u0301 a\u0308 \u200b \u3000 ſ""".split(" ")
WORDS = [w for word in WORDS for w in word.split("\n") if w] + ["\u212aelvin", "kelvin", "wa", "\u3000", "\u00a0", "\x1c", "\t", "\x85"]


def words_of(r, n):
    pool = r.sample(WORDS, r.randint(3, len(WORDS)))
    return [r.choice(pool) for _ in range(n)]


def text_pair(r):
    reference = words_of(r, r.choice((0, 0, 1, 2, 3, 8, 20, 80, 150)))
    hypothesis = [w for w in reference if r.random() < 0.7] if r.random() < 0.8 else words_of(r, 20)
    if r.random() < 0.5:
        hypothesis += words_of(r, r.randint(0, 10))
    if r.random() < 0.3:
        r.shuffle(hypothesis)
    texts = []
    for text in (reference, hypothesis):
        out = []
        for word in text:
            out += [word.upper() if r.random() < 0.1 else word, r.choice((" ", " ", " ", "", ", ", BREAK))]
        texts.append("".join(out))
    return {"reference": texts[0], "hypothesis": texts[1]}


class ChineseTokenizer(tokenizers.Tokenizer):
    """rouge-score's own, and every Han, kana or Hangul character by itself."""

    def __init__(self, stem):
        self.stemmer = PorterStemmer() if stem else None

    def tokenize(self, text):
        text = "".join(chr(ord(c) - 0xFEE0) if 0xFF01 <= ord(c) <= 0xFF5E else c for c in text).lower()
        alone = r"\p{Han}|(?=\p{L})[\u3041-\u30ff]|[\u31f0-\u31ff]|[\uac00-\ud7a3]"
        tokens = regex.findall(r"[a-z0-9]+|" + alone, text)
        return [self.stemmer.stem(t) if self.stemmer and len(t) > 3 and t.isascii() else t for t in tokens]


def rouge_answers(pairs, stem, chinese):
    scorer = rouge_scorer.RougeScorer(list(MEASURES), use_stemmer=stem, tokenizer=ChineseTokenizer(stem) if chinese else None)
    out = []
    for pair in pairs:
        score = scorer.score(pair["reference"].replace(BREAK, "\n"), pair["hypothesis"].replace(BREAK, "\n"))
        out.append({m: list(score[m]) for m in MEASURES})
    return out


NO_WORDNET = types.SimpleNamespace(synsets=lambda word: [])


def meteor_case(r):
    pool = r.sample([w.lower() for w in WORDS if w.isalnum() and w.isascii()] + ["好", "茶"], 12)
    reference = [r.choice(pool) for _ in range(r.randint(0, 15))]
    hypothesis = [w + "s" * (w.isascii() and r.random() < 0.3) for w in reference if r.random() < 0.8] + [r.choice(pool) for _ in range(r.randint(0, 4))]
    return {"reference": reference, "hypothesis": hypothesis}


def meteor_answer(case):
    return meteor_score.single_meteor_score(case["reference"], case["hypothesis"], wordnet=NO_WORDNET)


def squad_tokens(text):
    """normalize_answer of SQuAD's evaluation script, cut into words."""
    text = "".join(c for c in text.lower() if c not in set(string.punctuation))
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def chinese_tokens(text):
    text = regex.sub(r"[\p{P}\p{S}]", "", text.lower())
    alone = r"\p{Han}|(?=\p{L})[\u3041-\u30ff]|[\uac00-\ud7a3]"
    return [t for word in text.split() for t in regex.findall(f"{alone}|(?:(?!{alone}).)+", word, flags=regex.DOTALL)]


def answer_score(answer, right, tokens):
    a, b = tokens(answer), tokens(right)
    same = sum((Counter(a) & Counter(b)).values())
    if not a or not b:
        return [float(a == b), float(a == b)]
    return [float(a == b), 2 * same / (len(a) + len(b)) if same else 0.0]


def diversity_case(r):
    """Texts with repeats; tokens are what white space parts, and every text has one."""
    pool = words_of(r, r.choice((2, 5, 20, 60)))
    texts = []
    for _ in range(r.randint(2, 14)):
        text = " ".join(r.choice(pool) for _ in range(r.choice((1, 2, 3, 6, 12, 30))))
        texts.append(r.choice(texts) if texts and r.random() < 0.2 else text)
    return {"n": r.randint(1, 5), "texts": [t if t.split() else t + "x" for t in texts]}


def diversity_answer(case):
    """self-BLEU by NLTK's sentence_bleu, its method1 for floor and method3 for exp, weights over the orders that a text is
    long enough for; entropy by scipy."""
    n, texts = case["n"], [t.split() for t in case["texts"]]
    answer = {"distinct": [], "entropy": [], "repetition": [], "self_bleu": {}}
    for k in range(1, n + 1):
        grams = [[tuple(t[i:i + k]) for i in range(len(t) - k + 1)] for t in texts]
        counts = Counter(g for text in grams for g in text)
        total = sum(counts.values())
        answer["distinct"].append(len(counts) / total if total else None)
        answer["entropy"].append(scipy.stats.entropy(list(counts.values())) if total else None)
        answer["repetition"].append(float(np.mean([1 - len(set(g)) / len(g) if g else 0 for g in grams])) if total else None)
    smoothing = bleu_score.SmoothingFunction()
    for name, method in (("floor", smoothing.method1), ("exp", smoothing.method3)):
        scores = []
        for i, text in enumerate(texts):
            orders = min(n, len(text))
            scores.append(bleu_score.sentence_bleu(texts[:i] + texts[i + 1:], text, [1 / orders] * orders, method))
        answer["self_bleu"][name] = 100 * float(np.mean(scores))
    return plain(answer)


def porter_words(r, count):
    """Words with the ends that rules are about, and random ones."""
    ends = """s sses ies ss ied eed ed ing at bl iz y ational tional enci anci izer bli abli alli entli eli ousli ization
    ation ator alism iveness fulness ousness aliti iviti biliti fulli logi icate ative alize iciti ical ful ness al ance
    ence er ic able ible ant ement ment ent ion sion tion ou ism ate iti ous ive ize e ll""".split()
    words = set("""sky skies dying lying tying news innings inning outings outing cannings canning howe proceed exceed
    succeed ied ies sses ing eed ss logi ness alli fulli yyyy yyying 1990s 3rd x86s""".split())
    while len(words) < count:
        stem = "".join(r.choice("aeiouybcdfglmnrstvwxz0") for _ in range(r.randint(0, 7)))
        word = stem + "".join(r.choice(ends) for _ in range(r.randint(0, 2)))
        if len(word) > 3:
            words.add(word)
    return sorted(words)


# --- goldens and checks ---------------------------------------------------------------------------------------------


def make_golden(seed):
    r = random.Random(seed)
    cases = {"peers": {p: importlib.metadata.version(p) for p in PEERS}, "seed": seed}

    def add(name, make, answer, count):
        drawn = [make(r) for _ in range(count)]
        cases[name] = [dict(case, expected=answer(case)) for case in drawn if len(json.dumps(case)) < 2500]

    add("classification", classification_case, classification_answer, 24)
    add("scores", scores_case, scores_answer, 14)
    add("many", many_case, many_answer, 3)
    add("regression", regression_case, regression_answer, 14)
    add("ranking", ranking_case, ranking_answer, 24)
    add("ratings", ratings_case, ratings_answer, 24)
    add("meteor", meteor_case, meteor_answer, 30)
    pairs = [p for p in (text_pair(r) for _ in range(60)) if len(p["reference"]) < 500]
    for stem in (False, True):
        for chinese in (False, True):
            name = "rouge" + ("_zh" if chinese else "") + ("_stem" if stem else "")
            cases[name] = rouge_answers(pairs, stem, chinese)
    cases["texts"] = pairs
    for name, tokens in (("squad", squad_tokens), ("squad_zh", chinese_tokens)):
        cases[name] = [answer_score(p["hypothesis"], p["reference"], tokens) for p in pairs]
    drawn = random.Random(f"{seed} diversity")  # its own, so that the cases above stay as they are
    cases["diversity"] = [dict(case, expected=diversity_answer(case)) for case in (diversity_case(drawn) for _ in range(40))
                          if len(json.dumps(case)) < 2500]
    with open(os.path.join(GOLDEN, "labels.json"), "w", encoding="utf-8") as file:
        json.dump(cases, file, ensure_ascii=False, separators=(",", ":"))
        file.write("\n")
    stemmer = PorterStemmer()
    with open(os.path.join(GOLDEN, "porter.txt"), "w", encoding="ascii") as file:
        file.writelines(f"{word} {stemmer.stem(word)}\n" for word in porter_words(r, 2500))


def repeated(option, values):
    return [word for value in values or [] for word in (option, value)]


class Checker:
    def __init__(self, atelier, folder):
        self.atelier, self.folder, self.compared, self.failed = atelier, folder, Counter(), []

    def write(self, name, lines):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.writelines(line + "\n" for line in lines)
        return path

    def run(self, *args):
        done = subprocess.run([self.atelier, "evaluate", *args, "--json", "--quiet"], capture_output=True, text=True)
        return json.loads(done.stdout) if done.returncode == 0 else {"error": done.stderr}

    def same(self, kind, case, name, got, expected, tolerance=1e-10):
        self.compared[kind] += 1
        if isinstance(expected, list):
            if isinstance(got, list) and len(got) == len(expected):
                for g, e in zip(got, expected):
                    self.same(kind, case, name, g, e, tolerance)
                return
            ok = False
        elif isinstance(expected, float) and isinstance(got, (int, float)):
            ok = abs(got - expected) <= tolerance * max(1, abs(expected))
        else:
            ok = got == expected
        if not ok:
            self.failed.append(f"{kind} {name}: {got!r} instead of {expected!r} for {json.dumps(case, ensure_ascii=False)[:600]}")


def check_classification(c, r):
    case = classification_case(r)
    want = classification_answer(case)
    args = ["classification", "--true", c.write("t", case["true"]), "--pred", c.write("p", case["pred"]), "--digits",
            str(case["digits"])]
    got = c.run(*args, *repeated("--classes", case.get("classes")))
    c.same("classification", case, "report", got.get("report"), want["report"])
    c.same("classification", case, "confusion", got.get("confusion"), want["confusion"])
    c.same("classification", case, "accuracy", got.get("accuracy"), want["accuracy"])
    for key in ("precision", "recall", "f1", "support"):
        c.same("classification", case, key, [x[key] for x in got.get("classes", [])], want[key])


def check_scores(c, r):
    case = scores_case(r)
    want = scores_answer(case)
    truth = c.write("t", [str(t) for t in case["truth"]])
    got = c.run("classification", "--true", truth, "--pred", truth, "--bins", str(case["bins"]), "--scores",
                c.write("s", [repr(s) for s in case["scores"]])).get("scores", {})
    for key in ("roc_auc", "average_precision", "brier", "log_loss"):
        c.same("scores", case, key, got.get(key), want[key])
    c.same("scores", case, "ece", got.get("expected_calibration_error"), want["ece"])
    for curve, names in (("roc", (("false_positive_rate", "fpr"), ("true_positive_rate", "tpr"), ("thresholds", "roc_thresholds"))),
                         ("precision_recall", (("recall", "recall"), ("precision", "precision"), ("thresholds", "pr_thresholds")))):
        for ours, theirs in names:
            c.same("scores", case, theirs, got.get(curve, {}).get(ours), want[theirs])
    bins = got.get("reliability", [])
    c.same("scores", case, "counts", [b["count"] for b in bins], want["counts"])
    c.same("scores", case, "observed", [b["observed"] for b in bins if b["count"]], want["observed"])
    c.same("scores", case, "predicted", [b["predicted"] for b in bins if b["count"]], want["predicted"])


def check_many(c, r):
    case = many_case(r)
    want = many_answer(case)
    truth = c.write("t", [str(t) for t in case["truth"]])
    got = c.run("classification", "--true", truth, "--pred", truth, "--scores",
                c.write("s", [" ".join(map(repr, row)) for row in case["rows"]])).get("scores", {})
    for key, value in want.items():
        c.same("many", case, key, got.get("expected_calibration_error" if key == "ece" else key), value)


def check_regression(c, r):
    case = regression_case(r)
    got = c.run("regression", "--true", c.write("t", map(repr, case["true"])), "--pred", c.write("p", map(repr, case["pred"])))
    for key, value in regression_answer(case).items():
        c.same("regression", case, key, got.get(key), value)


def check_ranking(c, r):
    case = ranking_case(r)
    got = c.run("ranking", "--true", c.write("t", [" ".join(map(repr, case["gains"]))]), "--scores",
                c.write("s", [" ".join(map(repr, case["scores"]))]), "-k", str(case["k"]))
    for key, value in ranking_answer(case).items():
        c.same("ranking", case, key, got.get(key), value)


def check_ratings(c, r):
    case = ratings_case(r)
    path = os.path.join(c.folder, "r.csv")
    with open(path, "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["item"] + [f"rater {i}" for i in range(len(case["table"][0]))])
        out.writerows([str(i)] + row for i, row in enumerate(case["table"]))
    got = c.run("agreement", "--ratings", path, "--items", "item", *repeated("--order", case.get("order")))
    want = ratings_answer(case)
    for key in ("unweighted", "linear", "quadratic"):
        c.same("ratings", case, key, got.get("cohen_kappa", {}).get(key), want[key])
    c.same("ratings", case, "fleiss", got.get("fleiss_kappa"), want["fleiss"])
    for key in ("nominal", "ordinal", "interval", "ratio"):
        c.same("ratings", case, key, got.get("krippendorff_alpha", {}).get(key), want[key])


def check_texts(c, r, count):
    pairs = [text_pair(r) for _ in range(count)]
    files = ["--hyp", c.write("h", [p["hypothesis"] for p in pairs]), "--ref", c.write("r", [p["reference"] for p in pairs])]
    for stem in (False, True):
        for chinese in (False, True):
            got = c.run("rouge", *files, "--sentence-break", BREAK, "--sentence", *(["--stem"] if stem else []),
                        *(["--tokenize", "zh"] if chinese else []))
            want = rouge_answers(pairs, stem, chinese)
            lines = got.get("sentences", [None] * count)
            for m in MEASURES:
                for i, pair in enumerate(pairs):
                    values = lines[i] and [lines[i]["precision"][m], lines[i]["recall"][m], lines[i][m]]
                    c.same("rouge", pair, f"{m} stem={stem} zh={chinese}", values, [float(v) for v in want[i][m]], 1e-12)
                c.same("rouge", None, "mean", got.get(m), float(np.mean([w[m][2] for w in want])), 1e-12)
    for name, tokens in (("squad", squad_tokens), ("zh", chinese_tokens)):
        lines = c.run("exact-match", *files, "--tokenize", name, "--sentence").get("sentences", [None] * count)
        want = [answer_score(p["hypothesis"], p["reference"], tokens) for p in pairs]
        for i, pair in enumerate(pairs):
            c.same("exact-match", pair, name, lines[i] and [lines[i]["exact_match"], lines[i]["f1"]], want[i], 1e-12)


def check_meteor(c, r, count):
    cases = [meteor_case(r) for _ in range(count)]
    got = c.run("meteor", "--sentence", "--hyp", c.write("h", [" ".join(x["hypothesis"]) for x in cases]), "--ref",
                c.write("r", [" ".join(x["reference"]) for x in cases])).get("sentences", [None] * count)
    for case, value in zip(cases, got):
        c.same("meteor", case, "meteor", value, meteor_answer(case), 1e-12)


def check_diversity(c, r):
    case = diversity_case(r)
    want = diversity_answer(case)
    path = c.write("d", case["texts"])
    for smooth, value in want["self_bleu"].items():
        got = c.run("diversity", "--hyp", path, "--n", str(case["n"]), "--tokenize", "none", "--smooth", smooth)
        c.same("diversity", case, "self_bleu " + smooth, got.get("self_bleu", [None])[-1], value)
        for key in ("distinct", "entropy", "repetition"):
            c.same("diversity", case, key, got.get(key), want[key])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--check", metavar="ATELIER", help="compare this program with the peers instead of writing goldens")
    parser.add_argument("--cases", type=int, default=500, help="with --check: cases per measure; texts ten times as many")
    args = parser.parse_args()
    if not args.check:
        make_golden(args.seed)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        c, r = Checker(os.path.abspath(args.check), folder), random.Random(args.seed)
        for check in (check_classification, check_scores, check_many, check_regression, check_ranking, check_ratings, check_diversity):
            for _ in range(args.cases):
                check(c, r)
        check_texts(c, r, 10 * args.cases)
        check_meteor(c, r, 10 * args.cases)
    for line in c.failed[:20]:
        print("DIFFERS", line)
    print(f"{sum(c.compared.values())} values compared ({dict(c.compared)}), {len(c.failed)} differ")
    return 1 if c.failed else 0


if __name__ == "__main__":
    sys.exit(main())
