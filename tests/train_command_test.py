"""atelier train as people use it: a small model from start to GGUF, stopped and gone on with, killed, and given bad input.

Usage: train_command_test.py ATELIER ATELIER_LEARN
"""
import fcntl
import json
import math
import os
import pathlib
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import time

ATELIER, LEARN = (str(pathlib.Path(p).resolve()) for p in sys.argv[1:3])
WORK = pathlib.Path(tempfile.mkdtemp(prefix="train_command_"))
ENV = os.environ | {"ATELIER_HOME": str(WORK / "home"), "LANG": "C.UTF-8"}
FAILURES = []


def expect(condition, what):
    if not condition:
        FAILURES.append(what)
        print("FAILED:", what)


def run(*args, code=0, cwd=WORK, program=ATELIER, **more):
    done = subprocess.run([program, *map(str, args)], cwd=cwd, env=ENV, capture_output=True, text=True, timeout=280, **more)
    expect(done.returncode == code, f"{args}: exit {done.returncode}, not {code}: {done.stdout[-400:]} {done.stderr[-600:]}")
    return done


POEM = "春眠不觉晓，处处闻啼鸟。夜来风雨声，花落知多少。 The quick brown fox 🙂 jumps over the lazy dog."


def config(name, steps=30, train="poems.jsonl", model="", more="", rate="3e-3", optimiser="adamw", run_more="", train_more=""):
    path = WORK / f"{name}.toml"
    path.write_text(f"""[run]
name = "{name}"
threads = 1
{run_more}
[model]
architecture = "gpt"
layers = 2
width = 64
heads = 4
kv_heads = 2
{model}
[tokenizer]
type = "bpe"
vocabulary = 300
[data]
train = "{train}"
validation = "valid.jsonl"
sequence_length = 32
[train]
steps = {steps}
batch = 8
{train_more}
[optimiser]
name = "{optimiser}"
rate = {rate}
[validation]
every = 10
[track]
every = 1
samples = 1
prompt = "春"
{more}
""")
    return path


def losses(folder):
    found = {}
    for line in (folder / "metrics.jsonl").read_text().splitlines():
        row = json.loads(line)
        for name, value in (row.get("values") or {}).items():
            if name == "train/loss":
                found[row["step"]] = value
    return found


def whole():
    """From a configuration to a model that the engine serves; the same text from LibTorch and from our engine."""
    run("init", "studio")
    studio = WORK / "studio"
    done = run("train", config("poems", 60), "--studio", studio, "--json")
    out = json.loads(done.stdout)
    expect(out["ending"] == "finished" and out["step"] == 60, f"outcome {out}")
    expect(out["model"] == "poems", f"the model's name: {out}")
    folder = studio / "runs/poems"
    for file in ["config.toml", "tokenizer.json", "best.safetensors", "last.safetensors", "metrics.jsonl", "report.html"]:
        expect((folder / file).is_file(), f"no {file} in the run's folder")
    expect(list(folder.glob("events.out.tfevents.*")), "no event file for TensorBoard")
    curve = losses(folder)
    expect(len(curve) == 60 and curve[60] < curve[1] - 1, f"it did not learn: {curve.get(1)} -> {curve.get(60)}")
    listed = json.loads(run("model", "list", "--studio", studio, "--json").stdout)["models"]
    expect([m["name"] for m in listed if m["registered"]] == ["poems"], f"registered: {listed}")
    run("model", "verify", "poems", "--studio", studio)
    file = pathlib.Path(json.loads(run("model", "show", "poems", "--studio", studio, "--json").stdout)["path"]).read_bytes()
    key = file.index(b"tokenizer.ggml.add_bos_token") + len(b"tokenizer.ggml.add_bos_token") + 4
    expect(file[key] == 1, "texts began with a mark in training, and do not in the engine")
    for prompt in ["春眠", "The quick", "夜来风雨"]:
        ours = json.loads(run("generate", "-m", "poems", "-p", prompt, "--temperature", 0, "--max-tokens", 24, "--studio", studio,
                              "--json").stdout)["text"]
        told = run("generate", "--model", folder / "best.safetensors", "--tokens", 24, "--temperature", 0,
                   program=LEARN, input=prompt).stdout.splitlines()
        text = json.loads(told[-1])["texts"][0]
        expect(text == prompt + ours or text == ours, f"{prompt}: the engine says {ours!r}, LibTorch {text!r}")
    # Going on with more steps renews the model.
    out = json.loads(run("train", config("poems", 70), "--studio", studio, "--resume", "--json").stdout)
    expect(out["step"] == 70 and out["model"] == "poems", f"going on in a studio: {out}")
    run("model", "verify", "poems", "--studio", studio)
    # A second run of that name is refused, in one line that says what to do.
    again = run("train", config("poems", 60), "--studio", studio, code=1)
    expect("--resume" in again.stderr, again.stderr)
    other = run("train", config("poems", 60), "--studio", studio, "--run", WORK / "elsewhere", code=1)
    expect("run.name" in other.stderr, other.stderr)


