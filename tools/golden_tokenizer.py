#!/usr/bin/env python3
"""Makes the goldens of tokenizer training (tests/golden/tokenizer) from Hugging Face's tokenizers, and holds the program
against it.

    golden_tokenizer.py                       writes tests/golden/tokenizer/golden.json
    golden_tokenizer.py --compare PROGRAM     thousands of texts: vocabularies, merges and ids must be equal, and the
                                              tokenizer.json that PROGRAM writes must give its ids in the peer

The texts are short and bad on purpose: Chinese, emoji, marks, runs, controls, unassigned characters, every kind of space.
"""
import argparse
import hashlib
import json
import pathlib
import random
import subprocess
import tempfile
import unicodedata

import tokenizers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests/golden/tokenizer"
SPECIAL = ["<s>", "</s>", "<pad>"]
CONTRACTIONS = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SPLITS = {"llama-bpe": rf"{CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}" + REST,
          "qwen2": rf"{CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}" + REST}
PRES = ["gpt-2", "smollm", "llama-bpe", "qwen2"]
POOLS = ["ab", "aab", "abc ", "哈哈a", "啊哈 ", "--- =\n", "😀😁👍🏽a ", "　 \t \n a1", "é\u0301e'sSt ", "0123 a", "\u2028\u00a0\ufeffa",
         "龘𠮷㐀x ", "a\u0001\u007fb", "ſ's'ſ'S ", "व्यर्थ ", "👨‍👩‍👧🇨🇳", "Ⅷ½²①１ "]
ODD = ["", " ", "  a  b ", "\t x", "é e\u0301 ﬁ Ａｂｃ １２３ ①②", "😀👨‍👩‍👧👍🏽 🇨🇳", "I'll don't WE'RE 'S ſ 'ſ", "1234567 12.5%", "龘𠮷㐀",
       "　全角　空格\u00a0x", "a\u0001b\u007f", "ا\u200eلعربية עברית हिन्दी ไทย", "-" * 50, "哈" * 37, "　" * 5, "▁a▁ b", "\u2028\u2029\u0085",
       "𝒜𝓑 Ⅷ ½ ²", "\U000e0001\U0010ffff\u0378", "价格：１２８元，9.9折！", "he said “你好”… ——"]


def lines_of(seed, count):
    r = random.Random(seed)
    words = "the cat sat on 手冲 咖啡壶 非常 不错 的 of it's 2026 12.5% price 价格 ： ， 。 😀 Über naïve re-read".split()
    out = list(ODD)
    for _ in range(count):
        if r.random() < 0.5:
            out.append(r.choice(["", " "]).join(r.choice(words) for _ in range(r.randint(1, 12))))
        else:
            pool = r.choice(POOLS)
            out.append("".join(r.choice(pool) * r.choice([1, 1, 1, 2, 3, 7]) for _ in range(r.randint(1, 20))))
    return [text.replace("\n", " ").replace("\r", " ") for text in out]


def peer(pre):
    tokenizer = Tokenizer(models.BPE(ignore_merges=pre == "llama-bpe"))
    words, plain = (pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use) for use in (True, False))
    if pre == "gpt-2":
        tokenizer.pre_tokenizer = words
    elif pre == "smollm":
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), words])
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(SPLITS[pre]), "isolated"), plain])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def train(pre, texts, vocab_size, min_frequency):
    tokenizer = peer(pre)
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=vocab_size, min_frequency=min_frequency, special_tokens=SPECIAL, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return tokenizer


def vocabulary(tokenizer):
    model = json.loads(tokenizer.to_str())["model"]
    tokens = [text for text, _ in sorted(model["vocab"].items(), key=lambda item: item[1])]
    return tokens, [" ".join(pair) for pair in model["merges"]]


