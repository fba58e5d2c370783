"""An LSTM language model: nn.LSTM, as one writes it."""
import torch
from torch import nn
from torch.nn import functional as F

VOCABULARY, EMBEDDING, WIDTH = 8192, 256, 512


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.token_embd = nn.Embedding(VOCABULARY, EMBEDDING)
        self.lstm = nn.LSTM(EMBEDDING, WIDTH, num_layers=2, batch_first=True)
        self.output = nn.Linear(WIDTH, VOCABULARY)

    def forward(self, batch, part):
        ids, targets = batch
        hidden, _ = self.lstm(self.token_embd(ids))
        return F.cross_entropy(self.output(hidden).flatten(0, 1).float(), targets.flatten())


def build(name):
    return Lstm()


def draw():
    ids = torch.randint(VOCABULARY, (32, 128))
    return ids, (ids * 31 + 7).remainder(VOCABULARY)


def rename(ours):
    return ours
