#!/usr/bin/env python3
"""Hugging Face's tokenizers for tools/bench_tokens.py: built from the vocabulary (and merges) that a GGUF file holds, one
thread. Usage: token_peer.py MODEL.gguf REPEAT TEXT...; one line of JSON a text: {"lines", "tokens", "seconds", "hash"}."""
import json
import os
import struct
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
import tokenizers  # noqa: E402
import xxhash  # noqa: E402
from tokenizers import AddedToken, Regex, decoders, models, normalizers, pre_tokenizers  # noqa: E402,F401


def metadata(path):
    """The key-value part of a GGUF file (version 3)."""
    data = open(path, "rb")

    def read(form):
        return struct.unpack("<" + form, data.read(struct.calcsize("<" + form)))[0]

    def text():
        return data.read(read("Q")).decode("utf-8", "surrogateescape")

    plain = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}

    def value(kind):
        if kind in plain:
            return read(plain[kind])
        if kind == 8:
            return text()
        kind, count = read("I"), read("Q")
        if kind in plain:
            form = "<" + str(count) + plain[kind]
            return list(struct.unpack(form, data.read(struct.calcsize(form))))
        return [value(kind) for _ in range(count)]

    assert data.read(4) == b"GGUF" and read("I") == 3
    read("Q")
    return {text(): value(read("I")) for _ in range(read("Q"))}


def byte_level(meta):
    tokens = meta["tokenizer.ggml.tokens"]
    assert meta["tokenizer.ggml.pre"] == "smollm"
    merges = [tuple(m.split(" ")) for m in meta["tokenizer.ggml.merges"]]
    tok = tokenizers.Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, merges))
    tok.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    return tok


def sentencepiece(meta):
    """As transformers turns a SentencePiece BPE model into merges: every way to cut a token into two, best score first."""
    tokens, scores = meta["tokenizer.ggml.tokens"], meta["tokenizer.ggml.scores"]
    vocab = {t: i for i, t in enumerate(tokens)}
    merges = []
    for token, score in zip(tokens, scores):
        local = [(token[:k], token[k:]) for k in range(1, len(token)) if token[:k] in vocab and token[k:] in vocab]
        local.sort(key=lambda m: (vocab[m[0]], vocab[m[1]]))
        merges += [(score, m) for m in local]
    merges.sort(key=lambda m: m[0], reverse=True)
    tok = tokenizers.Tokenizer(models.BPE(vocab, [m for _, m in merges], unk_token="<unk>", fuse_unk=True,
                                          byte_fallback=True))
    tok.normalizer = normalizers.Replace(" ", "\u2581")
    tok.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    assert not meta.get("tokenizer.ggml.add_space_prefix", True)
    return tok


def main():
    meta = metadata(sys.argv[1])
    tok = byte_level(meta) if meta["tokenizer.ggml.model"] == "gpt2" else sentencepiece(meta)
    user = [t for t, kind in zip(meta["tokenizer.ggml.tokens"], meta["tokenizer.ggml.token_type"]) if kind == 4]
    tok.add_tokens([AddedToken(t, normalized=False) for t in user])
    for path in sys.argv[3:]:
        lines = open(path, encoding="utf-8", newline="\n").read().split("\n")
        if lines[-1] == "":
            lines.pop()
        seconds = []
        for _ in range(int(sys.argv[2])):
            begin, cpu = time.perf_counter(), time.process_time()
            out = tok.encode_batch_fast(lines, add_special_tokens=False)
            seconds.append((time.process_time() - cpu, time.perf_counter() - begin))
        ids = [e.ids for e in out]
        flat = [i for line in ids for i in line]
        digest = xxhash.xxh64(struct.pack(f"<{len(flat)}i", *flat)).intdigest()
        print(json.dumps({"lines": len(lines), "tokens": len(flat), "cpu_seconds": min(seconds)[0],
                          "seconds": min(seconds)[1], "hash": digest}), flush=True)


if __name__ == "__main__":
    main()
