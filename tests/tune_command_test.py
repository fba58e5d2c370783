"""atelier tune sft as people use it: a small model taught replies, merged, served; and what it refuses.

Usage: tune_command_test.py ATELIER ATELIER_LEARN
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ATELIER, LEARN = (str(pathlib.Path(p).resolve()) for p in sys.argv[1:3])
WORK = pathlib.Path(tempfile.mkdtemp(prefix="tune_command_"))
ENV = os.environ | {"ATELIER_HOME": str(WORK / "home"), "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1"}
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
