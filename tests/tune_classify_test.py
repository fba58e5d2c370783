"""atelier tune classify and atelier classify as people use them: an encoder taught classes by adapters, stopped and gone on
with, used by name and by path; a language model asked for the word of each class; and what both refuse.

Usage: tune_classify_test.py ATELIER ATELIER_LEARN ROOT
"""
import json
import math
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

ATELIER, LEARN, ROOT = (str(pathlib.Path(p).resolve()) for p in sys.argv[1:4])
WORK = pathlib.Path(tempfile.mkdtemp(prefix="tune_classify_"))
os.environ["ATELIER_HOME"] = str(WORK / "home")
ENV = os.environ | {"LANG": "C.UTF-8", "OMP_NUM_THREADS": "1", "ATELIER_LEARN": LEARN}
FAILURES = []
TEXTS = {"praise": ["很满意", "好评", "喜欢 love it", "good 好用", "perfect 很好", "great stuff"],
         "refund": ["退货", "退款到哪", "i want my money back", "refund 退钱", "发票 退", "return it"],
         "delivery": ["快递到哪", "where is my parcel", "慢 快递", "not here yet", "shipping 到哪", "late again"]}


def expect(condition, what):
    if not condition:
        FAILURES.append(what)
        print("FAILED:", what)


def run(*args, code=0, says="", program=ATELIER, **more):
    done = subprocess.run([program, *map(str, args)], cwd=WORK, env=ENV, capture_output=True, text=True, timeout=280, **more)
    told = done.stdout[-600:] + done.stderr[-600:]
    expect(done.returncode == code, f"{args}: exit {done.returncode}, not {code}: {told}")
    expect(says in done.stdout + done.stderr, f"{args}: {says!r} is not in: {told}")
    if code and program == ATELIER:
        expect(len(done.stderr.strip().splitlines()) == 1, f"{args}: not one line: {done.stderr!r}")
    return done.stdout


def asked(*args, **more):
    return json.loads(run(*args, "--json", **more) or "{}")


def lines(name, records):
    (WORK / name).write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records))
    return name


def read(name):
    return [json.loads(line) for line in (WORK / name).read_text().splitlines()]


def tensors(path):
    """The names and sizes of a safetensors file's tensors, in numbers."""
    raw = pathlib.Path(path).read_bytes()
    head = json.loads(raw[8:8 + struct.unpack("<Q", raw[:8])[0]])
    return {name: math.prod(said["shape"]) for name, said in head.items() if name != "__metadata__"}


def golden(folder, name):
    path = WORK / f"{name}.gguf"
    path.write_bytes(subprocess.run(["zstd", "-dqc", f"{ROOT}/tests/golden/{folder}/{name}.gguf.zst"], stdout=subprocess.PIPE, check=True).stdout)
    return str(path)


BERT, LLAMA = golden("encoder", "bert"), golden("archs", "llama")
run("init", "studio")
STUDIO = ("--studio", WORK / "studio")
run("model", "pull", BERT, "--name", "tiny", *STUDIO)
records = [{"text": f"{text} {n}", "label": label} for n in range(8) for label, texts in TEXTS.items() for text in texts]
lines("train.jsonl", records)
lines("held.jsonl", records[::5])
TUNE = ("tune", "classify", "-m", "tiny", *STUDIO, "--data", "train.jsonl", "--validation", "held.jsonl", "--rank", "4", "--rate", "1e-2", "--batch", "8",
        "--length", "30", "--patience", "0")

# It learns, by adapters and a layer alone, and the studio knows the classifier by its name.
told = run(*TUNE, "--epochs", "12", "--name", "wants", says=" parameters learn, 144 records")
learn = int(told.split("bert_classifier, ")[1].split()[0])
folder = WORK / "studio/runs/wants"
kept = tensors(folder / "last.safetensors")
model = {name: size for name, size in kept.items() if name.startswith("model/")}
expect(sum(model.values()) == learn, f"{learn} learn, the checkpoint has {sum(model.values())}")
expect(all(".lora_" in name or name.startswith("model/output.") for name in model), f"the checkpoint holds {sorted(model)}")
moments = sum(size for name, size in kept.items() if name.startswith("optimiser/"))
expect(2 * learn <= moments < 2 * learn + 64 * len(model), f"moments of {moments} numbers, {learn} learn")
expect(sorted(tensors(WORK / "studio/models/wants.safetensors")) == sorted(model), "the model holds something else")
listed = {m["name"]: m for m in asked("model", "list", *STUDIO)["models"]}
expect(listed["wants"]["licence"] == listed["tiny"]["licence"] == "mit", f"its licence is not the encoder's: {listed['wants']}")