def scores():
    """Bits per character: those of the validation where every text is one row, and of whole texts in windows."""
    found = {}
    for name, length, layout in [("rows", 160, "records"), ("windows", 24, "packed")]:
        path = config(name, 10)
        path.write_text(path.read_text().replace("sequence_length = 32", f'sequence_length = {length}\nlayout = "{layout}"'))
        folder = WORK / f"score_{name}"
        run("train", path, "--run", folder, "--json")
        told = json.loads(run("score", "--run", folder, "--input", WORK / "valid.jsonl", program=LEARN).stdout.splitlines()[-1])
        texts = [json.loads(line)["text"] for line in (WORK / "valid.jsonl").read_text().splitlines()]
        expect(told["records"] == 20 and told["characters"] == sum(map(len, texts)) and told["unknown"] == 0, f"{name}: {told}")
        bits = math.log2(told["perplexity"]) * told["tokens"] / (told["characters"] + 20)
        expect(abs(told["bits_per_character"] - bits) < 1e-9 * bits, f"{name}: {told}")
        found[name] = told
        if name == "rows":
            last = [json.loads(line)["values"]["validation/loss"] for line in (folder / "metrics.jsonl").read_text().splitlines()
                    if "validation/loss" in json.loads(line).get("values", {})][-1]
            expect(abs(math.log(told["perplexity"]) - last) < 2e-5 * last, f"score {math.log(told['perplexity'])}, validation {last}")
    expect(found["rows"]["tokens"] == found["windows"]["tokens"], f"every token is asked once: {found}")
    (WORK / "void.jsonl").write_text("")
    run("score", "--run", WORK / "score_rows", "--input", WORK / "void.jsonl", program=LEARN, code=1)


