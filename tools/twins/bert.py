"""BERT and its heads: those of the package transformers."""
import torch
import transformers
from torch import nn
from torch.nn import functional as F

from twin import IGNORED, Twin

VOCABULARY, CONTEXT, WIDTH, HEADS, HIDDEN, LAYERS = 31, 13, 16, 2, 36, 2
MODEL = f"context = {CONTEXT}\nwidth = {WIDTH}\nheads = {HEADS}\nhidden = {HIDDEN}\nlayers = {LAYERS}\ndropout = 0.0\n"
LENGTHS = [[13, 1, 6, 9], [2, 7, 7]]


def config(classes=2):
    return transformers.BertConfig(
        vocab_size=VOCABULARY, hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
        intermediate_size=HIDDEN, hidden_act="gelu", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
        max_position_embeddings=CONTEXT, type_vocab_size=2, layer_norm_eps=1e-12, num_labels=classes,
        pad_token_id=None,  # every id is a word: the twin of ours has none whose embedding never learns
        attn_implementation="eager")


NAMES = [
    ("net.", ""), ("bert.", "encoder."), ("embeddings.word_embeddings", "token_embd"),
    ("embeddings.position_embeddings", "position_embd"), ("embeddings.token_type_embeddings", "token_types"),
    ("embeddings.LayerNorm", "token_embd_norm"), ("encoder.encoder.layer.", "encoder.blk."),
    ("attention.self.query", "attn_q"), ("attention.self.key", "attn_k"), ("attention.self.value", "attn_v"),
    ("attention.output.dense", "attn_output"), ("attention.output.LayerNorm", "attn_output_norm"),
    ("intermediate.dense", "ffn_up"), ("encoder.pooler.dense", "dense"), ("cls.predictions.transform.dense", "dense"),
    ("cls.predictions.transform.LayerNorm", "norm"), ("cls.predictions.bias", "bias"), ("classifier", "output"),
]


def rename(name):
    for theirs, ours in NAMES:
        name = name.replace(theirs, ours)
    if ".blk." in name:
        name = name.replace(".output.dense", ".ffn_down").replace(".output.LayerNorm", ".layer_output_norm")
    return name


class Bert(nn.Module):
    def __init__(self, kind, classes=2):
        super().__init__()
        torch.manual_seed(11)
        self.kind = kind
        if kind == "mean":
            self.bert = transformers.BertModel(config(), add_pooling_layer=False)
            self.classifier = nn.Linear(WIDTH, classes)
        else:
            self.net = {"masked": transformers.BertForMaskedLM, "cls": transformers.BertForSequenceClassification,
                        "tags": transformers.BertForTokenClassification}[kind](config(classes))
        self.train()

    def forward(self, batch, part):
        mask = (torch.arange(batch["inputs"].shape[1])[None] < batch["lengths"][:, None]).long()
        if self.kind == "mean":
            x = self.bert(input_ids=batch["inputs"], attention_mask=mask).last_hidden_state
            logits = self.classifier((x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True))
        else:
            logits = self.net(input_ids=batch["inputs"], attention_mask=mask).logits
        return F.cross_entropy(logits.flatten(0, -2), batch["targets"].flatten(), ignore_index=IGNORED)


def batches(kind, classes):
    g = torch.Generator().manual_seed(12)
    out = []
    for lengths in LENGTHS:
        ids = torch.randint(0, VOCABULARY, (len(lengths), max(lengths)), generator=g)
        batch = {"inputs": ids, "lengths": torch.tensor(lengths)}
        if kind in ("cls", "mean"):
            batch["targets"] = torch.randint(0, classes, (len(lengths),), generator=g)
        else:
            targets = torch.randint(0, VOCABULARY if kind == "masked" else classes, ids.shape, generator=g)
            hidden = torch.rand(ids.shape, generator=g) < 0.4
            real = torch.arange(ids.shape[1])[None] < batch["lengths"][:, None]
            batch["targets"] = torch.where(hidden & real, targets, IGNORED)
        out.append(batch)
    return out


def twin(name, architecture, kind, extra="", classes=2):
    return Twin(name, architecture, MODEL + extra,
                dict(vocabulary=VOCABULARY, sequence_length=CONTEXT, classes=[str(i) for i in range(classes)]),
                Bert(kind, classes), batches(kind, classes), rename=rename)


TWINS = [
    twin("bert_masked", "bert_masked", "masked"),
    twin("bert_cls", "bert_classifier", "cls", classes=3),
    twin("bert_mean", "bert_classifier", "mean", 'pool = "mean"\n'),
    twin("bert_mean_padded", "bert_classifier", "mean", 'pool = "mean"\npadding = "masked"\n'),
    twin("bert_tags", "bert_tagger", "tags", classes=5),
]