ask = [{"text": f"{text} 9", "label": label} for label, texts in TEXTS.items() for text in texts] + [{"text": "", "label": "praise"}]
lines("ask.jsonl", ask)
done = asked("classify", "-m", "wants", "--input", "ask.jsonl", "--out", "said.jsonl", *STUDIO)
expect(done["records"] == 19 and done["empty"] == 1 and done["labelled"] == 19 and done["milliseconds_per_text"] > 0, f"classify: {done}")
expect(done["accuracy"] > 0.8, f"it did not learn its classes: {done}")
said = read("said.jsonl")
expect([s["text"] for s in said] == [a["text"] for a in ask], "the lines' order")
expect(all(abs(sum(s["probabilities"].values()) - 1) < 1e-9 and sorted(s["probabilities"]) == sorted(TEXTS) for s in said), f"probabilities: {said[0]}")
expect(all(s["predicted"] == max(s["probabilities"], key=s["probabilities"].get) for s in said), "what is predicted is not the likeliest")
run("evaluate", "classification", "said.jsonl", says="accuracy")
run("classify", "-m", "wants", "--input", "ask.jsonl", "--out", "again.jsonl", *STUDIO, says="ms a text")
expect(read("again.jsonl") == said, "the same model says something else the next time")
run("classify", "-m", folder / "best.safetensors", "--input", "ask.jsonl", "--out", "again.jsonl")
expect(read("again.jsonl") == said, "the run's checkpoint is another model")

# A run that was broken off computes what one computes that was not.
toml = (folder / "tune.toml").read_text().replace("[run]\n", "[run]\nthreads = 1\n").replace("epochs = 12", "epochs = 2")
(WORK / "whole.toml").write_text(toml)
events = lambda *more: [json.loads(line) for line in run("train", "--config", "whole.toml", *more, program=LEARN).splitlines()]
events("--run", "whole")
events("--run", "halves", "--until", "20")
events("--run", "halves", "--resume")
data = lambda raw: raw[8 + struct.unpack("<Q", raw[:8])[0]:]  # the tensors, without the header
whole, halves = ((WORK / name / "last.safetensors").read_bytes() for name in ("whole", "halves"))
expect(data(whole) == data(halves), "a resumed run learns something else")

# Without a studio; fewer targets by Hugging Face's names; classes that are said.
out = asked("tune", "classify", "-m", BERT, "--data", "train.jsonl", "--run", "alone", "--targets", "query,value", "--labels",
            "delivery,praise,refund,none", "--epochs", "0.1", "--length", "30")
expect(out["model"] == "alone/model.safetensors", f"outcome {out}")
names = tensors(WORK / "alone/model.safetensors")
expect({name.split(".")[3] for name in names if "lora" in name} == {"attn_q", "attn_v"} and names["model/output.bias"] == 4, f"tensors {sorted(names)}")
run("tune", "classify", "-m", BERT, "--data", "train.jsonl", "--run", "alone", code=1, says="--resume")

# What cannot be learned from, in one line.
bad = lambda says, *more, code=1: run("tune", "classify", "-m", "tiny", *STUDIO, "--name", "never", "--length", "30", *more, code=code, says=says)
bad("record 1: the label 'praise' is none of the 2 classes (they are delivery, refund)", "--data", "train.jsonl", "--labels", "delivery,refund")
bad("two classes or more, the data has 1", "--data", lines("one.jsonl", [{"text": "好评", "label": "praise"}] * 3))
bad("no record has any text to learn", "--data", lines("empty.jsonl", [{"text": " ", "label": "a"}, {"text": "", "label": "b"}]))
bad("record 1", "--data", lines("fields.jsonl", [{"body": "a", "label": "b"}]))
bad("the label is empty", "--data", lines("unlabelled.jsonl", [{"text": "a", "label": ""}]))
bad("twice", "--data", "train.jsonl", "--labels", "a,a", code=2)
bad("no linear layer 'nose'", "--data", "train.jsonl", "--targets", "nose")
bad("neither cls nor mean", "--data", "train.jsonl", "--pool", "max")
bad("nosuch", "--data", "nosuch.jsonl")
run("tune", "classify", "-m", "tiny", *STUDIO, "--name", "never", "--data", "train.jsonl", "--length", "64", code=1, says="more than the context of tiny, 40")
run("tune", "classify", "-m", LLAMA, "--data", "train.jsonl", code=1, says="tune sft")
run("classify", "-m", "wants", "--input", "ask.jsonl", "--out", "never.jsonl", "--labels", "a,b", *STUDIO, code=2, says="knows its classes")
expect(not (WORK / "studio/models/never.safetensors").exists() and not (WORK / "never.jsonl").exists(), "something is left of what failed")

