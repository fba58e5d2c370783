#!/usr/bin/env python3
"""Makes tests/golden/archs/NAME.gguf.zst: tiny random models and the logits that Hugging Face transformers gives for them.

    golden_archs.py [NAME...]    all of them without a NAME

Each file is a GGUF file (F32, tensors and metadata as llama.cpp's converters write them) that also says, under keys of
its own, what the peer made of it:

    golden.peer       text: packages and versions
    golden.tokens     [n] the tokens of one sequence
    golden.positions  [m] at which of them the logits were kept
    golden.logits     [m * vocab] after the token at that position

Weights are multiples of 1/32 so that the files compress. Needs torch, transformers and the zstd program.
"""
import math
import os
import pathlib
import struct
import subprocess
import sys

sys.setdlopenflags(os.RTLD_LAZY)  # CUDA libraries may be empty stand-ins: tools/golden.sh
import numpy as np
import torch
import transformers

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "tests" / "golden" / "archs"
VOCAB, LENGTH = 288, 72
UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9


class Gguf:
    """GGUF version 3 by its specification: metadata, then tensors aligned to 32 bytes, first dimension contiguous."""

    def __init__(self):
        self.keys, self.tensors = [], []

    @staticmethod
    def text(value):
        raw = value.encode()
        return struct.pack("<Q", len(raw)) + raw

    def set(self, key, value):
        if isinstance(value, bool):
            kind, raw = BOOL, struct.pack("<?", value)
        elif isinstance(value, int):
            kind, raw = UINT32, struct.pack("<I", value)
        elif isinstance(value, float):
            kind, raw = FLOAT32, struct.pack("<f", value)
        elif isinstance(value, str):
            kind, raw = STRING, self.text(value)
        else:
            kind = ARRAY
            if isinstance(value[0], str):
                element, body = STRING, b"".join(map(self.text, value))
            elif isinstance(value[0], int):
                element, body = INT32, struct.pack(f"<{len(value)}i", *value)
            else:
                element, body = FLOAT32, np.asarray(value, "<f4").tobytes()
            raw = struct.pack("<IQ", element, len(value)) + body
        self.keys.append(self.text(key) + struct.pack("<I", kind) + raw)

    def tensor(self, name, values):
        self.tensors.append((name, np.ascontiguousarray(values, "<f4")))

    def bytes(self):
        out = b"GGUF" + struct.pack("<IQQ", 3, len(self.tensors), len(self.keys)) + b"".join(self.keys)
        data = b""
        for name, values in self.tensors:
            out += self.text(name) + struct.pack("<I", values.ndim)
            out += struct.pack(f"<{values.ndim}Q", *reversed(values.shape)) + struct.pack("<IQ", 0, len(data))
            data += values.tobytes()
            data += bytes(-len(data) % 32)
        return out + bytes(-len(out) % 32) + data


