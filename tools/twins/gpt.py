"""Llama's and GPT-2's decoder, written from their papers: RoPE as complex numbers, attention by an explicit mask."""
import math

import torch
from torch import nn
from torch.nn import functional as F

from twin import IGNORED, Twin, token_batches


class RmsNorm(nn.Module):
    def __init__(self, width, eps):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(width)), eps

    def forward(self, x):
        return F.rms_norm(x, x.shape[-1:], self.weight, self.eps)


def rotate(x, base):  # [batch, time, heads, head]
    time, head = x.shape[1], x.shape[3]
    angles = torch.outer(torch.arange(time, dtype=torch.float64), base ** (-torch.arange(0, head, 2, dtype=torch.float64) / head))
    turn = torch.polar(torch.ones_like(angles), angles).to(torch.complex64)
    pairs = torch.view_as_complex(x.reshape(*x.shape[:-1], head // 2, 2))
    return torch.view_as_real(pairs * turn[None, :, None]).flatten(3)


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c = c
        w, kv, bias = c["width"], c["width"] // c["heads"] * c["kv_heads"], not c["llama"]
        norm = (lambda: RmsNorm(w, c["eps"])) if c["llama"] else (lambda: nn.LayerNorm(w, c["eps"]))
        self.attn_norm, self.ffn_norm = norm(), norm()
        self.attn_q, self.attn_output = nn.Linear(w, w, bias), nn.Linear(w, w, bias)
        self.attn_k, self.attn_v = nn.Linear(w, kv, bias), nn.Linear(w, kv, bias)
        if c["llama"]:
            self.ffn_gate = nn.Linear(w, c["hidden"], bias)
        self.ffn_up, self.ffn_down = nn.Linear(w, c["hidden"], bias), nn.Linear(c["hidden"], w, bias)

    def forward(self, x):
        c = self.c
        b, t, w = x.shape
        y = self.attn_norm(x)
        q = self.attn_q(y).view(b, t, c["heads"], -1)
        k, v = self.attn_k(y).view(b, t, c["kv_heads"], -1), self.attn_v(y).view(b, t, c["kv_heads"], -1)
        if c["llama"]:
            q, k = rotate(q, c["base"]), rotate(k, c["base"])
        repeat = c["heads"] // c["kv_heads"]
        k, v = k.repeat_interleave(repeat, 2), v.repeat_interleave(repeat, 2)
        scores = torch.einsum("bqhd,bkhd->bhqk", q, k) / math.sqrt(q.shape[-1])
        scores = scores.masked_fill(torch.triu(torch.ones(t, t, dtype=torch.bool), 1), -math.inf)
        x = x + self.attn_output(torch.einsum("bhqk,bkhd->bqhd", scores.softmax(-1), v).reshape(b, t, w))
        y = self.ffn_norm(x)
        y = F.silu(self.ffn_gate(y)) * self.ffn_up(y) if c["llama"] else F.gelu(self.ffn_up(y))
        return x + self.ffn_down(y)


class Gpt(nn.Module):
    def __init__(self, vocabulary, context, label_smoothing=0.0, tied=True, **c):
        super().__init__()
        torch.manual_seed(3)
        self.c, self.label_smoothing = c, label_smoothing
        self.token_embd = nn.Embedding(vocabulary, c["width"])
        if not c["llama"]:
            self.position_embd = nn.Embedding(context, c["width"])
        self.blk = nn.ModuleList(Block(c) for _ in range(c["layers"]))
        self.output_norm = RmsNorm(c["width"], c["eps"]) if c["llama"] else nn.LayerNorm(c["width"], c["eps"])
        if not tied:
            self.output = nn.Linear(c["width"], vocabulary, bias=False)
        self.tied = tied

    def forward(self, batch, part):
        ids = batch["inputs"]
        x = self.token_embd(ids)
        if not self.c["llama"]:
            x = x + self.position_embd.weight[: ids.shape[1]]
        for block in self.blk:
            x = block(x)
        logits = self.output_norm(x) @ (self.token_embd.weight if self.tied else self.output.weight).T
        return F.cross_entropy(logits.flatten(0, 1), batch["targets"].flatten(), ignore_index=IGNORED,
                               label_smoothing=self.label_smoothing)


TWINS = [
    Twin("gpt_llama", "gpt", "layers = 2\nwidth = 24\nheads = 4\nkv_heads = 2\nhidden = 40\n",
         dict(vocabulary=37, sequence_length=11),
         Gpt(37, 11, llama=True, layers=2, width=24, heads=4, kv_heads=2, hidden=40, eps=1e-5, base=10000.0),
         token_batches(37, 3, 11)),
    Twin("gpt_untied", "gpt", "layers = 1\nwidth = 12\nheads = 2\nhidden = 20\ntied = false\nrope_base = 500.0\n",
         dict(vocabulary=29, sequence_length=9),
         Gpt(29, 9, 0.1, False, llama=True, layers=1, width=12, heads=2, kv_heads=2, hidden=20, eps=1e-5, base=500.0),
         token_batches(29, 4, 9, ragged=True), label_smoothing=0.1,
         optimiser=dict(name="sgd", rate=0.1, momentum=0.9, weight_decay=0.0, clip=0.0)),
    Twin("gpt_gpt2", "gpt", 'form = "gpt2"\nlayers = 2\nwidth = 20\nheads = 4\n',
         dict(vocabulary=31, sequence_length=13),
         Gpt(31, 13, llama=False, layers=2, width=20, heads=4, kv_heads=4, hidden=80, eps=1e-5),
         token_batches(31, 3, 13)),
]
