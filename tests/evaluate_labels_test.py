"""What `evaluate classification|regression|ranking|agreement|readability` promise to people and scripts:
the shapes of --json, tables as they are printed, and one clear line for every kind of bad input. The numbers themselves are
held to the peers by evaluate_test. Usage: evaluate_labels_test.py ATELIER."""
import json
import os
import pathlib
import subprocess
import tempfile
import threading

from promises import ATELIER, FAULTS, end, expect

ROOT = pathlib.Path(tempfile.mkdtemp())


def file(name, text):
    path = ROOT / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def run(*args, code=0, says=()):
    done = subprocess.run([ATELIER, "evaluate", *args, "--quiet"], capture_output=True, text=True, timeout=60)
    lines = done.stderr.strip().splitlines()
    if done.returncode != code or any(s not in done.stderr for s in says) or (code and len(lines) != 1):
        FAULTS.append(f"{args}: exit {done.returncode}, wanted {code} and {says}\n{done.stdout}{done.stderr}")
    return done.stdout


def told(*args, says=()):
    out = run(*args, "--json", says=says)
    return json.loads(out) if out else {}


def labels():
    true, pred = file("true.txt", "好评\n差评\n好评\n中评\n"), file("pred.txt", "好评\n差评\n差评\n好评\n")
    table = run("classification", "--true", true, "--pred", pred, says=["precision is undefined", "中评"])
    expect("the table", table, """              precision    recall  f1-score   support

          中评       0.00      0.00      0.00         1
          好评       0.50      0.50      0.50         2
          差评       0.50      1.00      0.67         1

    accuracy                           0.50         4
   macro avg       0.33      0.50      0.39         4
weighted avg       0.38      0.50      0.42         4
""")
    result = told("classification", "--true", true, "--pred", pred, "--classes", "好评,中评,差评")
    expect("classes in their order", [c["label"] for c in result["classes"]], ["好评", "中评", "差评"])
    expect("the confusion", result["confusion"], [[1, 0, 1], [1, 0, 0], [0, 0, 1]])
    expect("no scores", result["scores"], None)
    run("classification", "--true", true, "--pred", pred, "--classes", "好评", "--classes", "中评", code=1,
        says=["true.txt:2: '差评' is none of the 2 classes"])
    run("classification", "--true", true, "--pred", pred, "--classes", "a,a", code=2, says=["twice"])
    run("classification", "--true", true, "--pred", file("short.txt", "好评\n"), code=1,
        says=["true.txt:2: has no counterpart", "short.txt ends after 1 lines"])
    run("classification", "--true", true, "--pred", file("empty.txt", ""), code=1, says=["empty.txt: is empty"])
    run("classification", "--true", true, "--pred", file("blank.txt", "a\n\na\na\n"), code=1, says=["blank.txt:2: holds no label"])
    turning = file("turning.txt", "a\x1b[31m\u202eb\nc\n")
    shown = run("classification", "--true", turning, "--pred", turning)
    expect("labels turn no terminal", ["\x1b" in shown, "\u202e" in shown, "a\ufffd[31m\ufffdb" in shown], [False, False, True])
    expect("but stay as they are", told("classification", "--true", turning, "--pred", turning)["classes"][0]["label"], "a\x1b[31m\u202eb")
    texts = file("texts.txt", "".join(f"text {i}\n" for i in range(2001)))
    run("classification", "--true", texts, "--pred", texts, code=1, says=["2001 different labels"])
    run("classification", "--true", true, "--pred", file("bad.txt", b"a\n\xff\n"), code=1, says=["bad.txt:2: byte 1 of the line is not UTF-8"])


def curves():
    true = file("two.txt", "no\nno\nyes\nyes\n")
    args = ["classification", "--true", true, "--pred", true, "--scores"]
    scores = told(*args, file("s.txt", "0.1\n0.4\n0.35\n0.8\n"))["scores"]
    expect("area", scores["roc_auc"], 0.75)
    expect("positive", scores["positive"], "yes")
    expect("the first threshold", scores["roc"]["thresholds"], [None, 0.8, 0.4, 0.35, 0.1])
    expect("bins", [len(scores["reliability"]), sum(b["count"] for b in scores["reliability"])], [10, 4])
    both = told(*args, file("b.txt", "0.9,0.1\n0.6,0.4\n0.65,0.35\n0.2,0.8\n"))["scores"]
    expect("a column per class is the same", [both[k] for k in ("roc_auc", "brier", "log_loss")],
           [scores[k] for k in ("roc_auc", "brier", "log_loss")])
    turned = told(*args, file("s.txt", "0.9\n0.6\n0.65\n0.2\n"), "--positive", "no")["scores"]
    expect("the other class", [turned["positive"], turned["roc_auc"]], ["no", 0.75])
    odds = told(*args, file("o.txt", "-3\n1\n0.5\n7\n"), says=["o.txt:1", "no probabilities"])["scores"]
    expect("scores that are no probabilities", [odds["roc_auc"], odds["brier"], odds["reliability"]], [0.75, None, None])
    run(*args, file("n.txt", "0.1\nnan\n0.3\n0.4\n"), code=1, says=["n.txt:2: 'nan' is no finite number"])
    run(*args, file("w.txt", "0.1\n0.2 0.8\n0.3\n0.4\n"), code=1, says=["w.txt:2: holds 2 numbers for 2 classes"])
    run(*args, file("f.txt", "0.1\n"), code=1, says=["two.txt:2: has no counterpart"])
    run(*args, file("s.txt", "0.9\n0.6\n0.65\n0.2\n"), "--positive", "maybe", code=2, says=["maybe"])
    one = file("one.txt", "a\na\n")
    run("classification", "--true", one, "--pred", one, "--classes", "a,b", "--scores", file("p.txt", "0.1\n0.2\n"), code=1,
        says=["one.txt: every label is 'a'"])
    three = file("three.txt", "a\nb\na\nb\n")
    many = told("classification", "--true", three, "--pred", three, "--classes", "a,b,c", "--scores",
                file("m.txt", "0.8 0.1 0.1\n0.2 0.7 0.1\n0.6 0.3 0.1\n0.1 0.8 0.1\n"), says=["'c'", "left out"])["scores"]
    expect("classes without a case", [many["roc_auc_macro"], many["classes"][2]["roc_auc"]], [1, None])