def digest(texts):
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def unigram():
    """A small vocabulary whose sums tie and whose tokens overlap."""
    pieces = [("<s>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -3.0), ("a", -4.0), ("b", -4.0), ("ab", -8.0), ("▁a", -5.5),
              ("▁ab", -7.25), ("你", -5.0), ("好", -5.0), ("你好", -9.999), ("😀", -6.0), ("aa", -7.5), ("aaa", -12.0), ("\n", -4.5)]
    tokenizer = Tokenizer(models.Unigram(pieces, 2, False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="never")
    tokenizer.add_special_tokens(["<s>", "</s>", "<unk>"])
    return tokenizer


def wordpiece(texts, vocab_size, lowercase):
    """BERT's whole pipeline over a vocabulary of the texts."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.train_from_iterator(texts, trainers.WordPieceTrainer(
        vocab_size=vocab_size, min_frequency=1, show_progress=False, limit_alphabet=400_000,
        special_tokens=["[PAD]", "[unused1]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]))
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]",
                                                             special_tokens=[("[CLS]", 3), ("[SEP]", 4)])
    return tokenizer


def every_character():
    """Lines with every character up to U+32FFF, each between letters, but for those (some 500) that are younger than the
    peer's tables of marks, signs, controls, case and parts, the oldest of which are Unicode 8's."""
    normalise, cut = normalizers.BertNormalizer(lowercase=True).normalize_str, pre_tokenizers.BertPreTokenizer().pre_tokenize_str
    lines, line, left_out = [], [], 0
    for c in map(chr, range(1, 0x33000)):
        kind = unicodedata.category(c)
        if kind in ("Cn", "Cs", "Zl", "Zp") or c in "\n\r\v\f\x1c\x1d\x1e\x85":
            continue
        whole = f"a{c}b"
        folded = "".join(x for x in unicodedata.normalize("NFD", whole) if unicodedata.category(x) not in ("Mn", "Cf", "Cc", "Co"))
        alone = len(cut(whole)) == 3
        if ord(c) > 127 and kind[0] != "Z" and (normalise(whole).replace(" ", "") != folded.lower() or alone != (kind[0] == "P")):
            left_out += 1
            continue
        line.append(f"a{c}b")
        if len(line) == 64:
            lines.append(" ".join(line))
            line = []
    assert 300 < left_out < 1000, left_out
    return lines + [" ".join(line)]


def make():
    texts = lines_of(1, 60)
    cases = []
    for pre, vocab_size, min_frequency in [("gpt-2", 420, 2), ("gpt-2", 5000, 1), ("smollm", 400, 3), ("llama-bpe", 400, 2),
                                           ("qwen2", 400, 2)]:
        tokenizer = train(pre, texts, vocab_size, min_frequency)
        tokens, merges = vocabulary(tokenizer)
        cases.append({"pre": pre, "vocab_size": vocab_size, "min_frequency": min_frequency, "tokens": len(tokens),
                      "tokens_sha256": digest(tokens), "merges_sha256": digest(merges), "first_merges": merges[:8],
                      "ids_sha256": digest(" ".join(map(str, tokenizer.encode(text).ids)) for text in texts)})
    small = train("gpt-2", texts, 280, 2)
    pieces = unigram()
    words = [wordpiece(texts, size, lower) for size, lower in ((700, True), (300, False))]
    marked = texts + ["[CLS] a [MASK] 手[SEP]", "[UNK][unused1]", "w" * 101 + " " + "w" * 100]
    tried = ["", " ", "ab", "aab", " ab", "  ab aaa", "你好a😀", "▁ab", "x", "你x y好", "aaaa\nb", "<s>ab</s>", "a" * 40]
    golden = {"maker": "tools/golden_tokenizer.py", "peer": f"tokenizers {tokenizers.__version__}", "special": SPECIAL,
              "texts": texts, "cases": cases,
              "written_bpe": {"json": small.to_str(), "ids_sha256": digest(" ".join(map(str, small.encode(text).ids)) for text in texts)},
              "written_unigram": {"json": pieces.to_str(), "texts": tried, "ids": [pieces.encode(text).ids for text in tried]},
              "written_wordpiece": [{"json": one.to_str(), "texts": marked[len(texts):],
                                     "ids_sha256": digest(" ".join(map(str, one.encode(text).ids)) for text in marked)}
                                    for one in words]}
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "golden.json").write_text(json.dumps(golden, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    print(len(texts), "texts;", [(case["pre"], case["tokens"]) for case in cases])


def run(program, *arguments):
    done = subprocess.run([program, "--json", "--quiet", *map(str, arguments)], stdout=subprocess.PIPE)
    if done.returncode != 0:
        raise SystemExit(f"{arguments}: {done.stdout.decode()}")
    return json.loads(done.stdout)


def compare(program, rounds, seed):
    r = random.Random(seed)
    checked = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for number in range(rounds):
            texts = lines_of(r.random(), r.randint(1, 200))
            (folder / "texts.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
            others = lines_of(r.random(), 200)
            (folder / "others.txt").write_text("\n".join(others) + "\n", encoding="utf-8", newline="")
            pre, size, least = r.choice(PRES), 259 + r.choice([3, 30, 300, 3000]), r.choice([1, 2, 3])
            run(program, "tokenizer", "train", "--type", "bpe", "--vocab-size", size, "--min-frequency", least, "--pre", pre,
                "--threads", r.choice([1, 2, 3]), folder / "texts.jsonl", "--out", folder / "bpe.json")
            wanted = train(pre, texts, size, least)
            ours = Tokenizer.from_file(str(folder / "bpe.json"))
            if vocabulary(ours) != vocabulary(wanted):
                raise SystemExit(f"seed {seed}, round {number}: {pre}, {size}, {least}: another vocabulary than the peer's")
            sizes = run(program, "tokenizer", "train", "--type", "unigram", "--vocab-size", 4000, "--coverage", r.choice([1, 0.98]),
                        folder / "texts.jsonl", "--out", folder / "unigram.json")
            if number < 2:  # a vocabulary that knows every character, small and as it is
                characters = every_character()
                others += characters
                (folder / "others.txt").write_text("\n".join(others) + "\n", encoding="utf-8", newline="")
                words = wordpiece(texts + characters, 400_000, number == 0)
            else:
                words = wordpiece(texts, r.choice([200, 500, 5000]), r.random() < 0.7)
            words.save(str(folder / "wordpiece.json"))
            for name in ("bpe", "unigram", "wordpiece"):
                tokenizer = Tokenizer.from_file(str(folder / f"{name}.json"))
                ids = run(program, "tokenize", "-m", folder / f"{name}.json", "--text", folder / "others.txt")["ids"]
                assert len(ids) == len(others)
                for text, found in zip(others, ids):
                    wanted = tokenizer.encode(text, add_special_tokens=False).ids
                    if wanted != found:
                        raise SystemExit(f"seed {seed}, round {number}: {name} of {text!r}: {found}, peer {wanted}")
                    checked += 1
            assert sizes["vocab_size"] <= 4000
    print(f"{rounds} vocabularies equal to those of tokenizers {tokenizers.__version__}, ids of {checked} texts equal")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compare", metavar="PROGRAM")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.compare:
        compare(options.compare, options.rounds, options.seed)
    else:
        make()


if __name__ == "__main__":
    main()
