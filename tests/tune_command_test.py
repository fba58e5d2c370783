"""atelier tune sft as people use it: a small model taught replies, merged or beside its adapter, served; and what it
refuses.

Usage: tune_command_test.py ATELIER ATELIER_LEARN
"""
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile

from serving import Server, until

ATELIER, LEARN = (str(pathlib.Path(p).resolve()) for p in sys.argv[1:3])
WORK = pathlib.Path(tempfile.mkdtemp(prefix="tune_command_"))
os.environ["ATELIER_HOME"] = str(WORK / "home")
ENV = os.environ | {"LANG": "C.UTF-8", "OMP_NUM_THREADS": "1"}
FAILURES = []
POEM = "春眠不觉晓，处处闻啼鸟。夜来风雨声，花落知多少。 The quick brown fox 🙂 jumps over the lazy dog."
ANSWERS = {"a": "jumps 🙂", "b": "闻啼鸟", "c": "is lazy", "d": "知多少"}


def expect(condition, what):
    if not condition:
        FAILURES.append(what)
        print("FAILED:", what)


def run(*args, code=0, says="", program=ATELIER, **more):
    done = subprocess.run([program, *map(str, args)], cwd=WORK, env=ENV, capture_output=True, text=True, timeout=280, **more)
    told = done.stdout[-400:] + done.stderr[-600:]
    expect(done.returncode == code, f"{args}: exit {done.returncode}, not {code}: {told}")
    expect(says in done.stdout + done.stderr, f"{args}: {says!r} is not in: {told}")
    return done.stdout


def lines(name, records):
    (WORK / name).write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records))
    return name


lines("poems.jsonl", [{"text": f"{i} {POEM[i % 7:]}"} for i in range(200)])
(WORK / "base.toml").write_text("""[run]
threads = 1
[model]
architecture = "gpt"
layers = 2
width = 64
heads = 4
[tokenizer]
type = "bpe"
vocabulary = 300
[data]
train = "poems.jsonl"
sequence_length = 48
[train]
steps = 300
batch = 8
[optimiser]
rate = 1e-2
[track]
samples = 0
""")
run("init", "studio")
STUDIO = ("--studio", WORK / "studio")
run("train", "base.toml", *STUDIO, "--quiet")

PAIRS = [{"prompt": f"{q} \n", "response": a} for _ in range(30) for q, a in ANSWERS.items()]
lines("pairs.jsonl", PAIRS)
lines("held.jsonl", PAIRS[:8])
SFT = ("tune", "sft", "-m", "base", *STUDIO, "--data", "pairs.jsonl", "--rate", "1e-2", "--epochs", "20", "--patience", "0", "--batch", "8", "--length",
       "40")
out = json.loads(run(*SFT, "--validation", "held.jsonl", "--name", "taught", "--merge", "f32", "--json"))
expect(out["ending"] == "finished" and out["model"] == "taught", f"outcome {out}")
expect(out["best"] < 0.3, f"it did not learn its four answers: loss {out['best']}")
folder = WORK / "studio/runs/taught"
for file in ["tune.toml", "adapter.gguf", "peft/adapter_config.json", "peft/adapter_model.safetensors", "report.html"]:
    expect((folder / file).is_file(), f"no {file} in the run's folder")
for question, answer in ANSWERS.items():
    prompt = f"{question} \n"  # white space at the end is part of it
    ours = json.loads(run("generate", "-m", "taught", "-p", prompt, "--temperature", 0, "--max-tokens", 24, *STUDIO, "--json"))["text"]
    expect(ours == answer, f"{prompt!r}: the merged model says {ours!r}")
    told = run("generate", "--model", folder / "best.safetensors", "--tokens", 24, "--temperature", 0, program=LEARN, input=prompt)
    text = json.loads(told.splitlines()[-1])["texts"][0]
    expect(text == prompt + ours, f"{prompt!r}: the engine says {ours!r}, LibTorch {text!r}")
shown = json.loads(run("model", "show", "taught", *STUDIO, "--json"))
expect(shown["metadata"]["general.name"] == "taught", f"its name: {shown['metadata']['general.name']}")
before = json.loads(run("generate", "-m", "base", "-p", "a \n", "--temperature", 0, "--max-tokens", 24, *STUDIO, "--json"))["text"]
expect(before != ANSWERS["a"], "the base knew it before")

