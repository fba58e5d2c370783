#!/usr/bin/env python3
"""Makes tests/golden/encoder: what Hugging Face's PEFT says of adapters beside an encoder, and of the heads behind it.

    golden_encoder.py [OUT]    in the environment of tools/golden_tune.txt (tools/golden.sh encoder)

The model is a small BERT with random weights, multiples of 1/32 so that the file compresses. OUT has

    bert.gguf.zst       its weights in F32 under GGUF's names, with a WordPiece vocabulary of letters, digits and some Han characters
    cases.safetensors   inputs, lengths: one padded batch. Of each case: NAME/targets; NAME/w/PARAMETER, what learns, and
                        NAME/g/PARAMETER, its gradients, under the names that they have here; metadata: peers, and of each case
                        its configuration, its loss

The loss is transformers' own where its model has one (BertForSequenceClassification: `cls`, BertForTokenClassification: `tags`);
`mean` puts cross-entropy behind one layer behind the mean of BertModel's last states over the attention mask. Every model is what
PEFT's get_peft_model makes, in training with all dropouts 0, both halves of each adapter random. `some` has targets of its own.
"""
import importlib.metadata
import json
import os
import pathlib
import re
import subprocess
import sys

sys.setdlopenflags(os.RTLD_LAZY)  # CUDA libraries may be empty stand-ins: tools/golden.sh
os.environ |= {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
import golden_archs  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from peft import LoraConfig, get_peft_model  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from transformers import BertConfig, BertForSequenceClassification, BertForTokenClassification, BertModel  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
HAN = "好评差很满意太失望喜欢用不难退货款钱到哪发票快递慢质量"
LAYERS, WIDTH, HEADS, HIDDEN, CONTEXT, EPS = 2, 32, 2, 64, 40, 1e-12
LENGTHS = [9, 1, 24, 5]
ALL = ["query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"]
GGUF = {"attention.self.query": "attn_q", "attention.self.key": "attn_k", "attention.self.value": "attn_v",
        "attention.output.dense": "attn_output", "attention.output.LayerNorm": "attn_output_norm", "intermediate.dense": "ffn_up",
        "output.dense": "ffn_down", "output.LayerNorm": "layer_output_norm"}
TOP = {"embeddings.word_embeddings.weight": "token_embd.weight", "embeddings.position_embeddings.weight": "position_embd.weight",
       "embeddings.token_type_embeddings.weight": "token_types.weight", "embeddings.LayerNorm.weight": "token_embd_norm.weight",
       "embeddings.LayerNorm.bias": "token_embd_norm.bias"}


def vocabulary():
    letters, digits = [chr(97 + i) for i in range(26)], list("0123456789")
    alone = ["\u2581" + character for character in [*letters, *digits, *HAN]]
    return ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *alone, *letters, *digits]


def config(**more):
    return BertConfig(vocab_size=len(vocabulary()), hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
                      intermediate_size=HIDDEN, max_position_embeddings=CONTEXT, hidden_dropout_prob=0.0,
                      attention_probs_dropout_prob=0.0, layer_norm_eps=EPS, attn_implementation="eager", **more)


def weights():
    """Of BertModel without its pooler: activations of about one, norms that are not all ones, biases that are not nought."""
    rng = np.random.default_rng(7)
    out = {}
    for name, parameter in BertModel(config(), add_pooling_layer=False).named_parameters():
        gain = "LayerNorm.weight" in name
        scale = 0.2 if gain else 0.3 if name.endswith("bias") else 0.4 if "embeddings" in name else 0.15
        steps = np.round(rng.standard_normal(tuple(parameter.shape)) * scale * 32) / 32
        out[name] = torch.tensor(steps + gain, dtype=torch.float32)
    return out


def gguf_name(name):
    if name in TOP:
        return TOP[name]
    layer, part = re.fullmatch(r"encoder\.layer\.(\d+)\.(.*)", name).groups()
    module, kind = part.rsplit(".", 1)
    return f"blk.{layer}.{GGUF[module]}.{kind}"


def write_model(path, base):
    gguf = golden_archs.Gguf()
    for key, value in {"general.architecture": "bert", "general.name": "golden encoder", "general.license": "mit",
                       "general.file_type": 0, "bert.block_count": LAYERS, "bert.context_length": CONTEXT,
                       "bert.embedding_length": WIDTH, "bert.feed_forward_length": HIDDEN, "bert.attention.head_count": HEADS,
                       "bert.attention.layer_norm_epsilon": EPS, "bert.attention.causal": False, "bert.pooling_type": 1}.items():
        gguf.set(key, value)
    tokens = vocabulary()
    gguf.set("tokenizer.ggml.model", "bert")
    gguf.set("tokenizer.ggml.tokens", tokens)
    gguf.set("tokenizer.ggml.token_type", [3, 2, 3, 3, 3] + [1] * (len(tokens) - 5))
    for key, value in {"padding": 0, "unknown": 1, "cls": 2, "seperator": 3, "mask": 4}.items():  # GGUF spells it so
        gguf.set(f"tokenizer.ggml.{key}_token_id", value)
    for name, values in base.items():
        gguf.tensor(gguf_name(name), values.numpy())
    raw = gguf.bytes()
    path.write_bytes(subprocess.run(["zstd", "-19", "-c", f"--stream-size={len(raw)}"], input=raw, stdout=subprocess.PIPE, check=True).stdout)


