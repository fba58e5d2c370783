"""Llama's and GPT-2's decoder, 6 layers of width 256: fused QKV product, scaled_dot_product_attention."""
import torch
from torch import nn
from torch.nn import functional as F

VOCABULARY, TIME, LAYERS, WIDTH, HEADS = 8192, 256, 6, 256, 4


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
    def __init__(self, llama):
        super().__init__()
        self.llama, hidden = llama, 704 if llama else 1024
        norm = RmsNorm if llama else (lambda: nn.LayerNorm(WIDTH, 1e-5))
        self.attn_norm, self.ffn_norm = norm(), norm()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, not llama)
        self.attn_output = nn.Linear(WIDTH, WIDTH, not llama)
        if llama:
            self.ffn_gate = nn.Linear(WIDTH, hidden, False)
        self.ffn_up, self.ffn_down = nn.Linear(WIDTH, hidden, not llama), nn.Linear(hidden, WIDTH, not llama)

    def forward(self, x, cosines, sines):
        batch, time_, width = x.shape
        q, k, v = (y.view(batch, time_, HEADS, -1).transpose(1, 2) for y in self.qkv(self.attn_norm(x)).chunk(3, -1))
        if self.llama:
            q, k = rotate(q, cosines, sines), rotate(k, cosines, sines)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.attn_output(y.transpose(1, 2).reshape(batch, time_, width))
        y = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(y)) * self.ffn_up(y) if self.llama else F.gelu(self.ffn_up(y)))


class Gpt(nn.Module):
    def __init__(self, llama):
        super().__init__()
        self.llama = llama
        self.token_embd = nn.Embedding(VOCABULARY, WIDTH)
        if not llama:
            self.position_embd = nn.Embedding(TIME, WIDTH)
        self.blk = nn.ModuleList(Block(llama) for _ in range(LAYERS))
        self.output_norm = RmsNorm() if llama else nn.LayerNorm(WIDTH, 1e-5)
        head = WIDTH // HEADS
        angles = torch.outer(torch.arange(TIME, dtype=torch.float64),
                             10000.0 ** (-torch.arange(0, head, 2, dtype=torch.float64) / head))
        self.register_buffer("cosines", angles.cos().float(), persistent=False)
        self.register_buffer("sines", angles.sin().float(), persistent=False)

    def forward(self, batch, part):
        ids, targets = batch
        x = self.token_embd(ids)
        if not self.llama:
            x = x + self.position_embd.weight
        for block in self.blk:
            x = block(x, self.cosines, self.sines)
        logits = self.output_norm(x) @ self.token_embd.weight.T
        return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten())


def build(name):
    return Gpt(name == "llama")


def draw():
    ids = torch.randint(VOCABULARY, (16, TIME))
    return ids, (ids * 31 + 7).remainder(VOCABULARY)


def rename(ours):
    for i in range(LAYERS):
        for kind in ["weight", "bias"]:
            if f"blk.{i}.attn_q.{kind}" in ours:
                ours[f"blk.{i}.qkv.{kind}"] = torch.cat([ours.pop(f"blk.{i}.attn_{x}.{kind}") for x in "qkv"])
    return ours