def numbers():
    true, pred = file("y.txt", "3\n-0.5\n2\n7\n"), file("z.txt", "2.5\n0.0\n2\n8\n")
    result = told("regression", "--true", true, "--pred", pred)
    expect("errors", [result["mean_absolute_error"], result["mean_squared_error"]], [0.5, 0.375])
    one = told("regression", "--true", file("a.txt", "1\n"), "--pred", file("b.txt", "2\n"), says=["one case has no r2"])
    expect("one case", [one["r2"], len(one.get("notes", []))], [None, 1])
    expect("nothing to note", result.get("notes"), [])
    run("regression", "--true", true, "--pred", file("nan.txt", "1\n2\nNaN\n4\n"), code=1, says=["nan.txt:3"])
    gains, scores = file("g.txt", "3 0 1\n0 0 0\n0 1\n"), file("r.txt", "0.9 0.5 0.1\n1 2 3\n5 5\n")
    result = told("ranking", "--true", gains, "--scores", scores, "-k", "2", says=["1 of 3 questions have nothing relevant"])
    expect("ranking", [result["questions"], result["mrr"], result["recall_at_k"], result["precision_at_k"]], [2, 0.75, 0.75, 0.5])
    run("ranking", "--true", gains, "--scores", file("r2.txt", "1 2 3\n1 2\n1 2\n"), code=1, says=["r2.txt:2: holds 2 scores for 3 gains"])
    run("ranking", "--true", file("g2.txt", "-1 2\n"), "--scores", file("r3.txt", "1 2\n"), code=1, says=["g2.txt:1", "negative"])
    run("ranking", "--true", file("g3.txt", "0 0\n"), "--scores", file("r3.txt", "1 2\n"), code=1, says=["nothing can be measured"])


def agreement():
    ratings = file("ratings.csv", "item,ann,bo,cy\n1,low,low,mid\n2,high,high,high\n3,mid,mid,\n")
    args = ["agreement", "--ratings", ratings, "--items", "item"]
    result = told(*args, says=["no order"])
    expect("sizes", [result[k] for k in ("items", "raters", "ratings", "categories")], [3, 3, 8, 3])
    expect("no order, no distance", [result["cohen_kappa"]["linear"], result["krippendorff_alpha"]["ordinal"]], [None, None])
    expect("unequal numbers of ratings", result["fleiss_kappa"], None)
    ordered = told(*args, "--order", "low, mid, high")
    expect("an order", [ordered["krippendorff_alpha"]["ordinal"] is not None, ordered["krippendorff_alpha"]["interval"]], [True, None])
    run(*args, "--order", "low,high", code=1, says=["ratings.csv:2: 'cy' rated 'mid', which is not in the order"])
    same = told("agreement", "--ratings", file("same.csv", "a,b\nx,x\nx,x\n"), says=["every rating is the same"])
    expect("one category", [same["agreement"], same["cohen_kappa"]["unweighted"], same["fleiss_kappa"]], [1, None, None])
    run("agreement", "--ratings", file("one.csv", "a\n1\n"), code=1, says=["agreement needs two"])
    run("agreement", "--ratings", file("nan.csv", "a,b\n1,nan\n"), code=1, says=["nan.csv:2"])
    pipe = ROOT / "pipe.csv"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_text("a,b\nx,x\ny,x\n"))
    writer.start()
    expect("a pipe is read once", told("agreement", "--ratings", str(pipe), says=["no order"])["agreement"], 0.5)
    writer.join()
    if "krippendorff alpha nominal" not in run(*args):
        FAULTS.append("the table of agreement has no alpha")


def readability():
    english = told("readability", "--text", file("en.txt", "The cat sat. It slept well.\n"))
    expect("English", [english["sentences"], english["words"], english["common_share"]], [2, 6, None])
    chinese = told("readability", "--text", file("zh.txt", "我喜欢咖啡。"))
    expect("Chinese", [chinese["characters_per_sentence"], chinese["common_share"], chinese["flesch_reading_ease"]], [5, 1, None])
    run("readability", "--text", file("none.txt", "1234 ...\n"), code=1, says=["no English word"])


for part in (labels, curves, numbers, agreement, readability):
    part()
end("labels, numbers and ratings: as promised")
