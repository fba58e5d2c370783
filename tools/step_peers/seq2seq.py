"""Bahdanau's encoder and decoder: nn.LSTM over packed sources, nn.LSTMCell over target tokens, logits once at the end."""
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

VOCABULARY, EMBEDDING, WIDTH, ROWS, TIME = 8192, 256, 512, 64, 30


class Seq2Seq(nn.Module):
    def __init__(self):
        super().__init__()
        self.source_embd, self.token_embd = nn.Embedding(VOCABULARY, EMBEDDING), nn.Embedding(VOCABULARY, EMBEDDING)
        self.encoder = nn.LSTM(EMBEDDING, WIDTH // 2, bidirectional=True, batch_first=True)
        self.decoder = nn.LSTMCell(EMBEDDING + WIDTH, WIDTH)
        self.key, self.query = nn.Linear(WIDTH, WIDTH, bias=False), nn.Linear(WIDTH, WIDTH, bias=False)
        self.energy = nn.Linear(WIDTH, 1, bias=False)
        self.readout = nn.Linear(2 * WIDTH + EMBEDDING, WIDTH)
        self.output = nn.Linear(WIDTH, VOCABULARY)

    def forward(self, batch, part):
        ids, targets, source, lengths = batch
        packed = pack_padded_sequence(self.source_embd(source), lengths, batch_first=True, enforce_sorted=False)
        memory, (h, c) = self.encoder(packed)
        memory, _ = pad_packed_sequence(memory, batch_first=True, total_length=TIME)
        behind = torch.arange(TIME) >= lengths.unsqueeze(1)
        keys = self.key(memory)
        h, c = h.transpose(0, 1).flatten(1), c.transpose(0, 1).flatten(1)
        embedded = self.token_embd(ids)
        seen = []
        for e in embedded.unbind(1):
            scores = self.energy(torch.tanh(self.query(h).unsqueeze(1) + keys)).squeeze(-1)
            weights = scores.float().masked_fill(behind, float("-inf")).softmax(-1)
            context = torch.bmm(weights.to(memory.dtype).unsqueeze(1), memory).squeeze(1)
            h, c = self.decoder(torch.cat([e, context], -1), (h, c))
            seen.append(torch.cat([h, context, e], -1))
        logits = self.output(torch.tanh(self.readout(torch.stack(seen, 1))))
        return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten())


def build(name):
    return Seq2Seq()


def draw():
    ids = torch.randint(VOCABULARY, (ROWS, TIME))
    source, lengths = torch.randint(VOCABULARY, (ROWS, TIME)), torch.randint(5, 31, (ROWS,))
    behind = torch.arange(TIME) >= torch.randint(5, 31, (ROWS,)).unsqueeze(1)
    return ids, (ids * 31 + 7).remainder(VOCABULARY).masked_fill(behind, -100), source, lengths


def rename(ours):
    return {name.replace("_l0", "") if name.startswith("decoder.") else name: value for name, value in ours.items()}