# A language model: the chances are those of the words after the prompt, as generating tells them, over their sum.
WORDS = {"first": "q", "second": "z", "third": "k"}
labels = ",".join(f"{name}={word}" for name, word in WORDS.items())
prompts = [{"text": "abc", "kind": "x"}, {"text": "这是 ", "kind": "y", "label": "second"}, {"text": "", "kind": "z", "label": "first"}]
lines("prompts.jsonl", prompts)
ASK = ("classify", "-m", LLAMA, "--input", "prompts.jsonl", "--out", "words.jsonl")
done = asked(*ASK, "--labels", labels, "--template", "{{ kind }}: {{ text }}|")
expect(done["records"] == 3 and done["labelled"] == 2 and done["empty"] == 1, f"classify by words: {done}")
for prompt, line in zip(prompts, read("words.jsonl"), strict=True):
    expect({key: line.get(key) for key in ("text", "label")} == {key: prompt.get(key) for key in ("text", "label")}, f"a line {line}")
    given = f"{prompt['kind']}: {prompt['text']}|"
    chances = {}
    for name, word in WORDS.items():  # each is one token: held to, its own chance before that is told
        made = asked("generate", "-m", LLAMA, "-p", given, "--choice", word, "--max-tokens", 1, "--logprobs", 0)
        chances[name] = math.exp(made["samples"][0]["logprobs"][0]["logprob"])
    for name, chance in chances.items():
        expect(abs(line["probabilities"][name] - chance / sum(chances.values())) < 1e-4, f"{given!r} {name}: {line['probabilities']} {chances}")
    expect(line["predicted"] == max(chances, key=chances.get), f"{given!r}: {line}")
(WORK / "prompt.jinja").write_text("{{ kind }}: {{ text }}|")
before = (WORK / "words.jsonl").read_bytes()
run(*ASK, "--labels", labels, "--template", "@prompt.jinja", says="accuracy")
expect((WORK / "words.jsonl").read_bytes() == before, "a template from a file")
for name, text in [("whole", "这是一条很长的评论"), ("cut", "这是")]:  # what is cut is characters
    run("classify", "-m", LLAMA, "--input", lines(f"{name}.jsonl", [{"text": text}]), "--out", f"{name}.said", "--labels", labels, "--template", "{{ text[:2] }}|")
expect(read("whole.said")[0]["probabilities"] == read("cut.said")[0]["probabilities"], "a cut text is another")
run(*ASK, code=2, says="--labels and --template")
run(*ASK, "--labels", "a", "--template", "x", code=2, says="two classes or more")
run(*ASK, "--labels", "a=退货,b=退货进度", "--template", "x", code=2, says="begins with '退货'")
run(*ASK, "--labels", "a=x,a=y", "--template", "x", code=2, says="'a' is named twice")
run(*ASK, "--labels", "a=,b=y", "--template", "x", code=2, says="is empty")
run(*ASK, "--labels", labels, "--template", "{{ text", code=1, says="--template")
run(*ASK, "--labels", labels, "--template", "{{ text }}", "--text", "body", code=1, says="record 1: no text in a field 'body'")
run(*ASK, "--labels", labels, "--template", "{{ text }}", "--chat", code=1, says="chat template")
run("classify", "-m", LLAMA, "--input", "prompts.jsonl", "--out", "prompts.jsonl", "--labels", labels, "--template", "x", code=2, says="is the input")
long = lines("long.jsonl", [{"text": "a " * 600}])
run("classify", "-m", LLAMA, "--input", long, "--out", "never.jsonl", "--labels", labels, "--template", "{{ text }}", code=1, says="record 1")
expect((WORK / "words.jsonl").read_bytes() == before and not (WORK / "never.jsonl").exists(), "what failed wrote something")
shutil.rmtree(WORK)
print("failures:", len(FAILURES))
sys.exit(1 if FAILURES else 0)
