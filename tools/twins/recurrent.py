"""Recurrent language models on nn.LSTM and nn.GRU (Zaremba et al. 2014; Press & Wolf 2017 for the tied head)."""
from torch import nn
from torch.nn import functional as F

import torch
from twin import IGNORED, Twin, token_batches


class LanguageModel(nn.Module):
    def __init__(self, kind, vocabulary, embedding, width, layers, dropout=0.0, tied=False, label_smoothing=0.0):
        super().__init__()
        torch.manual_seed(5)
        self.token_embd = nn.Embedding(vocabulary, embedding)
        rnn = (nn.LSTM if kind == "lstm" else nn.GRU)(embedding, width, layers, batch_first=True, dropout=dropout)
        self.add_module(kind, rnn)
        self.rnn = [rnn]  # in a list: registered once
        self.output = nn.Linear(width, vocabulary)
        if tied:
            self.output.weight = self.token_embd.weight
        self.dropout, self.label_smoothing = dropout, label_smoothing

    def forward(self, batch, part):
        x = F.dropout(self.token_embd(batch["inputs"]), self.dropout, self.training)
        hidden, _ = self.rnn[0](x)
        logits = self.output(F.dropout(hidden, self.dropout, self.training))
        return F.cross_entropy(logits.flatten(0, 1), batch["targets"].flatten(), ignore_index=IGNORED,
                               label_smoothing=self.label_smoothing)


TWINS = [
    Twin("lstm", "lstm", "embedding = 11\nwidth = 17\nlayers = 2\n", dict(vocabulary=37, sequence_length=13),
         LanguageModel("lstm", 37, 11, 17, 2), token_batches(37, 3, 13, ragged=True)),
    # The same draws on both sides: masks on the embedding, between layers, before the head.
    Twin("lstm_dropout_tied", "lstm", "embedding = 14\nwidth = 14\nlayers = 3\ndropout = 0.3\ntied = true\n",
         dict(vocabulary=23, sequence_length=7),
         LanguageModel("lstm", 23, 14, 14, 3, 0.3, True, 0.1), token_batches(23, 5, 7), label_smoothing=0.1),
    Twin("gru", "gru", "embedding = 9\nwidth = 15\nlayers = 2\n", dict(vocabulary=31, sequence_length=11),
         LanguageModel("gru", 31, 9, 15, 2), token_batches(31, 4, 11, ragged=True)),
]