def our_name(name):
    """PEFT's name of what learns, as it is called here."""
    name = name.removeprefix("base_model.model.").removeprefix("bert.").replace("modules_to_save.default.", "").replace(".default", "")
    found = re.fullmatch(r"encoder\.layer\.(\d+)\.(.*)\.lora_(A|B)\.weight", name)
    if found:
        return f"encoder.blk.{found[1]}.{GGUF[found[2]]}.lora_{found[3].lower()}"
    return {"classifier": "output", "pooler.dense": "dense"}[name.rsplit(".", 1)[0]] + "." + name.rsplit(".", 1)[1]


class Mean(torch.nn.Module):
    """PEFT's BertModel, the mean of its tokens, one layer."""

    def __init__(self, encoder, classes):
        super().__init__()
        self.encoder, self.classifier = encoder, torch.nn.Linear(WIDTH, classes)

    def forward(self, input_ids, attention_mask, labels):
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        real = attention_mask.unsqueeze(2).to(states.dtype)
        logits = self.classifier((states * real).sum(1) / real.sum(1))
        return torch.nn.functional.cross_entropy(logits, labels)


def build(case, base):
    lora = dict(r=case["rank"], lora_alpha=case["alpha"], lora_dropout=0.0, bias="none", target_modules=case["targets"])
    torch.manual_seed(3)
    if case["head"] == "mean":
        encoder = BertModel(config(), add_pooling_layer=False)
        encoder.load_state_dict(base)
        model = Mean(get_peft_model(encoder, LoraConfig(task_type="FEATURE_EXTRACTION", **lora)), case["classes"])
    else:
        kind, task = (BertForSequenceClassification, "SEQ_CLS") if case["head"] == "cls" else (BertForTokenClassification, "TOKEN_CLS")
        whole = kind(config(num_labels=case["classes"]))
        missing = whole.bert.load_state_dict(base, strict=False)
        assert not missing.unexpected_keys and all("pooler" in key for key in missing.missing_keys), missing
        saved = ["classifier", "pooler"] if case["head"] == "cls" else ["classifier"]
        model = get_peft_model(whole, LoraConfig(task_type=task, modules_to_save=saved, **lora))
    rng = np.random.default_rng(11)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.requires_grad:
                p.copy_(torch.tensor(rng.standard_normal(tuple(p.shape)) * 0.12))
    return model.train()


def main():
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "tests/golden/encoder"
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    base = weights()
    write_model(out / "bert.gguf.zst", base)
    rng = np.random.default_rng(5)
    rows, time = len(LENGTHS), max(LENGTHS)
    lengths = torch.tensor(LENGTHS)
    ids = torch.tensor(rng.integers(5, len(vocabulary()), (rows, time)))
    real = torch.arange(time) < lengths[:, None]
    ids[~real] = 0
    texts, tags = torch.tensor([2, 0, 1, 1]), torch.tensor(rng.integers(0, 4, (rows, time)))
    tags[~real] = -100
    tags[0, 3] = tags[2, 7] = -100
    cases = [dict(name="mean", head="mean", rank=2, alpha=6, targets=ALL, classes=3),
             dict(name="cls", head="cls", rank=2, alpha=6, targets=ALL, classes=3),
             dict(name="tags", head="tags", rank=2, alpha=6, targets=ALL, classes=4),
             dict(name="some", head="mean", rank=3, alpha=3, targets=["query", "value", "output.dense"], classes=3)]
    tensors = {"inputs": ids, "lengths": lengths}
    for case in cases:
        model = build(case, base)
        targets = tags if case["head"] == "tags" else texts
        loss = model(input_ids=ids, attention_mask=real.long(), labels=targets)
        loss = loss if torch.is_tensor(loss) else loss.loss
        loss.backward()
        case["loss"] = loss.item()
        name = case["name"]
        tensors[f"{name}/targets"] = targets.clone()
        learn = {our_name(key.removeprefix("encoder.")): p for key, p in model.named_parameters() if p.requires_grad}
        for key, p in learn.items():
            tensors[f"{name}/w/{key}"], tensors[f"{name}/g/{key}"] = p.detach().clone().contiguous(), p.grad.clone().contiguous()
        case["learn"] = sum(p.numel() for p in learn.values())
        print(case, f"gradients to {max(p.grad.abs().max().item() for p in learn.values()):.3g}, {len(learn)} tensors")
    peers = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("peft", "transformers", "torch"))
    save_file(tensors, out / "cases.safetensors", metadata={"format": "pt", "peer": peers, "cases": json.dumps(cases)})
    print(f"{peers}; {sum(p.stat().st_size for p in out.iterdir())} bytes")


if __name__ == "__main__":
    main()
