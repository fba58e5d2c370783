"""transformers' BertModel in e5-small's form with 8192 words, the mean of each text's tokens, two classes.

Texts are as long as short reviews, 43 tokens on average, and padded to the longest of their batch. For torch.compile the
length is dynamic from the start: it compiles once.
"""
import torch
from torch import nn
from torch.nn import functional as F
from transformers import BertConfig, BertModel

LAYERS, WIDTH, WORDS = 12, 384, 8192
ADAM = dict(lr=2e-5, weight_decay=0.01)
COMPILE = dict(dynamic=True)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        config = BertConfig(vocab_size=WORDS, hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=12,
                            intermediate_size=1536, max_position_embeddings=128, attn_implementation="sdpa",
                            pad_token_id=None)  # word 0 is a word like any other
        self.encoder = BertModel(config, add_pooling_layer=False)
        self.drop, self.output = nn.Dropout(0.1), nn.Linear(WIDTH, 2)

    def forward(self, batch, part):
        ids, mask, targets = batch
        x = self.encoder(ids, attention_mask=mask).last_hidden_state.float()
        weights = mask.unsqueeze(2).float()
        pooled = (x * weights).sum(1) / weights.sum(1)
        return F.cross_entropy(self.output(self.drop(pooled)).float(), targets)


def build(name):
    return Classifier()


def draw():
    lengths = (3.6 + 0.6 * torch.randn(16)).exp().round().clamp(4, 128).long()
    time = int(lengths.max())
    targets = torch.randint(2, (16,))
    ids = torch.randint(WORDS // 2, (16, time)) + WORDS // 2 * targets.unsqueeze(1)
    return ids, (torch.arange(time) < lengths.unsqueeze(1)).long(), targets


PARTS_OF_LAYERS = {
    "attn_q": "attention.self.query", "attn_k": "attention.self.key", "attn_v": "attention.self.value",
    "attn_output": "attention.output.dense", "attn_output_norm": "attention.output.LayerNorm",
    "ffn_up": "intermediate.dense", "ffn_down": "output.dense", "layer_output_norm": "output.LayerNorm",
}
EMBEDDINGS = {"token_embd": "word_embeddings", "position_embd": "position_embeddings",
              "token_types": "token_type_embeddings", "token_embd_norm": "LayerNorm"}


def rename(ours):
    theirs = {}
    for name, value in ours.items():
        room, _, rest = name.partition(".")
        if rest.startswith("blk."):
            _, layer, part, kind = rest.split(".")
            name = f"encoder.encoder.layer.{layer}.{PARTS_OF_LAYERS[part]}.{kind}"
        elif room == "encoder":
            part, kind = rest.split(".")
            name = f"encoder.embeddings.{EMBEDDINGS[part]}.{kind}"
        theirs[name] = value
    return theirs
