"""The GPT of bench/gpt_bench.cc in PyTorch, as one writes it there: fused QKV product, scaled_dot_product_attention, fused AdamW.

Usage: peer_gpt.py llama|gpt2 f32|bf16|compile WEIGHTS. Numbers of steps come on standard input, lines of JSON go out.
"""
import json
import os
import resource
import sys
import time

sys.setdlopenflags(os.RTLD_LAZY)  # CUDA libraries may be empty stand-ins: tools/golden.sh
import torch  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

FORM, MODE, WEIGHTS = sys.argv[1:4]
VOCABULARY, TIME, LAYERS, WIDTH, HEADS = 8192, 256, 6, 256, 4
HIDDEN = 704 if FORM == "llama" else 1024


class RmsNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(WIDTH))

    def forward(self, x):
        return F.rms_norm(x, x.shape[-1:], self.weight, 1e-5)


def rotate(x, cosines, sines):
    even, odd = x.unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack((even * cosines - odd * sines, even * sines + odd * cosines), -1).flatten(-2).to(x.dtype)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        llama = FORM == "llama"
        norm = RmsNorm if llama else (lambda: nn.LayerNorm(WIDTH, 1e-5))
        self.attn_norm, self.ffn_norm = norm(), norm()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, not llama)
        self.attn_output = nn.Linear(WIDTH, WIDTH, not llama)
        if llama:
            self.ffn_gate = nn.Linear(WIDTH, HIDDEN, False)
        self.ffn_up, self.ffn_down = nn.Linear(WIDTH, HIDDEN, not llama), nn.Linear(HIDDEN, WIDTH, not llama)

    def forward(self, x, cosines, sines):
        batch, time_, width = x.shape
        q, k, v = (y.view(batch, time_, HEADS, -1).transpose(1, 2) for y in self.qkv(self.attn_norm(x)).chunk(3, -1))
        if FORM == "llama":
            q, k = rotate(q, cosines, sines), rotate(k, cosines, sines)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.attn_output(y.transpose(1, 2).reshape(batch, time_, width))
        y = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(y)) * self.ffn_up(y) if FORM == "llama" else F.gelu(self.ffn_up(y)))


class Gpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.token_embd = nn.Embedding(VOCABULARY, WIDTH)
        if FORM != "llama":
            self.position_embd = nn.Embedding(TIME, WIDTH)
        self.blk = nn.ModuleList(Block() for _ in range(LAYERS))
        self.output_norm = RmsNorm() if FORM == "llama" else nn.LayerNorm(WIDTH, 1e-5)
        head = WIDTH // HEADS
        angles = torch.outer(torch.arange(TIME, dtype=torch.float64),
                             10000.0 ** (-torch.arange(0, head, 2, dtype=torch.float64) / head))
        self.register_buffer("cosines", angles.cos().float(), persistent=False)
        self.register_buffer("sines", angles.sin().float(), persistent=False)

    def forward(self, ids, targets):
        x = self.token_embd(ids)
        if FORM != "llama":
            x = x + self.position_embd.weight
        for block in self.blk:
            x = block(x, self.cosines, self.sines)
        logits = self.output_norm(x) @ self.token_embd.weight.T
        return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten())


def load(model):
    ours = {name.removeprefix("model/"): value for name, value in load_file(WEIGHTS).items()}
    for i in range(LAYERS):
        for kind in ["weight"] + (["bias"] if FORM != "llama" else []):
            ours[f"blk.{i}.qkv.{kind}"] = torch.cat([ours.pop(f"blk.{i}.attn_{x}.{kind}") for x in "qkv"])
    model.load_state_dict(ours)


def processor():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


torch.set_num_threads(2)
model = Gpt()
load(model)
matrices = [p for p in model.parameters() if p.dim() >= 2]
others = [p for p in model.parameters() if p.dim() < 2]
optimiser = torch.optim.AdamW([{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}], lr=3e-4, fused=True)
forward = torch.compile(model) if MODE == "compile" else model
done = 0
for line in sys.stdin:
    out = {"wall": [], "processor": [], "losses": []}
    for _ in range(int(line)):
        torch.manual_seed(1000 + done)
        done += 1
        ids = torch.randint(VOCABULARY, (16, TIME))
        targets = (ids * 31 + 7).remainder(VOCABULARY)
        start, before = time.perf_counter(), processor()
        with torch.autocast("cpu", torch.bfloat16, enabled=MODE != "f32"):
            loss = forward(ids, targets)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        out["losses"].append(loss.item())
        out["wall"].append(time.perf_counter() - start)
        out["processor"].append(processor() - before)
    print(json.dumps(out | {"torch": torch.__version__}), flush=True)
