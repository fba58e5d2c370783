"""What `atelier-learn translate` promises, from training to pictures, and what it refuses.
Usage: translate_command_test.py ATELIER_LEARN."""
import json
import pathlib
import tempfile

from promises import end, expect, run

CONFIG = """
[run]
threads = 1
[train]
steps = {steps}
batch = 16
[optimiser]
rate = 0.01
[data]
train = "{folder}/pairs.jsonl"
validation = "{folder}/pairs.jsonl"
source = "en"
target = "zh"
sequence_length = 16
source_length = 8
{data}
[model]
{model}
[track]
samples = 2
every = 5
"""
SEQ2SEQ = 'architecture = "seq2seq"\nembedding = 16\nwidth = 16\nattention = "luong"\n'
PAIRS = [("ab", "甲乙"), ("ba", "乙甲"), ("a", "甲"), ("b", "乙"), ("", "空"), ("aaaaaaaaaaaa", "长"), ("c", "🙂"), ("d", " ")]


def events(text):
    return {e["event"]: e for e in map(json.loads, text.splitlines())}


def main():
    root = pathlib.Path(tempfile.mkdtemp())
    lines = "".join(json.dumps({"en": en, "zh": zh}, ensure_ascii=False) + "\n" for en, zh in PAIRS)
    (root / "pairs.jsonl").write_text(lines, encoding="utf-8")

    def train(name, model=SEQ2SEQ, data="", steps=10, **expected):
        config = root / f"{name}.toml"
        config.write_text(CONFIG.format(folder=root, model=model, data=data, steps=steps), encoding="utf-8")
        return run("train", "--config", str(config), "--run", str(root / name), **expected)

    told = events(train("run"))
    counts = told["start"]["train"]
    expect("what became of the pairs", [counts[k] for k in ("records", "rows", "empty", "truncated", "dropped")], [8, 6, 2, 1, 0])
    pairs = told["samples"]["pairs"]
    expect("samples", [(p["source"], p["reference"]) for p in pairs], PAIRS[:2])
    expect("samples have hypotheses", all("hypothesis" in p for p in pairs))
    told = events(train("dropped", data='long_records = "drop"', steps=1))
    expect("dropped", told["start"]["train"]["dropped"], 1)

    model, out, pictures = str(root / "run" / "best.safetensors"), root / "out.jsonl", root / "pictures"
    ask = root / "ask.jsonl"
    asked = [{"en": "ab", "zh": "甲乙"}, {"en": ""}, {"en": "b" * 5000, "more": 1}, {"en": "中文 🙂 <b>&\u202e"}]
    ask.write_text("".join(json.dumps(a) + "\n" for a in asked), encoding="utf-8")
    common = ("translate", "--model", model, "--input", str(ask), "--out", str(out))
    told = events(run(*common, "--beam", "3", "--attention", str(pictures), "--pictures", "2", "--zh"))
    expect("done", {k: told["done"][k] for k in ("records", "truncated", "pictures")}, {"records": 4, "truncated": 2, "pictures": 2})
    got = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    expect("sources in their order", [g["source"] for g in got], [a["en"] for a in asked])
    expect("reference where there is one", [g.get("reference") for g in got], ["甲乙", None, None, None])
    expect("truncated where it is", [g.get("truncated", False) for g in got], [False, False, True, True])
    for g in got:
        scores = [h["score"] for h in g["hypotheses"]]
        expect("three hypotheses, best first", (len(scores), scores), (3, sorted(scores, reverse=True)))
        expect("log-probabilities", all(h["log_probability"] <= 0 for h in g["hypotheses"]))
    expect("pictures", sorted(p.name for p in pictures.iterdir()), ["1.svg", "2.svg"])
    svg = (pictures / "1.svg").read_text(encoding="utf-8")
    expect("a picture in Chinese", [word in svg for word in ("注意力", "原文", "&lt;/s&gt;")], [True] * 3)
    before = out.read_bytes()
    run(*common, "--beam", "3")
    expect("the same again", out.read_bytes(), before)
    run(*common, "--beam", "1", "--longest", "1", "--batch", "1")
    got = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    expect("greedy", {len(g["hypotheses"]) for g in got}, {1})

    for option, value in (("beam", "0"), ("beam", "x"), ("beam", "1001"), ("length-penalty", "-1"), ("length-penalty", "nan"),
                          ("longest", "0"), ("batch", "0"), ("batch", "")):
        run(*common, f"--{option}", value, code=2, says=option)
    run("translate", "--model", model, "--out", str(out), code=2, says="--input")
    run("translate", "--model", model, "--input", str(ask), "--out", str(ask), code=2, says="is the input")
    expect("the input is whole", ask.read_text(encoding="utf-8").count("\n"), 4)
    run("translate", "--model", model, "--input", str(root / "nosuch.jsonl"), "--out", str(out), code=1, says="nosuch.jsonl")
    run("translate", "--model", str(root / "nosuch"), "--input", str(ask), "--out", str(out), code=1, says="nosuch")
    ask.write_text('{"en":"a"}\n{"english":"b"}\n')
    run(*common, code=1, says="record 2")
    expect("nothing was written over", len(out.read_text(encoding="utf-8").splitlines()), 4)
    train("lm", model='architecture = "gru"\nembedding = 8\nwidth = 8\n', data='text = "zh"\nlayout = "records"', steps=1)
    run("translate", "--model", str(root / "lm" / "best.safetensors"), "--input", str(ask), "--out", str(out), code=1,
        says="does not translate")
    train("bad", model='architecture = "seq2seq"\nattention = "nosuch"\n', code=1, says="attention")
    train("bad", model='architecture = "transformer"\nwidht = 8\n', code=1, says="widht")
    (root / "pairs.jsonl").write_text('{"en":"a","zh":"b"}\n{"en":"a"}\n')
    train("missing", code=1, says="record 2")
    (root / "pairs.jsonl").write_text('{"en":"","zh":"b"}\n')
    train("nothing", code=1, says="no record has a pair")
    (root / "pairs.jsonl").write_text("")
    train("empty", code=1)
    end("translate: from pairs to pictures, and what it refuses")


main()