def resumes():
    """Ctrl-C saves; a kill loses what came after the last checkpoint and no more; both go on to the bit."""
    reference = WORK / "reference"
    run("train", config("whole", 300, model="dropout = 0.1"), "--run", reference, "--json")
    for how in [signal.SIGINT, signal.SIGKILL]:
        folder = WORK / f"stopped_{how.name}"
        child = subprocess.Popen([ATELIER, "train", str(config("whole", 300, model="dropout = 0.1")), "--run", str(folder)], cwd=WORK,
                                 env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.time() + 200
        while time.time() < deadline and not (folder / "last.safetensors").exists():
            time.sleep(0.02)
        child.send_signal(how)
        out, err = child.communicate(timeout=120)
        if how == signal.SIGINT:
            expect(child.returncode == 130, f"Ctrl-C: {child.returncode} {out} {err}")
        while time.time() < deadline and subprocess.run(["pgrep", "-f", f"^{LEARN} train .*{folder}"], capture_output=True).returncode == 0:
            time.sleep(0.05)  # a killed parent's child saves and ends by itself
        run("train", config("whole", 300, model="dropout = 0.1"), "--run", folder, "--resume", "--json")
        expect(losses(folder) == losses(reference), f"{how.name}: other losses after going on")
    again = json.loads(run("train", config("whole", 300, model="dropout = 0.1"), "--run", reference, "--resume", "--json").stdout)
    expect(again["step"] == 300 and "last_loss" not in again, f"nothing was left to do, and no loss is told: {again}")


def several():
    """Two processes compute what one does."""
    if subprocess.run(["which", "mpirun"], capture_output=True).returncode != 0:
        expect(False, "mpirun is not installed")
        return
    one, two = WORK / "one", WORK / "two"
    run("train", config("one", 20), "--run", one, "--json")
    run("train", config("one", 20), "--run", two, "--nproc", 2, "--json")
    a, b = losses(one), losses(two)
    worst = max(abs(a[s] - b[s]) for s in a)
    expect(a.keys() == b.keys() and worst < 2e-4, f"two processes differ by {worst}")
    # What is wrong is said, whichever process finds it.
    said = run("train", config("wrong", train="none.jsonl"), "--run", WORK / "wrong", "--nproc", 2, code=1).stderr
    expect("none.jsonl" in said and "processes died" not in said, said)
    # Ctrl-C saves here, too.
    folder = WORK / "two_stopped"
    child = subprocess.Popen([ATELIER, "train", str(config("long", 100000)), "--run", str(folder), "--nproc", "2"], cwd=WORK, env=ENV,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.time() + 200
    while time.time() < deadline and not (folder / "last.safetensors").exists():
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=120)
    expect(child.returncode == 130 and "interrupted" in out, f"{child.returncode}: {out[-300:]} {err}")
    # A worker that dies ends the job, clearly, and the checkpoint holds.
    folder = WORK / "killed"
    child = subprocess.Popen([ATELIER, "train", str(config("long", 100000)), "--run", str(folder), "--nproc", "2"], cwd=WORK, env=ENV,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.time() + 200
    while time.time() < deadline and not (folder / "last.safetensors").exists():
        time.sleep(0.05)
    workers = [int(p) for p in subprocess.run(["pgrep", "-f", f"^{LEARN} train .*{folder}"], capture_output=True, text=True).stdout.split()]
    expect(len(workers) == 2, f"workers: {workers}")
    if workers:
        os.kill(workers[-1], signal.SIGKILL)
    out, err = child.communicate(timeout=120)
    expect(child.returncode == 1 and "one of the 2 processes died" in err and "--resume" in err, f"{child.returncode}: {err}")
    run("evaluate", "form", code=2)  # the program still works; and the checkpoint:
    run("export", "--model", folder / "last.safetensors", "--out", WORK / "killed.gguf", program=LEARN)


def stands_still():
    """While somebody is in the foreground no process of a training goes on; Ctrl-C is heard all the same."""
    lock = WORK / "home/foreground.lock"
    lock.parent.mkdir(exist_ok=True)

    def steps(folder):
        file = folder / "metrics.jsonl"
        return max((json.loads(line).get("step", 0) for line in file.read_text().splitlines(False) if line.endswith("}")), default=0) if file.exists() else 0

    for processes in [1, 2]:
        folder = WORK / f"still_{processes}"
        child = subprocess.Popen([ATELIER, "train", str(config("long", 100000)), "--run", str(folder), "--nproc", str(processes)], cwd=WORK,
                                 env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.time() + 200
        while time.time() < deadline and steps(folder) < 5:
            time.sleep(0.05)
        with open(lock, "a+") as file:
            shared = struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, 0, 0, 0)
            fcntl.fcntl(file, 37, shared)  # F_OFD_SETLK
            time.sleep(1)
            before = steps(folder)
            time.sleep(2)
            after = steps(folder)
            expect(before == after and before >= 5, f"{processes} processes went on: {before} to {after}")
            if processes == 2:
                child.send_signal(signal.SIGINT)
                out, err = child.communicate(timeout=120)
                expect(child.returncode == 130 and "interrupted" in out, f"Ctrl-C while it stands: {child.returncode} {out[-300:]} {err}")
        if processes == 1:
            while time.time() < deadline and steps(folder) <= after:
                time.sleep(0.05)
            expect(steps(folder) > after, "it goes on behind it")
            child.send_signal(signal.SIGINT)
            child.communicate(timeout=120)


def refuses():
    """One clear line for what is wrong."""
    def says(path, *texts, code=1, **more):
        done = run("train", path, "--run", WORK / f"bad_{len(list(WORK.glob('bad_*')))}", "--quiet", code=code, **more)
        for text in texts:
            expect(text in done.stderr, f"{path.name}: {text!r} is not in {done.stderr!r}")
        expect(len(done.stderr.strip().splitlines()) == 1, f"more than a line: {done.stderr}")

    says(config("nan", rate="1000.0", optimiser="sgd", train_more="clip = 0.0"), "step ", "record ")
    (WORK / "empty.jsonl").write_text("")
    says(config("empty", train="empty.jsonl"), "empty.jsonl")
    (WORK / "blank.jsonl").write_text('{"text":""}\n' * 5)
    says(config("blank", train="blank.jsonl"), "blank.jsonl")
    says(config("none", train="none.jsonl"), "none.jsonl")
    says(config("field", more="[nonsense]\na = 1"), "nonsense")
    says(config("heads", model="dropuot = 0.1"), "dropuot", "dropout")
    says(config("layers", model="rope_base = -1.0"), "rope_base")
    judged = config("judged")
    judged.write_text(judged.read_text().replace("every = 10\n", 'every = 10\nmetric = "macro_f1"\n', 1))
    says(judged, "validation.metric", "macro_f1", "loss")
    judged.write_text(judged.read_text().replace('validation = "valid.jsonl"\n', ""))
    says(judged, "metric", "data.validation")
    keeps = config("keeps", train_more="gradient_checkpointing = true")
    keeps.write_text(keeps.read_text().replace('"gpt"', '"lstm"').replace("heads = 4\nkv_heads = 2\n", ""))
    says(keeps, "gradient_checkpointing")
    (WORK / "nofield.jsonl").write_text('{"poem":"x"}\n')
    says(config("nofield", train="nofield.jsonl"), "'text'", "poem")
    # A damaged checkpoint.
    folder = WORK / "reference"
    last = folder / "last.safetensors"
    sound = last.read_bytes()
    last.write_bytes(sound[: len(sound) // 2] + bytes([sound[len(sound) // 2] ^ 1]) + sound[len(sound) // 2 + 1 :])
    done = run("train", config("whole", 400, model="dropout = 0.1"), "--run", folder, "--resume", code=1)
    expect("last.safetensors" in done.stderr, done.stderr)
    last.write_bytes(sound[:1000])
    run("train", config("whole", 400, model="dropout = 0.1"), "--run", folder, "--resume", code=1)
    last.write_bytes(sound)
    # A full disk: files may not grow beyond 300 kB, a checkpoint is larger.
    full = WORK / "full"
    done = run("train", config("full", 30), "--run", full, code=1,
               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000)))
    expect("safetensors" in done.stderr or "No space" in done.stderr or "too large" in done.stderr, done.stderr)
    expect(not list(full.glob("*.safetensors*")), f"left behind: {list(full.iterdir())}")


def searches():
    """Settings are searched, and what was found is a configuration."""
    config("base", 12)
    (WORK / "search.toml").write_text("""[search]
base = "base.toml"
metric = "validation/loss"
goal = "min"
method = "halving"
trials = 4
steps = 12
first_steps = 4
eta = 3
[search.space]
"optimiser.rate" = { log = [1e-6, 1e-2] }
""")
    out = json.loads(run("run", "search", "search.toml", "--folder", "searched", "--json").stdout)
    expect(out["finished"] and len(out["trials"]) == 4, f"the search: {out}")
    best = out["trials"][0]
    expect(best["steps"] == 12 and best["number"] == out["best"], f"the best went to the end: {out}")
    rates = {t["number"]: t["values"]["optimiser.rate"] for t in out["trials"]}
    expect(rates[out["best"]] == max(rates.values()), f"with so few steps the fastest wins: {out}")
    for file in ["best.toml", "report.html", "search.json"]:
        expect((WORK / "searched" / file).is_file(), f"no {file} of the search")
    again = json.loads(run("run", "search", "search.toml", "--folder", "searched", "--json").stdout)
    expect(again["trials"] == out["trials"], "a finished search was run again")


def fenced():
    """The product itself links no LibTorch."""
    libraries = [line.split()[0] for line in subprocess.run(["ldd", ATELIER], capture_output=True, text=True).stdout.splitlines()]
    expect(len(libraries) > 5, f"ldd told {libraries}")
    for library in libraries:
        expect(not any(name in library for name in ["torch", "c10", "mpi", "gomp"]), f"atelier links {library}")


for name in ["poems.jsonl", "valid.jsonl"]:
    count = 200 if name == "poems.jsonl" else 20
    (WORK / name).write_text("".join(json.dumps({"text": f"{i} {POEM[i % 7:]}"}, ensure_ascii=False) + "\n" for i in range(count)))
fenced()
whole()
scores()
resumes()
several()
stands_still()
refuses()
searches()
print("failures:", len(FAILURES))
sys.exit(1 if FAILURES else 0)
