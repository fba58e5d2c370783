"""fastText's linear model, Kim's convolutions, recurrent classifiers: each text by itself, so that there is no padding."""
import torch
from torch import nn
from torch.nn import functional as F

from twin import Twin


def text_batches(vocabulary, classes, lengths, seed=2):
    """One batch for each list of lengths. What stands behind a text is noise: nobody may look at it."""
    g = torch.Generator().manual_seed(seed)
    batches = []
    for some in lengths:
        batches.append({"inputs": torch.randint(0, vocabulary, (len(some), max(some)), generator=g),
                        "lengths": torch.tensor(some), "targets": torch.randint(0, classes, (len(some),), generator=g)})
    return batches


def texts(batch):
    return [row[:n] for row, n in zip(batch["inputs"], batch["lengths"].tolist())]


class Classifier(nn.Module):
    label_smoothing = 0.0

    def forward(self, batch, part):
        logits = torch.stack([self.logits(text) for text in texts(batch)])
        return F.cross_entropy(logits, batch["targets"], label_smoothing=self.label_smoothing)


class FastText(Classifier):
    def __init__(self, vocabulary, classes, width, ngrams, buckets, hashed):
        super().__init__()
        torch.manual_seed(5)
        self.own = 0 if hashed else vocabulary
        self.ngrams, self.buckets = ngrams, buckets
        self.embedding = nn.EmbeddingBag(self.own + buckets, width, mode="mean")
        self.output = nn.Linear(width, classes)

    def logits(self, text):
        features, text = [], text.tolist()
        for n in range(1, self.ngrams + 1):
            for i in range(len(text) - n + 1):
                if n == 1 and self.own:
                    features.append(text[i])
                    continue
                h = text[i] + 1
                for t in text[i + 1:i + n]:
                    h = (1000003 * h + t + 1) % (2 ** 31 - 1)
                features.append(self.own + h % self.buckets)
        return self.output(self.embedding(torch.tensor(features)[None]))[0]


class TextCnn(Classifier):
    def __init__(self, vocabulary, classes, width, filters, widths):
        super().__init__()
        torch.manual_seed(6)
        self.embedding = nn.Embedding(vocabulary, width)
        self.widths = widths
        for i, w in enumerate(widths):
            setattr(self, f"convolution{i}", nn.Conv1d(width, filters, w))
        self.output = nn.Linear(filters * len(widths), classes)
        self.label_smoothing = 0.1

    def logits(self, text):
        found = []
        for i, w in enumerate(self.widths):
            x = self.embedding(text).T
            if len(text) < w:
                x = F.pad(x, (0, w - len(text)))
            found.append(F.relu(getattr(self, f"convolution{i}")(x[None])[0]).max(1).values)
        return self.output(torch.cat(found))


class Recurrent(Classifier):
    def __init__(self, vocabulary, classes, width, hidden, layers, cell, both, pool):
        super().__init__()
        torch.manual_seed(7)
        self.embedding = nn.Embedding(vocabulary, width)
        make = nn.GRU if cell == "gru" else nn.LSTM
        self.cell = cell
        setattr(self, cell, make(width, hidden, layers, bidirectional=both))
        self.output = nn.Linear(hidden * (2 if both else 1), classes)
        self.pool = pool

    def logits(self, text):
        states = getattr(self, self.cell)(self.embedding(text))[0]
        return self.output(states.max(0).values if self.pool == "max" else states.mean(0))


LENGTHS = [[11, 1, 4, 7, 2], [3, 9, 9]]
SHAPE = dict(sequence_length=11)
TWINS = [
    Twin("fasttext", "fasttext", "width = 6\nngrams = 3\nbuckets = 101\n",
         SHAPE | dict(vocabulary=37, classes=["坏", "好", "🙂"]),
         FastText(37, 3, 6, 3, 101, False), text_batches(37, 3, LENGTHS)),
    Twin("fasttext_characters", "fasttext", "width = 5\nngrams = 2\nbuckets = 89\n",
         SHAPE | dict(vocabulary=1114112, classes=["a", "b"]),
         FastText(1114112, 2, 5, 2, 89, True), text_batches(1114112, 2, [[1, 6], [8, 2, 3]]),
         optimiser=dict(name="sgd", rate=0.5, momentum=0.9, weight_decay=0.0, clip=0.0)),
    Twin("text_cnn", "text_cnn", "width = 7\nfilters = 6\nwidths = [3, 4, 5]\ndropout = 0.0\n",
         SHAPE | dict(vocabulary=33, classes=["a", "b", "c"]),
         TextCnn(33, 3, 7, 6, [3, 4, 5]), text_batches(33, 3, LENGTHS), label_smoothing=0.1),
    Twin("text_cnn_short", "text_cnn", "width = 5\nfilters = 3\nwidths = [1, 7]\ndropout = 0.0\n",
         SHAPE | dict(vocabulary=33, classes=["a", "b"]),
         TextCnn(33, 2, 5, 3, [1, 7]), text_batches(33, 2, [[2, 1, 3], [4, 4]]), label_smoothing=0.1),
    Twin("recurrent_lstm", "recurrent_classifier", "width = 9\nhidden = 7\nlayers = 2\ndropout = 0.0\n",
         SHAPE | dict(vocabulary=31, classes=["a", "b", "c"]),
         Recurrent(31, 3, 9, 7, 2, "lstm", True, "max"), text_batches(31, 3, LENGTHS)),
    Twin("recurrent_gru", "recurrent_classifier",
         'cell = "gru"\npool = "mean"\nbidirectional = false\nwidth = 9\nhidden = 11\ndropout = 0.0\n',
         SHAPE | dict(vocabulary=31, classes=["a", "b"]),
         Recurrent(31, 2, 9, 11, 1, "gru", False, "mean"), text_batches(31, 2, LENGTHS)),
]