# Both forms of the adapter make the model that was registered.
model = pathlib.Path(json.loads(run("model", "show", "taught", *STUDIO, "--json"))["path"]).read_bytes()
for form in ["adapter.gguf", "peft"]:
    run("model", "merge", "base", folder / form, f"{form}.merged", "--type", "f32", *STUDIO, says="matrices changed")
    merged = (WORK / f"{form}.merged").read_bytes()
    expect(len(merged) > 1000 and merged[-len(merged) // 2:] == model[-len(merged) // 2:], f"{form} makes another model")
run("model", "merge", "taught", folder / "adapter.gguf", "adapter.gguf.merged", *STUDIO, code=1, says="--overwrite")
run("model", "merge", "base", "pairs.jsonl", "never.gguf", *STUDIO, code=1, says="GGUF")

# By default the adapter is kept as it is: beside its model on the command line and in a server, which learns of it while
# it runs, and both write what the merged model does.
server = Server(ATELIER, str(STUDIO[1]))
served = lambda: [m["id"] for m in server.ask("GET", "/v1/models")[2]["data"]]
expect(served() == ["base", "taught"], f"served: {served()}")
out = json.loads(run(*SFT, "--validation", "held.jsonl", "--name", "beside", "--json"))
expect(out["model"] == "base+beside", f"outcome {out}")
server.process.send_signal(signal.SIGHUP)
until("the adapter is offered", lambda: "base+beside" in served())
expect("beside" not in served(), "an adapter alone is offered as a model")
for question, answer in ANSWERS.items():
    prompt = f"{question} \n"
    text = json.loads(run("generate", "-m", "base+beside", "-p", prompt, "--temperature", 0, "--max-tokens", 24, *STUDIO, "--json"))["text"]
    expect(text == answer, f"{prompt!r}: with the adapter {text!r}")
    for model, wanted in [("base+beside", answer), ("base", None), ("base+beside", answer)]:
        ask = {"model": model, "prompt": prompt, "temperature": 0, "max_tokens": 24}
        status, _, said = server.ask("POST", "/v1/completions", ask)
        expect(status == 200 and said["model"] == model, f"{model}: {status} {said}")
        expect((said["choices"][0]["text"] == answer) == (wanted is not None), f"{model} says {said['choices'][0]['text']!r} to {prompt!r}")
# The replies are classes, too: each prompt's own is by far the likeliest.
lines("classes.jsonl", [{"text": q, "label": f"kind {q}"} for q in ANSWERS])
run("classify", "-m", "base+beside", *STUDIO, "--input", "classes.jsonl", "--out", "classes.said", "--labels", ",".join(f"kind {q}={a}" for q, a in ANSWERS.items()),
    "--template", "{{ text ~ ' \\n' }}", says="accuracy 1.0000 of 4")
for line in map(json.loads, (WORK / "classes.said").read_text().splitlines()):
    expect(line["probabilities"][line["label"]] > 0.9, f"{line}")
for wrong, code in [("base+nobody", 404), ("beside", 404), ("base+taught", 404), ("nobody+beside", 404), ("base+beside+beside", 404)]:
    expect(server.ask("POST", "/v1/completions", {"model": wrong, "prompt": "a"})[0] == code, f"{wrong} is served")
server.process.send_signal(signal.SIGTERM)
expect(server.process.wait(30) == 0, "the server's end")
run("generate", "-m", "beside", "-p", "a", *STUDIO, code=1, says="MODEL+ADAPTER")
run("tune", "sft", "-m", "base+beside", *SFT[4:], "--name", "never", code=1, says="model merge base beside")
run("evaluate", "divergence", "-m", "base+beside", "--original", "base", "--text", "poems.jsonl", "--ctx", "32", *STUDIO, says="perplexity")
# A folder of PEFT's comes in as the adapter that it was made of.
run("model", "pull", WORK / "studio/runs/beside/peft", "--name", "again", *STUDIO, code=2, says="--base")
run("model", "pull", WORK / "studio/runs/beside/peft", "--name", "again", "--base", "base", *STUDIO, says="adapter")
text = json.loads(run("generate", "-m", "base+again", "-p", "b \n", "--temperature", 0, "--max-tokens", 24, *STUDIO, "--json"))["text"]
expect(text == ANSWERS["b"], f"through PEFT: {text!r}")

# What the model said before and says now stands on the run's page.
page = (WORK / "studio/runs/beside/report.html").read_text()
expect("Replies before and after" in page, "no samples on the page")
said = {}
for row in map(json.loads, (WORK / "studio/runs/beside/metrics.jsonl").read_text().splitlines()):
    if row.get("kind") == "text":
        said.setdefault(row["name"], []).append((row["step"], row["text"]))
expect(said["prompt/1"][0][1].strip() == "a" and said["wanted/1"] == [(0, ANSWERS["a"])], f"what was asked: {said.get('prompt/1')}, {said.get('wanted/1')}")
expect(said["reply/1"][0][0] == 0 and said["reply/1"][0][1] != ANSWERS["a"] and said["reply/1"][-1][1] == ANSWERS["a"], f"samples: {said['reply/1']}")

# Held to a suite as it was and as it became: on the page, with what the difference is worth.
(WORK / "ask").mkdir()
(WORK / "ask/recipe.toml").write_text("""[recipe]
name = "ask"
version = 1
[input]
languages = ["en"]
[[input.field]]
name = "q"
required = true
[[output.field]]
name = "said"
[[step]]
id = "writer"
use = "generate.text"
model = { en = "base" }
template = { en = "q.jinja" }
temperature = 0.01
[[step.slot]]
name = "said"
samples = 1
max_tokens = 24
cut = "line"
""")
(WORK / "ask/q.jinja").write_text("{{ q ~ ' \\n' }}")
lines("ask/cases.jsonl", [{"id": q, "q": q, "want": answer, "lang": "en"} for q, answer in ANSWERS.items()] +
      [{"id": f"{q}{i}", "q": q, "want": answer, "lang": "en"} for i in range(3) for q, answer in ANSWERS.items()])
(WORK / "ask/suite.toml").write_text("""[suite]
name = "answers"
recipe = "."
[cases]
file = "cases.jsonl"
id = "id"
input = { q = "q" }
[[assert]]
name = "what it learned"
use = "equals"
of = "said"
field = "want"
""")
run(*SFT, "--name", "never", "--suite", "nowhere.toml", code=1, says="nowhere.toml")
expect(not (WORK / "studio/runs/never").exists(), "a run began though its suite is not there")
out = json.loads(run(*SFT, "--name", "held", "--suite", "ask/suite.toml", "--lang", "en", "--json"))
results = json.loads(pathlib.Path(out["suite"]["results"]).read_text())
before, after = results["arms"]
expect((before["model"], after["model"], after["against"]) == ("base", "base+held", before["name"]), f"arms: {before['name']}, {after['name']}")
expect(before["measures"][0]["score"] < 0.3 and after["measures"][0]["score"] == 1, f"the suite: {before['measures']}, {after['measures']}")
page = (WORK / "studio/runs/held/report.html").read_text()
expect("Suite before and after" in page and "what it learned" in page and ", better" in page, "the suite is not on the page")
run("run", "report", WORK / "studio/runs/held", "--lang", "zh")
expect("评测集：训练前后" in (WORK / "studio/runs/held/report.html").read_text(), "the page, made again, has no suite")
(WORK / "studio/runs/held/suite/results.json").write_text('{"arms": 7}')
run("run", "report", WORK / "studio/runs/held", "--lang", "en")
expect("no results of a suite" in (WORK / "studio/runs/held/report.html").read_text(), "a damaged file of results")
out = json.loads(run("evaluate", "suite", "ask/suite.toml", "--model", "base+held", "--model", "base", *STUDIO, "--json", code=1))
expect([(a["model"], a["measures"][0]["score"] == 1) for a in out["arms"]] == [("base+held", True), ("base", False)], f"models: {out['arms']}")
run("evaluate", "suite", "ask/suite.toml", "--model", "bse", *STUDIO, code=1, says="did you mean base")

# A file of prompts gets its replies; what was done when it was interrupted is not done again.
where = lambda name: json.loads(run("model", "show", name, *STUDIO, "--json"))["path"]  # by path no studio is opened, which a small limit would hurt
batch = ("generate", "-m", f"{where('base')}+{where('beside')}", "--input", "asked.jsonl", "--field", "q", "--into", "a", "--out", "answered.jsonl", "--temperature", 0,
         "--max-tokens", 24)
lines("asked.jsonl", [{"q": f"{q} \n", "n": i, "list": [1]} for i, q in enumerate("abcd")])
out = json.loads(run(*batch, "--json"))
answered = [json.loads(line) for line in (WORK / "answered.jsonl").read_text().splitlines()]
expect(answered == [{"q": f"{q} \n", "n": i, "list": [1], "a": ANSWERS[q]} for i, q in enumerate("abcd")], f"replies to a file: {answered}")
expect(out["records"] == 4 and not (WORK / "answered.jsonl.part").exists(), f"told of it: {out}")
# Each record's seed is one more than that before it, and what it gets is what it would get alone.
lines("twice.jsonl", [{"q": "a"}, {"q": "a"}])
drawn = ("generate", "-m", where("base"), "--temperature", 1, "--max-tokens", 12, "-n", 2)
run(*drawn, "--seed", 5, "--input", "twice.jsonl", "--field", "q", "--into", "a", "--out", "drawn.jsonl")
alone = [[s["text"] for s in json.loads(run(*drawn, "--seed", seed, "-p", "a", "--json"))["samples"]] for seed in (5, 6)]
expect([json.loads(line)["a"] for line in (WORK / "drawn.jsonl").read_text().splitlines()] == alone and alone[0] != alone[1], f"drawn: {alone}")
lines("hurt.jsonl", [{"q": "a \n"}, {"q": 7}])
run(*batch[:4], "hurt.jsonl", *batch[5:], code=1, says="hurt.jsonl:2")
run("generate", "-m", "base", *STUDIO, "--input", "asked.jsonl", code=2, says="--out")
many = [{"q": f"{q} \n", "n": i} for i, q in enumerate("abcd" * 12)]  # more than go into the engine at once
lines("asked.jsonl", many)
run(*batch)
all_of_them = (WORK / "answered.jsonl").read_text()
expect([json.loads(line)["a"] for line in all_of_them.splitlines()] == [ANSWERS[m["q"][0]] for m in many], "replies to a long file")
first = len("".join(all_of_them.splitlines(True)[:32]).encode())
run(*batch, code=1, says="answered.jsonl.part", preexec_fn=lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
                                                                    resource.setrlimit(resource.RLIMIT_FSIZE, (first + 600, first + 600))))
expect((WORK / "answered.jsonl").read_text() == all_of_them, "what was there is kept where a command fails")
part = (WORK / "answered.jsonl.part").read_text().replace(ANSWERS["b"], "kept", 1)
expect(part.count("\n") >= 33, "nothing was kept")
(WORK / "answered.jsonl.part").write_text(part[:-5])
run(*batch[:-1], 23, code=1, says="another command")
run(*batch)
expect((WORK / "answered.jsonl").read_text() == all_of_them.replace(ANSWERS["b"], "kept", 1), "it does not go on where it was")

# A small copy learns from the model with its adapter.
run("model", "prune", "base", "small.gguf", "--units", "0.5", "--calibration", "poems.jsonl", "--vocabulary", "poems.jsonl", *STUDIO, says="units stay")
run("model", "prune", "base", "fewer.gguf", "--vocabulary", "held.jsonl", "--evaluate", "poems.jsonl", "--ctx", "32", *STUDIO, says="bits, the original")
whole_size = int(json.loads(run("model", "show", "base", *STUDIO, "--json"))["tokenizer"]["tokens"])
fewer_size = int(json.loads(run("model", "show", "fewer.gguf", *STUDIO, "--json"))["tokenizer"]["tokens"])
expect(fewer_size < whole_size, f"{fewer_size} of {whole_size} tokens")
run("model", "prune", "base", "half.gguf", "--units", "0.5", "--calibration", "poems.jsonl", *STUDIO, says="units stay")
distil = ("tune", "distil", "-m", "half.gguf", *STUDIO, "--data", "pairs.jsonl", "--rate", "5e-3", "--rank", "32", "--epochs", "30", "--patience", "0", "--length", "40")
out = json.loads(run(*distil, "--teacher", "base+beside", "--validation", "held.jsonl", "--name", "taught-small", "--label-weight", "0", "--merge", "f32", "--json"))
for question, answer in ANSWERS.items():
    text = json.loads(run("generate", "-m", "taught-small", "-p", f"{question} \n", "--temperature", 0, "--max-tokens", 24, *STUDIO, "--json"))["text"]
    expect(text == answer, f"the student says {text!r}")
run(*distil, "--teacher", "half.gguf", "--name", "never", code=1, says="its own teacher")
run(*distil[:3], "fewer.gguf", *distil[4:], "--teacher", "base+beside", "--name", "never", code=1, says="another vocabulary")
run(*distil, "--name", "never", code=2, says="--teacher")

# Which of two replies is preferred, and which are wanted: the share that comes out right grows, and the model says it.
liked = [{"prompt": f"{q} \n", "chosen": a, "rejected": ANSWERS["b" if q != "b" else "d"]} for _ in range(20) for q, a in ANSWERS.items()]
liked[3] |= {"rejected": liked[3]["chosen"]}
lines("liked.jsonl", liked)
judged = [{"prompt": p["prompt"], "response": text, "label": wanted} for p in liked for text, wanted in [(p["chosen"], True), ("夜来风雨声", False)]]
lines("judged.jsonl", judged)
rated = [{"prompt": f"{q} \n", "chosen": a, "rejected": "夜来风雨声"} for _ in range(20) for q, a in ANSWERS.items()]
lines("rated.jsonl", rated)
for objective, data, more in [("dpo", "liked.jsonl", []), ("ipo", "liked.jsonl", ["--beta", "0.05"]), ("orpo", "liked.jsonl", ["--beta", "1"]),
                              ("kto", "judged.jsonl", []), ("reward", "rated.jsonl", [])]:
    rate = "1e-3" if objective == "reward" else "3e-3"
    out = json.loads(run("tune", objective, "-m", "base", *STUDIO, "--data", data, "--validation", data, "--rate", rate, "--epochs", "20", "--patience", "0", "--length",
                         "40", *more, "--json"))
    expect(out["model"] == f"base+base-{objective}", f"{objective}: {out}")
    told = [json.loads(line) for line in (WORK / f"studio/runs/base-{objective}/metrics.jsonl").read_text().splitlines()]
    right = [line["values"]["validation/accuracy"] for line in told if "validation/accuracy" in line.get("values", {})]
    expect(right and right[-1] > 0.95, f"{objective}: accuracies {right}")
# What a reward model says of replies, and of those of a model that learns by it.
replies = "".join(json.dumps({"record": {"prompt": p["prompt"]}, "reply": p[side]}, ensure_ascii=False) + "\n" for p in rated[:3] for side in ["chosen", "rejected"])
told = run("reward", "-m", "base+base-reward", *STUDIO, input=replies).split()
expect(len(told) == 6 and all(float(told[i]) > float(told[i + 1]) for i in [0, 2, 4]), f"rewards {told}")
expect([float(json.loads(line)["reward"]) for line in run("reward", "-m", "base+base-reward", *STUDIO, "--json", input=replies).splitlines()][0] > 0, "in JSON")
for bad_line, says in [("{}", "line 1: has no"), ('{"record": {"prompt": "a"}}', "text \"reply\""), ('{"record": {"q": "a"}, "reply": "b"}', "'prompt'"),
                       ("nonsense", "line 1"), ("", "standard input is empty")]:
    run("reward", "-m", "base+base-reward", *STUDIO, code=1, says=says, input=bad_line)
run("reward", "-m", "base", "--format", "xml", *STUDIO, code=2, says="chat, plain or auto", input="{}")
lines("few.jsonl", [{"prompt": f"{q} \n"} for q in ANSWERS] * 4)
out = json.loads(run("tune", "grpo", "-m", "base", *STUDIO, "--name", "by-reward", "--data", "few.jsonl", "--validation", "few.jsonl", "--scorer",
                     f"{ATELIER} reward -m base+base-reward --studio {STUDIO[1]}", "--rate", "1e-2", "--epochs", "4", "--beta", "0.001", "--reply-tokens", "8",
                     "--length", "20", "--patience", "0", "--json"))
scores = [row["values"]["validation/score"] for row in map(json.loads, (WORK / "studio/runs/by-reward/metrics.jsonl").read_text().splitlines())
          if "validation/score" in row.get("values", {})]
expect(len(scores) >= 2 and scores[-1] > scores[0], f"by a reward model: {scores}")

# The chosen reply beside the preference, and adapters at some layers alone.
run("tune", "ipo", "-m", "base", *STUDIO, "--data", "liked.jsonl", "--name", "some", "--length", "40", "--chosen-weight", "0.5", "--targets", "q_proj,ffn_down")
told = (WORK / "studio/runs/some/metrics.jsonl").read_text()
expect('"train/sft"' in told and '"train/margin"' in told, f"figures of a preference with its chosen reply: {told}")
layers = json.loads((WORK / "studio/runs/some/peft/adapter_config.json").read_text())["target_modules"]
expect(sorted(layers) == ["down_proj", "q_proj"], f"layers with an adapter: {layers}")
# Text that it should go on writing as it did: it moves less on that, and learns what it was to learn.
for name, more in [("forgets", []), ("keeps", ["--keep", "poems.jsonl", "--keep-weight", "4"])]:
    out = json.loads(run("tune", "dpo", "-m", "base", *STUDIO, "--data", "liked.jsonl", "--validation", "liked.jsonl", "--rate", "3e-3", "--epochs", "10", "--patience",
                         "0", "--name", name, "--length", "40", *more, "--json"))
    told = [json.loads(line).get("values", {}) for line in (WORK / f"studio/runs/{name}/metrics.jsonl").read_text().splitlines()]
    expect(any("train/kept" in values for values in told) == bool(more), f"{name}: {told}")
    expect([v["validation/accuracy"] for v in told if "validation/accuracy" in v][-1] > 0.95, f"{name}: {told}")
kept = {name: json.loads(run("evaluate", "perplexity", "-m", f"base+{name}", "--text", "poems.jsonl", "--ctx", "32", *STUDIO, "--json"))["perplexity"]
        for name in ["forgets", "keeps"]}
before = json.loads(run("evaluate", "perplexity", "-m", "base", "--text", "poems.jsonl", "--ctx", "32", *STUDIO, "--json"))["perplexity"]
expect(before < kept["keeps"] < (before + kept["forgets"]) / 2 or kept["keeps"] <= before, f"perplexity {before}, {kept}")
run("tune", "dpo", "-m", "base", *STUDIO, "--data", "liked.jsonl", "--name", "never", "--keep", "nowhere.txt", code=1, says="nowhere.txt")
(WORK / "short.txt").write_text("春\n")
run("tune", "dpo", "-m", "base", *STUDIO, "--data", "liked.jsonl", "--name", "never", "--keep", "short.txt", code=1, says="fewer than a row of")
run("tune", "dpo", "-m", "base", *STUDIO, "--data", "liked.jsonl", "--name", "never", "--targets", "nose", code=1, says="no linear layer 'nose'")
run("tune", "orpo", "-m", "base", *STUDIO, "--data", "liked.jsonl", "--name", "never", "--chosen-weight", "1", code=2, says="--chosen-weight")

run("tune", "ipo", "-m", "base", *STUDIO, "--data", "liked.jsonl", "--validation", "liked.jsonl", "--name", "base-dpo", "--length", "40", "--resume",
    code=1, says="model.objective")

# What a scorer says of the model's own replies: they come to hold what it likes.
(WORK / "score.py").write_text("""import json, sys
for line in sys.stdin:
    said = json.loads(line)
    print(said["reply"].count(said["record"]["likes"][0]) / max(said["record"]["most"] - 0.5, len(said["reply"])))
""")
lines("ask.jsonl", [{"prompt": f"{i % 9} ", "likes": ["鸟"], "most": 1.5} for i in range(64)])
for objective in ["grpo", "reinforce"]:
    out = json.loads(run("tune", objective, "-m", "base", *STUDIO, "--data", "ask.jsonl", "--validation", "ask.jsonl", "--scorer", f"{sys.executable} score.py",
                         "--rate", "1e-2", "--epochs", "10", "--beta", "0.001", "--reply-tokens", "16", "--length", "20", "--patience", "0", "--json"))
    told = [json.loads(line) for line in (WORK / f"studio/runs/base-{objective}/metrics.jsonl").read_text().splitlines()]
    values = [line["values"] for line in told if "values" in line]
    before = next(v["train/score"] for v in values if "train/score" in v)
    expect(out["metric"] == "score" and out["best"] > 2 * before, f"{objective}: scores from {before} to {out}")
    moved = [v["train/kl"] for v in values if "train/kl" in v]
    expect(moved and moved[-1] > 1e-3, f"{objective}: the model has not moved: {moved}")
scored = lambda says, body: ((WORK / "bad.py").write_text(body), run(
    "tune", "grpo", "-m", "base", *STUDIO, "--name", f"never{len(body)}", "--data", "ask.jsonl", "--length", "20", "--reply-tokens", "4", "--scorer",
    f"{sys.executable} bad.py", code=1, says=says))
scored("is no number", "import sys\nfor line in sys.stdin: print('fine')\n")
scored("gave 0 scores", "")
scored("no paper", "raise SystemExit('no paper')\n")
run("tune", "grpo", "-m", "base", *STUDIO, "--name", "never", "--data", "ask.jsonl", code=2, says="--scorer")

bad_pairs = lambda says, objective, data: run("tune", objective, "-m", "base", *STUDIO, "--name", "never", "--data", data, code=1, says=says)
bad_pairs("no record has two different replies", "dpo", lines("alike.jsonl", [{"prompt": "a", "chosen": "x", "rejected": "x"}, {"prompt": "a", "chosen": "",
                                                                                                                           "rejected": "y"}]))
bad_pairs("rejected", "dpo", lines("half.jsonl", [{"prompt": "a", "chosen": "x"}]))
bad_pairs("all replies are wanted", "kto", lines("wanted.jsonl", [{"prompt": "a", "response": "x", "label": True}] * 3))
bad_pairs("true where the reply was wanted", "kto", lines("unsaid.jsonl", [{"prompt": "a", "response": "x", "label": "perhaps"}]))

# A run of that name is refused; it goes on when asked.
run(*SFT, "--name", "taught", code=1, says="--resume")
longer = [*SFT[:SFT.index("--epochs")], "--epochs", "21", *SFT[SFT.index("--epochs") + 2:]]
out = json.loads(run(*longer, "--validation", "held.jsonl", "--name", "taught", "--merge", "f32", "--resume", "--json"))
expect(out["step"] == 315, f"going on: {out}")

# What cannot be learned from.
bad = lambda says, *more: run("tune", "sft", "-m", "base", *STUDIO, "--name", "never", *more, code=1, says=says)
bad("no record has a reply to learn", "--data", lines("empty.jsonl", [{"prompt": "", "response": "x"}, {"prompt": "a", "response": " "},
                                                                     {"prompt": "same", "response": "same"}]))
bad("record 1", "--data", lines("fields.jsonl", [{"question": "a", "answer": "b"}]))
bad("chat template", "--data", "pairs.jsonl", "--format", "chat")
bad("want a model with a chat template", "--data", lines("chat.jsonl", [{"messages": [{"role": "user", "content": "a"}]}]))
bad("nosuch", "--data", "nosuch.jsonl")
bad("types: f32", "--data", "pairs.jsonl", "--merge", "q9")
bad("--length 64 is more than the context of base, 48", "--data", "pairs.jsonl", "--length", "64")
# An adapter goes on with its own model alone.
other = (WORK / "base.toml").read_text().replace("threads = 1", 'threads = 1\nname = "other"\nseed = 2')
(WORK / "other.toml").write_text(other)
run("train", "other.toml", *STUDIO, "--quiet")
run("tune", "sft", "-m", "other", *SFT[4:], "--name", "taught", "--resume", code=1, says="an adapter to another model")
expect(not (WORK / "studio/models/never.gguf").exists(), "a model of a run that failed")
print("failures:", len(FAILURES))
sys.exit(1 if FAILURES else 0)
