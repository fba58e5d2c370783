"""What serving loses while a training job runs on the same cores: decode speed and latency, by turns without and with it.

Usage: bench_beside_training.py ATELIER [--tune] [--rounds N] [--requests N]

Serves smollm2 and streams replies of 64 tokens, one after the other; meanwhile `atelier train` trains a GPT (6 layers, width
256), or with --tune `atelier tune sft` teaches smollm2 replies; it is held with its parent (SIGSTOP) in every other round. Prints medians of decode speed, 99th percentiles of the time
to the first token and between tokens, their ratios, and how much of its own speed the training kept; ends with 1 where less than
80 % of the decode speed is left, or a percentile grows by more than a quarter.
"""
import argparse
import http.client
import json
import os
import pathlib
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("--tune", action="store_true")
parser.add_argument("--rounds", type=int, default=4)
parser.add_argument("--requests", type=int, default=12)
options = parser.parse_args()
ATELIER = str(pathlib.Path(options.program).resolve())
folder = pathlib.Path(tempfile.mkdtemp(prefix="beside_"))


def port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def stream(at):
    """(seconds to the first piece, gaps between pieces, tokens a second after the first)"""
    connection = http.client.HTTPConnection("127.0.0.1", at, timeout=120)
    body = {"model": "smollm2", "stream": True, "max_tokens": 64, "temperature": 0.8, "seed": random.randrange(1 << 30),
            "messages": [{"role": "user", "content": f"Write about the number {random.random()}."}]}
    start = time.perf_counter()
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
    times = []
    for line in connection.getresponse():
        if line.startswith(b"data: {") and b'"content"' in line:
            times.append(time.perf_counter())
    connection.close()
    gaps = [b - a for a, b in zip(times, times[1:])]
    return times[0] - start, gaps, len(gaps) / (times[-1] - times[0])


def trained():
    """Steps so far."""
    return max((json.loads(line).get("step", 0) for line in (folder / "run/metrics.jsonl").read_text().splitlines()), default=0)


def p99(values):
    return sorted(values)[int(0.99 * (len(values) - 1))]


random.seed(1)
words = ["春眠不觉晓", "处处闻啼鸟", "the quick brown fox", "jumps over", "夜来风雨声", "花落知多少", "lazy dog"]
(folder / "texts.txt").write_text("\n".join(" ".join(random.choices(words, k=40)) for _ in range(3000)))
(folder / "beside.toml").write_text(f"""[model]
architecture = "gpt"
[tokenizer]
type = "bytes"
[data]
train = "{folder}/texts.txt"
[train]
steps = 1000000
batch = 16
precision = "bf16"
[track]
every = 1
""")
subprocess.run([ATELIER, "init", str(folder / "studio")], check=True, capture_output=True)
subprocess.run([ATELIER, "model", "pull", "smollm2", "--studio", str(folder / "studio")], check=True, capture_output=True)
at = port()
server = subprocess.Popen([ATELIER, "serve", "--studio", str(folder / "studio"), "--listen", f"127.0.0.1:{at}"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
job = ["train", str(folder / "beside.toml")]
if options.tune:
    (folder / "pairs.jsonl").write_text("".join(json.dumps(
        {"prompt": " ".join(random.choices(words, k=12)), "response": " ".join(random.choices(words, k=12))}) + "\n" for _ in range(3000)))
    job = ["tune", "sft", "-m", "smollm2", "--data", str(folder / "pairs.jsonl"), "--epochs", "1000"]
training = subprocess.Popen([ATELIER, *job, "--run", str(folder / "run"), "--quiet"], cwd=folder,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    for _ in range(200):
        time.sleep(0.1)
        try:
            socket.create_connection(("127.0.0.1", at), 1).close()
            break
        except OSError:
            pass
    learner = 0
    for _ in range(600):
        found = subprocess.run(["pgrep", "-P", str(training.pid)], capture_output=True, text=True).stdout.split()
        if found and (folder / "run/metrics.jsonl").exists() and (folder / "run/metrics.jsonl").read_text().count("\n") > 1:
            learner = int(found[0])
            break
        time.sleep(0.1)
    if not learner:
        sys.exit("the training did not start")
    from_step, since = trained(), time.perf_counter()
    time.sleep(40 if options.tune else 10)  # tune tells of every tenth step
    free = (trained() - from_step) / (time.perf_counter() - since)
    for _ in range(3):
        stream(at)
    told = {False: ([], [], []), True: ([], [], [])}
    steps, seconds = 0, 0.0
    for turn in range(2 * options.rounds):
        beside = turn % 2 == 1
        for process in [training.pid, learner]:
            os.kill(process, signal.SIGCONT if beside else signal.SIGSTOP)
        time.sleep(0.5)
        from_step, since = trained(), time.perf_counter()
        for _ in range(options.requests):
            first, gaps, speed = stream(at)
            told[beside][0].append(first)
            told[beside][1].extend(gaps)
            told[beside][2].append(speed)
        if beside:
            steps += trained() - from_step
            seconds += time.perf_counter() - since
    for process in [training.pid, learner]:
        os.kill(process, signal.SIGCONT)
finally:
    training.terminate()
    server.terminate()
    for process in [training, server]:
        process.wait(60)
for beside, name in [(False, "alone"), (True, "beside training")]:
    first, gaps, speed = told[beside]
    print(f"{name:<16} {statistics.median(speed):7.1f} tokens/s   p99 to the first {1e3 * p99(first):7.1f} ms, between {1e3 * p99(gaps):6.1f} ms")
kept = statistics.median(told[True][2]) / statistics.median(told[False][2])
first, between = (p99(told[True][i]) / p99(told[False][i]) for i in (0, 1))
print(f"{kept:.0%} of the decode speed is kept; p99 to the first token {first:.2f}x, between tokens {between:.2f}x; the training kept "
      f"{steps / seconds / free:.1%} of its {free:.2f} steps a second")
sys.exit(0 if kept >= 0.8 and max(first, between) <= 1.25 else 1)
