"""The weights that peers find for the same choices: scikit-learn's logistic regression on differences for the pairwise
loss, SciPy's minimiser on cross-entropy over each choice's options for the listwise one. Writes tests/golden/rank/fit.json;
`./dev golden rank` runs it."""
import json
import pathlib

import numpy
import scipy
import scipy.optimize
import sklearn
from sklearn.linear_model import LogisticRegression

OUT = pathlib.Path(__file__).parent.parent / "tests/golden/rank/fit.json"


def choices(random, count, columns, taken):
    """Options with a planted taste; `taken` of them are taken, the first one worth twice the others."""
    taste = random.normal(size=columns)
    out = []
    for _ in range(count):
        rows = random.normal(size=(random.integers(2, 7), columns)).round(3)
        order = numpy.argsort(-(rows @ taste + random.gumbel(size=len(rows))))
        gains = numpy.zeros(len(rows))
        for place, row in enumerate(order[: min(taken, len(rows) - 1)]):
            gains[row] = 2 if place == 0 and taken > 1 else 1
        out.append({"rows": rows.tolist(), "gains": gains.tolist(), "weight": round(random.uniform(0.2, 3), 2)})
    return out


def pairwise(data, l2):
    total = sum(choice["weight"] for choice in data)
    rows, labels, weights = [], [], []
    for choice in data:
        x, gains = numpy.array(choice["rows"]), choice["gains"]
        pairs = [(a, b) for a in range(len(gains)) for b in range(len(gains)) if gains[a] > gains[b]]
        for a, b in pairs:
            for sign in (1, -1):  # both ways round: it wants two classes
                rows.append(sign * (x[a] - x[b]))
                labels.append(sign)
                weights.append(choice["weight"] / total / len(pairs) / 2)
    # Its C weighs the sum of losses against half the squared weights; tol is of the gradient.
    model = LogisticRegression(C=1 / l2, fit_intercept=False, solver="newton-cholesky", tol=1e-12, max_iter=1000)
    return model.fit(numpy.array(rows), labels, sample_weight=weights).coef_[0]


def listwise(data, l2):
    total = sum(choice["weight"] for choice in data)

    def objective(w):
        value, gradient = l2 / 2 * w @ w, l2 * w
        for choice in data:
            x, share = numpy.array(choice["rows"]), numpy.array(choice["gains"]) / sum(choice["gains"])
            logs = scipy.special.log_softmax(x @ w)
            value -= choice["weight"] / total * share @ logs
            gradient = gradient + choice["weight"] / total * x.T @ (numpy.exp(logs) - share)
        return value, gradient

    found = scipy.optimize.minimize(objective, numpy.zeros(len(data[0]["rows"][0])), jac=True, method="L-BFGS-B",
                                    options={"ftol": 1e-16, "gtol": 1e-12, "maxiter": 10000, "maxcor": 30})
    return found.x


def main():
    random = numpy.random.default_rng(20)
    cases = []
    for name, fit, taken, l2 in (("pairwise", pairwise, 1, 0.01), ("pairwise", pairwise, 3, 0.1),
                                 ("listwise", listwise, 1, 0.01), ("listwise", listwise, 3, 0.1)):
        data = choices(random, 40, 4, taken)
        cases.append({"loss": name, "l2": l2, "choices": data, "weights": fit(data, l2).tolist()})
    OUT.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"peer": f"scikit-learn {sklearn.__version__}, SciPy {scipy.__version__}, "
                               f"NumPy {numpy.__version__}", "cases": cases})
    OUT.write_text(text.replace('{"loss"', '\n{"loss"').replace('{"rows"', '\n {"rows"') + "\n")
    print(OUT, OUT.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
