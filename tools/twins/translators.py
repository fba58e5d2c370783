"""Encoders and decoders: LSTM with attention (Bahdanau et al. 2015; Luong et al. 2015) and Vaswani et al. 2017's, on
nn.LSTM, nn.LSTMCell and nn.TransformerEncoderLayer, nn.TransformerDecoderLayer."""
import math

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from twin import IGNORED, Twin


def pair_batches(source_vocabulary, vocabulary, rows, source_time, time, count=2, seed=1):
    """Ragged on both sides, the longest in any row; 0 pads, 1 begins, 2 ends. What pads the source is not always 0, so
    that a look behind its end changes the result."""
    g = torch.Generator().manual_seed(seed)
    batches = []
    for _ in range(count):
        source = torch.randint(0, source_vocabulary, (rows, source_time), generator=g)
        source_lengths = torch.randint(1, source_time + 1, (rows,), generator=g)
        lengths = torch.randint(1, time + 1, (rows,), generator=g)
        source_lengths[rows // 2], lengths[rows - 1] = source_time, time
        source_lengths[0] = 1
        words = torch.randint(3, vocabulary, (rows, time), generator=g)
        inputs, targets = torch.zeros_like(words), torch.full_like(words, IGNORED)
        inputs[:, 0] = 1
        for i, n in enumerate(lengths.tolist()):
            inputs[i, 1:n] = words[i, : n - 1]
            targets[i, : n - 1] = words[i, : n - 1]
            targets[i, n - 1] = 2
        batches.append({"inputs": inputs, "lengths": lengths, "targets": targets, "source": source,
                        "source_lengths": source_lengths})
    return batches


def loss(logits, batch, label_smoothing):
    return F.cross_entropy(logits.flatten(0, 1), batch["targets"].flatten(), ignore_index=IGNORED,
                           label_smoothing=label_smoothing)


class Seq2Seq(nn.Module):
    def __init__(self, source_vocabulary, vocabulary, embedding, width, layers, attention, bidirectional=True, feeding=True,
                 tied=False, teacher_forcing=1.0, label_smoothing=0.0):
        super().__init__()
        torch.manual_seed(11)
        self.attention, self.feeding, self.label_smoothing = attention, feeding, label_smoothing
        self.layers, self.width, self.teacher_forcing = layers, width, teacher_forcing
        self.source_embd, self.token_embd = nn.Embedding(source_vocabulary, embedding), nn.Embedding(vocabulary, embedding)
        self.encoder = nn.LSTM(embedding, width // 2 if bidirectional else width, layers, batch_first=True, bidirectional=bidirectional)
        additive = attention == "bahdanau"
        fed = width if additive or feeding else 0
        self.cells = nn.ModuleList(nn.LSTMCell(embedding + fed if i == 0 else width, width) for i in range(layers))
        if attention != "luong-dot":
            self.key = nn.Linear(width, width, bias=False)
        if additive:
            self.query, self.energy = nn.Linear(width, width, bias=False), nn.Linear(width, 1, bias=False)
        self.readout = nn.Linear(2 * width + (embedding if additive else 0), width)
        self.output = nn.Linear(width, vocabulary)
        if tied:
            self.output.weight = self.token_embd.weight

    def attend(self, s, memory, seen):
        if self.attention == "bahdanau":
            scores = self.energy(torch.tanh(self.query(s)[:, None] + self.key(memory)))[..., 0]
        elif self.attention == "luong":
            scores = torch.einsum("bh,bsh->bs", s, self.key(memory))
        else:
            scores = torch.einsum("bh,bsh->bs", s, memory)
        scores = torch.where(seen, scores, torch.tensor(-1e30))
        return torch.einsum("bs,bsh->bh", torch.softmax(scores, -1), memory)

    def forward(self, batch, part):
        source, n = batch["source"], batch["source_lengths"]
        packed = pack_padded_sequence(self.source_embd(source), n, batch_first=True, enforce_sorted=False)
        out, (h, c) = self.encoder(packed)
        memory, _ = pad_packed_sequence(out, batch_first=True, total_length=source.shape[1])
        directions = h.shape[0] // self.layers
        states = [tuple(torch.cat([s[i * directions + d] for d in range(directions)], -1) for s in (h, c)) for i in range(self.layers)]
        seen = torch.arange(source.shape[1])[None] < n[:, None]
        r = torch.zeros(source.shape[0], self.width)
        logits = []
        for t in range(batch["inputs"].shape[1]):
            previous = batch["inputs"][:, t]
            if self.teacher_forcing < 1 and t > 0:
                own = logits[-1].detach().argmax(-1)
                previous = torch.where(torch.rand(own.shape) < self.teacher_forcing, previous, own)
            e = self.token_embd(previous)
            if self.attention == "bahdanau":
                context = self.attend(states[-1][0], memory, seen)
                x = torch.cat([e, context], -1)
            else:
                x = torch.cat([e, r], -1) if self.feeding else e
            for i, cell in enumerate(self.cells):
                states[i] = cell(x, states[i])
                x = states[i][0]
            if self.attention == "bahdanau":
                r = torch.tanh(self.readout(torch.cat([x, context, e], -1)))
            else:
                r = torch.tanh(self.readout(torch.cat([x, self.attend(x, memory, seen)], -1)))
            logits.append(self.output(r))
        return loss(torch.stack(logits, 1), batch, self.label_smoothing)


def seq2seq_name(name):  # cells.1.weight_ih -> decoder.weight_ih_l1
    if name.startswith("cells."):
        _, layer, parameter = name.split(".")
        return f"decoder.{parameter}_l{layer}"
    return name


class Transformer(nn.Module):
    def __init__(self, source_vocabulary, vocabulary, width, heads, hidden, encoder_layers, decoder_layers, pre, learned=0, tied=True,
                 label_smoothing=0.0):
        super().__init__()
        torch.manual_seed(13)
        self.width, self.label_smoothing, self.learned = width, label_smoothing, learned
        self.source_embd, self.token_embd = nn.Embedding(source_vocabulary, width), nn.Embedding(vocabulary, width)
        for e in (self.source_embd, self.token_embd):
            nn.init.normal_(e.weight, 0, width ** -0.5)
        if learned:
            self.source_position, self.token_position = nn.Embedding(learned, width), nn.Embedding(learned, width)
        options = dict(dropout=0.0, batch_first=True, norm_first=pre)
        self.encoder = nn.ModuleList(nn.TransformerEncoderLayer(width, heads, hidden, **options) for _ in range(encoder_layers))
        self.decoder = nn.ModuleList(nn.TransformerDecoderLayer(width, heads, hidden, **options) for _ in range(decoder_layers))
        if pre:
            self.encoder_norm, self.decoder_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.pre = pre
        self.output = nn.Linear(width, vocabulary)
        if tied:
            self.output.weight = self.token_embd.weight
        for n, p in self.named_parameters():  # nn.MultiheadAttention begins with biases of 0: no test of them
            if "bias" in n:
                nn.init.normal_(p, 0, 0.1)

    def embed(self, embedding, ids, side):
        time = ids.shape[1]
        if self.learned:
            where = getattr(self, f"{side}_position").weight[:time]
        else:
            where = torch.zeros(time, self.width)
            for t in range(time):
                for i in range(0, self.width, 2):
                    angle = t / 10000 ** (i / self.width)
                    where[t, i], where[t, i + 1] = math.sin(angle), math.cos(angle)
        return embedding(ids) * math.sqrt(self.width) + where

    def forward(self, batch, part):
        padded = torch.arange(batch["source"].shape[1])[None] >= batch["source_lengths"][:, None]
        memory = self.embed(self.source_embd, batch["source"], "source")
        for layer in self.encoder:
            memory = layer(memory, src_key_padding_mask=padded)
        if self.pre:
            memory = self.encoder_norm(memory)
        y = self.embed(self.token_embd, batch["inputs"], "token")
        future = torch.triu(torch.ones(y.shape[1], y.shape[1], dtype=torch.bool), 1)
        for layer in self.decoder:
            y = layer(y, memory, tgt_mask=future, memory_key_padding_mask=padded)
        if self.pre:
            y = self.decoder_norm(y)
        return loss(self.output(y), batch, self.label_smoothing)


PARTS = {"self_attn": "attn", "multihead_attn": "cross", "linear1": "ffn_up", "linear2": "ffn_down"}
NORMS = {"encoder": {"norm1": "attn_norm", "norm2": "ffn_norm"},
         "decoder": {"norm1": "attn_norm", "norm2": "cross_norm", "norm3": "ffn_norm"}}


def transformer_name(name):
    """Ours, or of what holds queries, keys and values in one a pattern for three."""
    if name.split(".")[0] not in NORMS:
        return name
    stack, layer, part, *rest = name.split(".")
    part = NORMS[stack].get(part) or PARTS[part]
    rest = ".".join(rest).replace("out_proj", "output").replace("in_proj_", "{}.")
    return f"{stack}.{layer}.{part}.{rest}"


TWINS = [
    Twin("seq2seq_bahdanau", "seq2seq", "embedding = 9\nwidth = 14\nlayers = 2\n",
         dict(source_vocabulary=23, vocabulary=29, sequence_length=8), Seq2Seq(23, 29, 9, 14, 2, "bahdanau"),
         pair_batches(23, 29, 5, 7, 8), rename=seq2seq_name),
    Twin("seq2seq_luong", "seq2seq", 'embedding = 10\nwidth = 13\nlayers = 2\nbidirectional = false\nattention = "luong"\n',
         dict(source_vocabulary=19, vocabulary=31, sequence_length=9), Seq2Seq(19, 31, 10, 13, 2, "luong", bidirectional=False),
         pair_batches(19, 31, 4, 6, 9), rename=seq2seq_name),
    Twin("seq2seq_luong_dot", "seq2seq",
         'embedding = 12\nwidth = 12\nattention = "luong-dot"\ninput_feeding = false\ntied = true\nteacher_forcing = 0.6\n',
         dict(source_vocabulary=17, vocabulary=19, sequence_length=7),
         Seq2Seq(17, 19, 12, 12, 1, "luong-dot", feeding=False, tied=True, teacher_forcing=0.6, label_smoothing=0.1),
         pair_batches(17, 19, 5, 5, 7), label_smoothing=0.1, rename=seq2seq_name),
    Twin("transformer_pre", "transformer", "encoder_layers = 2\ndecoder_layers = 1\nwidth = 18\nheads = 3\nhidden = 25\ndropout = 0.0\n",
         dict(source_vocabulary=23, vocabulary=29, sequence_length=9), Transformer(23, 29, 18, 3, 25, 2, 1, True),
         pair_batches(23, 29, 4, 7, 9), rename=transformer_name),
    Twin("transformer_post", "transformer",
         'layers = 2\nwidth = 15\nheads = 3\nhidden = 22\nnorm = "post"\npositions = "learned"\ntied = false\ndropout = 0.0\n',
         dict(source_vocabulary=19, vocabulary=21, sequence_length=8),
         Transformer(19, 21, 15, 3, 22, 2, 2, False, learned=8, tied=False, label_smoothing=0.1),
         pair_batches(19, 21, 5, 8, 8), label_smoothing=0.1, rename=transformer_name),
]