def byte_letters():
    """The printable letter that stands for each byte in byte-level BPE vocabularies."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters, spare = {}, 256
    for byte in range(256):
        letters[byte] = chr(byte) if byte in plain else chr(spare)
        spare += byte not in plain
    return [letters[byte] for byte in range(256)]


def bpe_vocabulary(gguf, pre):
    merges = ("t h|i n|e r|a n|th e|o n|r e|s t|e n|in g|o r|Ġ the|Ġ a|Ġ w|a t|e s|Ġ s|o u|Ġ o|an d|Ġ c|l l|l e|i s|Ġ b|ä ½|ä½ ł"
              .split("|"))
    tokens = byte_letters() + [merge.replace(" ", "") for merge in merges]
    special = ["<|begin|>", "<|end|>", "<|im_start|>", "<|im_end|>", "<|pad|>"]
    gguf.set("tokenizer.ggml.model", "gpt2")
    gguf.set("tokenizer.ggml.pre", pre)
    gguf.set("tokenizer.ggml.tokens", tokens + special)
    gguf.set("tokenizer.ggml.token_type", [1] * len(tokens) + [3] * len(special))
    gguf.set("tokenizer.ggml.merges", merges)
    gguf.set("tokenizer.ggml.bos_token_id", 283)
    gguf.set("tokenizer.ggml.eos_token_id", 284)
    gguf.set("tokenizer.ggml.add_bos_token", True)
    assert len(tokens + special) == VOCAB


def piece_vocabulary(gguf):
    pieces = ["▁"] + [chr(97 + i) for i in range(20)] + ["▁t", "he", "▁the", "in", "er", "你", "好"]
    gguf.set("tokenizer.ggml.model", "llama")
    gguf.set("tokenizer.ggml.tokens", ["<pad>", "<eos>", "<bos>", "<unk>"] + [f"<0x{b:02X}>" for b in range(256)] + pieces)
    gguf.set("tokenizer.ggml.token_type", [3, 3, 3, 2] + [6] * 256 + [1] * len(pieces))
    gguf.set("tokenizer.ggml.scores", [0.0] * 260 + [-float(i) for i in range(len(pieces))])
    gguf.set("tokenizer.ggml.bos_token_id", 2)
    gguf.set("tokenizer.ggml.eos_token_id", 1)
    gguf.set("tokenizer.ggml.unknown_token_id", 3)
    gguf.set("tokenizer.ggml.padding_token_id", 0)
    gguf.set("tokenizer.ggml.add_bos_token", True)
    gguf.set("tokenizer.ggml.add_space_prefix", False)
    assert 260 + len(pieces) == VOCAB


def fill(model, seed):
    """Random weights: activations of about one, logits of several units, norms that are not all ones."""
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            gemma_norm = "norm" in name and "Gemma" in type(model).__name__
            scale = 0.2 if "norm" in name else 0.3 if "bias" in name else 0.25 if "embed" in name or "lm_head" in name else 0.15
            steps = np.round(rng.standard_normal(tuple(parameter.shape)) * scale * 32) / 32
            parameter.copy_(torch.tensor(steps + (1 if "norm" in name and not gemma_norm else 0), dtype=torch.float32))


def permuted(weight, heads):
    """Rows of q and k from halves to neighbouring pairs, as GGUF's llama wants them."""
    shape = weight.shape
    return weight.reshape(heads, 2, shape[0] // heads // 2, *shape[1:]).swapaxes(1, 2).reshape(shape)


NAMES = {
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}


def divisors(rope, dims):
    """Llama 3.1's slow-down per pair of dimensions (its published reference)."""
    out = []
    for i in range(0, dims, 2):
        wavelength = 2 * math.pi * rope["rope_theta"] ** (i / dims)
        slow = rope["original_max_position_embeddings"] / rope["low_freq_factor"]
        fast = rope["original_max_position_embeddings"] / rope["high_freq_factor"]
        if wavelength < fast:
            out.append(1.0)
        elif wavelength > slow:
            out.append(rope["factor"])
        else:
            smooth = ((rope["original_max_position_embeddings"] / wavelength - rope["low_freq_factor"]) /
                      (rope["high_freq_factor"] - rope["low_freq_factor"]))
            out.append(1 / ((1 - smooth) / rope["factor"] + smooth))
    return out


def make(name, arch, model, seed):
    config = model.config
    fill(model, seed)
    model.eval()
    rng = np.random.default_rng(seed + 1000)
    tokens = rng.integers(5, 256, LENGTH).tolist()
    positions = sorted({*range(0, LENGTH, 7), *range(LENGTH - 5, LENGTH)})
    with torch.no_grad():
        logits = model(torch.tensor([tokens])).logits[0].float().numpy()

    gguf = Gguf()
    put = lambda key, value: gguf.set(f"{arch}.{key}", value)
    gguf.set("general.architecture", arch)
    gguf.set("general.name", f"golden {name}")
    gguf.set("general.file_type", 0)
    put("block_count", config.num_hidden_layers)
    put("context_length", config.max_position_embeddings)
    put("embedding_length", config.hidden_size)
    put("feed_forward_length", config.intermediate_size)
    put("attention.head_count", config.num_attention_heads)
    put("attention.head_count_kv", config.num_key_value_heads)
    put("attention.layer_norm_rms_epsilon", float(config.rms_norm_eps))
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    if head_dim * config.num_attention_heads != config.hidden_size or arch in ("qwen3", "gemma3"):
        put("attention.key_length", head_dim)
        put("attention.value_length", head_dim)
    rope = config.rope_parameters
    if arch == "gemma3":
        put("attention.sliding_window", config.sliding_window)
        put("attention.sliding_window_pattern", 3)
        put("rope.freq_base_swa", float(rope["sliding_attention"]["rope_theta"]))
        rope = rope["full_attention"]
        piece_vocabulary(gguf)
    else:
        bpe_vocabulary(gguf, "llama-bpe" if arch == "llama" else "qwen2")
    put("rope.freq_base", float(rope["rope_theta"]))
    if arch == "llama":
        put("rope.dimension_count", head_dim)
        put("vocab_size", VOCAB)
    kind = rope.get("rope_type", "default")
    if kind in ("linear", "yarn"):
        put("rope.scaling.type", kind)
        put("rope.scaling.factor", float(rope["factor"]))
    if kind == "yarn":
        put("rope.scaling.original_context_length", rope["original_max_position_embeddings"])
    gguf.set("golden.peer", f"transformers {transformers.__version__}, torch {torch.__version__}, {type(model).__name__}, eager")
    gguf.set("golden.tokens", tokens)
    gguf.set("golden.positions", positions)
    gguf.set("golden.logits", logits[positions].reshape(-1))

    names = dict(NAMES, post_attention_layernorm="ffn_norm")
    if arch == "gemma3":
        names |= {"post_attention_layernorm": "post_attention_norm", "pre_feedforward_layernorm": "ffn_norm",
                  "post_feedforward_layernorm": "post_ffw_norm"}
    for key, value in model.state_dict().items():
        values = value.float().numpy()
        if arch == "gemma3" and "norm" in key:
            values = values + 1
        if key == "lm_head.weight":
            if not config.tie_word_embeddings:
                gguf.tensor("output.weight", values)
        elif key == "model.embed_tokens.weight":
            gguf.tensor("token_embd.weight", values)
        elif key == "model.norm.weight":
            gguf.tensor("output_norm.weight", values)
        else:
            layer, part = key.removeprefix("model.layers.").split(".", 1)
            part, kind_of = part.rsplit(".", 1)
            if arch == "llama" and part in ("self_attn.q_proj", "self_attn.k_proj"):
                heads = config.num_attention_heads if "q_proj" in part else config.num_key_value_heads
                values = permuted(values, heads)
            gguf.tensor(f"blk.{layer}.{names[part]}.{kind_of}", values)
    if kind == "llama3":
        gguf.tensor("rope_freqs.weight", np.array(divisors(rope, head_dim)))
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.gguf.zst"
    raw = gguf.bytes()
    path.write_bytes(subprocess.run(["zstd", "-19", "-c", f"--stream-size={len(raw)}"], input=raw, stdout=subprocess.PIPE, check=True).stdout)
    print(f"{name}: {len(raw)} bytes, {path.stat().st_size} compressed, logits {logits.min():.1f} to {logits.max():.1f}, "
          f"deviation {logits.std():.2f}")


def common(**more):
    return dict(vocab_size=VOCAB, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
                num_key_value_heads=2, max_position_embeddings=256, tie_word_embeddings=False, attn_implementation="eager",
                bos_token_id=None, eos_token_id=None, pad_token_id=None) | more


def models():
    from transformers import (Gemma3ForCausalLM, Gemma3TextConfig, LlamaConfig, LlamaForCausalLM, MistralConfig,
                              MistralForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM)
    plain = {"rope_type": "default", "rope_theta": 10000.0}
    llama = lambda **more: LlamaForCausalLM(LlamaConfig(**common(**more)))
    yield "llama", "llama", lambda: llama(rope_parameters=plain)
    yield "llama3", "llama", lambda: llama(
        tie_word_embeddings=True, intermediate_size=64,
        rope_parameters={"rope_type": "llama3", "rope_theta": 500.0, "factor": 8.0, "low_freq_factor": 1.0,
                         "high_freq_factor": 4.0, "original_max_position_embeddings": 32})
    yield "llama_linear", "llama", lambda: llama(
        tie_word_embeddings=True, num_hidden_layers=1, rope_parameters={"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0})
    yield "llama_yarn", "llama", lambda: llama(
        tie_word_embeddings=True, num_hidden_layers=1,
        rope_parameters={"rope_type": "yarn", "rope_theta": 10000.0, "factor": 8.0, "original_max_position_embeddings": 32})
    # Heads wider than width / heads, one key head for all, feed-forward width that is no multiple of a panel.
    yield "mistral", "llama", lambda: MistralForCausalLM(MistralConfig(
        **common(head_dim=32, num_key_value_heads=1, intermediate_size=72, sliding_window=None, rope_parameters=plain)))
    yield "qwen2", "qwen2", lambda: Qwen2ForCausalLM(Qwen2Config(
        **common(tie_word_embeddings=True, rope_parameters={"rope_type": "default", "rope_theta": 1000000.0})))
    yield "qwen3", "qwen3", lambda: Qwen3ForCausalLM(Qwen3Config(
        **common(head_dim=32, num_attention_heads=6, rope_parameters={"rope_type": "default", "rope_theta": 1000000.0})))
    yield "gemma3", "gemma3", lambda: Gemma3ForCausalLM(Gemma3TextConfig(
        **common(tie_word_embeddings=True, num_hidden_layers=6, hidden_size=32, intermediate_size=64, head_dim=16,
                 query_pre_attn_scalar=16, sliding_window=12,
                 layer_types=["sliding_attention", "sliding_attention", "full_attention"] * 2,
                 rope_parameters={"sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
                                  "full_attention": {"rope_type": "linear", "rope_theta": 1000000.0, "factor": 8.0}})))


def main():
    wanted = sys.argv[1:]
    for seed, (name, arch, build) in enumerate(models()):
        if not wanted or name in wanted:
            make(name, arch, build(), seed)


if __name__ == "__main__":
    main()
