"""Steps of tuning, two threads, by turns with Hugging Face's PEFT (tools/bench_tune_peer.py says what both do).

Usage: bench_tune.py sft|dpo MODEL.gguf TUNE_BENCH PEER_PYTHON [--rounds N] [--steps N] [--ways LIST]

MODEL is SmolLM2-135M as the engine has it, quantised; PEFT's has its shape and random weights. The best of PEFT's ways is what
counts. Prints tokens a second, peak memory and the ratios; ends with 1 below 1.5x the speed or above half the memory.
"""
import argparse
import pathlib
import statistics
import subprocess
import sys

from bench_tune_peer import BEST, ROWS, TIME, ask

HERE = pathlib.Path(__file__).parent
parser = argparse.ArgumentParser()
parser.add_argument("mode", choices=["sft", "dpo"])
parser.add_argument("model")
parser.add_argument("program")
parser.add_argument("python")
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--steps", type=int, default=2)
parser.add_argument("--ways", default=BEST)
options = parser.parse_args()
TOKENS = ROWS * TIME * (2 if options.mode == "dpo" else 1)


class Racer:
    def __init__(self, name, command):
        self.name, self.wall, self.told = name, [], {}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def go(self, steps, counts=True):
        try:
            self.told = ask(self.process, steps)
        except BrokenPipeError:
            self.told = None
        if self.told and counts:
            self.wall.append(self.told["wall"])
        return self.told is not None

    @property
    def seconds(self):
        return statistics.median(sum(self.wall, []))

    def line(self):
        return f"{self.name:<30} {TOKENS / self.seconds:7.1f} tokens/s {1e3 * self.seconds:8.0f} ms {self.told['memory_mib']:6} MiB"


ours = Racer("Atelier", [options.program, options.model, options.mode, "fused"])
if not ours.go(1, counts=False):
    sys.exit(f"{options.program} died")
peers = [Racer(f"PEFT, {way}", [options.python, str(HERE / "bench_tune_peer.py"), "--peer", options.mode, way])
         for way in options.ways.split(",")]
for peer in [peer for peer in peers if not peer.go(2, counts=False)]:
    print(f"{peer.name} cannot do this on this machine")
    peers.remove(peer)
if not peers:
    sys.exit("PEFT cannot do this on this machine")
for _ in range(options.rounds):
    for racer in [ours, *peers]:
        if not racer.go(options.steps):
            sys.exit(f"{racer.name} died")
best = min(peers, key=lambda peer: peer.seconds)
for racer in [ours, *peers]:
    print(racer.line())
ratio = best.seconds / ours.seconds
rounds = [statistics.median(theirs) / statistics.median(mine) for theirs, mine in zip(best.wall, ours.wall)]
memory = ours.told["memory_mib"] / best.told["memory_mib"]
print(f"{options.mode}: {ratio:.2f}x the best of PEFT ({best.name}, torch {best.told['torch']}); rounds {min(rounds):.2f} to "
      f"{max(rounds):.2f}; {memory:.2f} of its memory")
sys.exit(0 if ratio >= 1.5 and memory <= 0.5 else 1)
