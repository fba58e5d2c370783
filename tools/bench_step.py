"""Training steps of one model of bench/step_models.cc, two threads, by turns with PyTorch.

Usage: bench_step.py MODEL STEP_BENCH PEER_PYTHON [--rounds N] [--steps N] [--still] [--modes LIST] [--curves FILE]

Both begin with the same parameters and draw the same batches. PyTorch runs as eager f32, bf16 autocast, and torch.compile with
bf16; the best of them is what counts. --modes f32,... leaves out what takes a minute a step, as bf16 may without AVX-512. Prints
medians, the ratio, the share of the machine's limit, and how far the losses lie apart, which says something where nothing is
dropped at random: --still switches dropout off. --curves writes the losses of all as a table. Ends with 1 below the model's aim.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import machine_limit

HERE = pathlib.Path(__file__).parent
# The least ratio, and the products of one step: 6 x parameters x rows, attention and what is not trained counted apart.
GPT = 6 * (6 * 12 * 256 * 256 + 8192 * 256) * 4096 + 6 * 16 * 3.5 * 2 * 256 * 256 * 256
# Real tokens: both sides have 17.5 a pair. Encoder, keys, decoder, queries, readout, head.
SEQ2SEQ = 6 * 64 * 17.5 * (2 * 1024 * 512 + 512 * 512 + 2048 * 1280 + 512 * 512 + 512 * 1280 + 8192 * 512)
# Real tokens: lengths of tools/step_peers/bert.py have the mean 43.2, their squares 2537.
BERT = 6 * 12 * (4 * 384 * 384 + 2 * 384 * 1536) * 16 * 43.2 + 12 * 16 * 3.5 * 4 * 2537 * 384
DISCRIMINATOR, GENERATOR = 784 * 256 + 256 * 256 + 256, 100 * 256 + 256 * 256 + 256 * 784
MODELS = {
    "gpt2": (1.5, GPT),
    "llama": (1.5, GPT),
    "lstm": (1.3, 6 * (2048 * (256 + 512) + 2048 * (512 + 512) + 8192 * 512) * 4096),
    "seq2seq": (1.3, SEQ2SEQ),
    "bert": (2.0, BERT),
    "gan": (3.0, 64 * (2 * (6 * DISCRIMINATOR - 2 * 784 * 256) + 4 * DISCRIMINATOR + 2 * GENERATOR + 6 * GENERATOR - 2 * 100 * 256)),
}
parser = argparse.ArgumentParser()
parser.add_argument("model", choices=MODELS)
parser.add_argument("program")
parser.add_argument("python")
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--steps", type=int, help="of a turn (default: 4; of the GAN, whose step is of milliseconds, 50)")
parser.add_argument("--still", action="store_true")
parser.add_argument("--modes", default="f32,bf16,compile")
parser.add_argument("--curves")
options = parser.parse_args()
AIM, FLOPS = MODELS[options.model]
STEPS = options.steps or (50 if options.model == "gan" else 4)
STILL = ["still"] if options.still else []


class Racer:
    def __init__(self, name, command):
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.wall, self.processor, self.losses = [], [], []
        self.torch = ""

    def go(self, steps, counts=True):
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            return False
        told = json.loads(line)
        self.torch = told.get("torch", "")
        self.losses += told["losses"]
        if counts:
            self.wall += told["wall"]
            self.processor += told["processor"]
        return True

    def line(self):
        return (f"{self.name:<28} {1e3 * statistics.median(self.wall):8.1f} ms wall "
                f"{1e3 * statistics.median(self.processor):8.1f} ms processor   loss {self.losses[0]:.4f} -> {self.losses[-1]:.4f}")


with tempfile.TemporaryDirectory() as folder:
    weights = f"{folder}/weights.safetensors"
    ours = Racer("Atelier, bf16", [options.program, options.model, "fused", weights, *STILL])
    if not ours.go(1, counts=False):
        sys.exit(f"{options.program} died")
    peers = [Racer(f"PyTorch, {mode}", [options.python, str(HERE / "peer_step.py"), options.model, mode, weights, *STILL])
             for mode in options.modes.split(",")]
    for peer in [peer for peer in peers if not peer.go(1, counts=False)]:  # oneDNN: not every layer in bf16 everywhere
        print(f"{peer.name} cannot do this model on this machine")
        peers.remove(peer)
    if not peers:
        sys.exit("no peer can do this model on this machine")
    for racer in [ours, *peers]:
        racer.go(2, counts=False)
    for _ in range(options.rounds):
        for racer in [ours, *peers]:
            if not racer.go(STEPS):
                sys.exit(f"{racer.name} died")
best = min(peers, key=lambda p: statistics.median(p.wall))
for racer in [ours, *peers]:
    print(racer.line())
seconds = statistics.median(ours.wall)
ratio = statistics.median(best.wall) / seconds
rounds = [statistics.median(best.wall[i : i + STEPS]) / statistics.median(ours.wall[i : i + STEPS])
          for i in range(0, len(ours.wall), STEPS)]
apart = max(abs(a - b) / b for a, b in zip(ours.losses, peers[0].losses))
print(f"{options.model}: {ratio:.2f}x the best of PyTorch {best.torch} ({best.name}); rounds {min(rounds):.2f} to {max(rounds):.2f}")
limit, kind = machine_limit.measure()
print(f"{FLOPS / seconds / 1e9:.0f} GFLOP/s, {FLOPS / seconds / limit:.0%} of the {limit / 1e9:.0f} that two cores can do in {kind}; losses within "
      f"{apart:.2%} of those of {peers[0].name} over {len(ours.losses)} steps")
if options.curves:
    with open(options.curves, "w") as file:
        print("step", *[r.name for r in [ours, *peers]], sep="\t", file=file)
        for i, row in enumerate(zip(ours.losses, *[p.losses for p in peers])):
            print(i + 1, *[f"{loss:.5f}" for loss in row], sep="\t", file=file)
sys.exit(0 if ratio >= AIM else 1)
