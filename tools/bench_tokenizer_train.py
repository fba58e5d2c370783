#!/usr/bin/env python3
"""Tokenizer training: byte-level BPE beside Hugging Face's tokenizers, on Chinese and English. Run it as `./dev bench train
bpe`.

Both read the same file of lines and get the same settings; each run is a process of its own with two threads, ours and the
peer's in turn; times are those of training alone (reading, counting, merging), wall and processor, and medians. In the same
run the vocabularies and merges must be equal. --unigram compares unigram vocabularies instead: time, tokens per character
and log-likelihood per character on held-out lines, beside tokenizers' and sentencepiece's trainers.
"""
import argparse
import json
import math
import os
import pathlib
import platform
import random
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
AIM = 2.0
SPECIAL = ["<s>", "</s>", "<pad>"]

PEER = """
import json, resource, sys, time
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
text, size, out = sys.argv[1], int(sys.argv[2]), sys.argv[3]
tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
trainer = trainers.BpeTrainer(vocab_size=size, min_frequency=2, special_tokens=%r, show_progress=False,
                              initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
before, begin = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
tokenizer.train([text], trainer)
seconds, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF)
tokenizer.save(out)
print(json.dumps({"seconds": seconds, "mb": after.ru_maxrss / 1024,
                  "cpu_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}))
""" % SPECIAL

UNIGRAM_PEER = """
import json, resource, sys, time
name, text, size, out = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
before, begin = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
if name == "sentencepiece":
    import sentencepiece as spm
    spm.SentencePieceTrainer.train(
        input=text, model_prefix=out, vocab_size=size, model_type="unigram", character_coverage=0.9995, num_threads=2,
        normalization_rule_name="identity", add_dummy_prefix=False, remove_extra_whitespaces=False, minloglevel=2,
        split_by_unicode_script=False, split_by_number=False, max_sentence_length=1 << 20)
    model = spm.SentencePieceProcessor(model_file=out + ".model")
    vocab, unknown = [[model.id_to_piece(i), model.get_score(i)] for i in range(model.get_piece_size())], 0
else:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    tokenizer.train([text], trainers.UnigramTrainer(vocab_size=size, special_tokens=%r + ["<unk>"], unk_token="<unk>",
                                                    show_progress=False))
    model = json.loads(tokenizer.to_str())["model"]
    vocab, unknown = model["vocab"], model["unk_id"]
seconds, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"seconds": seconds, "cpu_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
                  "vocab": vocab, "unknown": unknown}))
""" % SPECIAL

# Every vocabulary is tried by the same program, the peer's encoder.
SCORE = """
import json, math, sys
from tokenizers import Tokenizer, models, pre_tokenizers
given = json.load(sys.stdin)
vocab, unknown = given["vocab"], given["unknown"]
log_sum = math.log(sum(math.exp(score) for _, score in vocab if score < 0))
tokenizer = Tokenizer(models.Unigram([tuple(entry) for entry in vocab], unknown, False))
tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
tokens = characters = unknowns = 0
likelihood = 0.0
lines = [line for line in open(sys.argv[1], encoding="utf-8").read().split("\\n") if line]
for line, encoded in zip(lines, tokenizer.encode_batch(lines)):
    characters += len(line)
    tokens += len(encoded.ids)
    for number in encoded.ids:
        unknowns += number == unknown
        likelihood += -30 if number == unknown else vocab[number][1] - log_sum
print(json.dumps({"tokens_per_character": tokens / characters, "likelihood": likelihood / characters, "unknown": unknowns}))
"""


def corpus(folder, least):
    """Lines of news, reviews, poems and the Brown corpus, shuffled; at least `least` MB."""
    path = folder / f"train_{least}.txt"
    if path.exists():
        return path
    lines = []
    for name in ("brown", "news", "reviews"):
        lines += (folder / f"{name}.txt").read_text(encoding="utf-8").split("\n")
    lines += (folder / "poems.txt").read_text(encoding="utf-8").split("\n")
    lines = [line for line in lines if line.strip()]
    random.Random(1).shuffle(lines)
    size = 0
    for count, line in enumerate(lines):
        size += len(line.encode()) + 1
        if size >= least * 1e6:
            lines = lines[:count + 1]
            break
    if size < 20e6 and least >= 20:
        sys.exit(f"the corpus has only {size / 1e6:.1f} MB")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
    return path


def python(folder, code, *arguments, text=None):
    environment = {**os.environ, "RAYON_NUM_THREADS": "2", "TOKENIZERS_PARALLELISM": "true"}
    done = subprocess.run([folder / "venv/bin/python", "-c", code, *map(str, arguments)], check=True, env=environment,
                          stdout=subprocess.PIPE, input=text)
    return json.loads(done.stdout)


def ours(atelier, kind, text, size, out):
    done = subprocess.run([atelier, "--json", "--quiet", "tokenizer", "train", "--type", kind, "--vocab-size", str(size),
                           "--threads", "2", text, "--out", out], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def vocabulary(path):
    model = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))["model"]
    return model["vocab"], model["merges"]


def bench_bpe(options, folder, atelier, text, work):
    rows, failed = [], False
    for size in options.sizes:
        mine, theirs, same = [], [], True
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}: {size} tokens", file=sys.stderr, flush=True)
            mine.append(ours(atelier, "bpe", text, size, work / "ours.json"))
            theirs.append(python(folder, PEER, text, size, work / "peer.json"))
            same &= vocabulary(work / "ours.json") == vocabulary(work / "peer.json")
        row = {"vocab_size": size, "mb": text.stat().st_size / 1e6, "identical": same}
        for key in ("cpu_seconds", "seconds"):
            a, b = (statistics.median(run[key] for run in runs) for runs in (mine, theirs))
            row[key] = {"ours": a, "peer": b, "ratio": b / a, "all": [[run[key] for run in runs] for runs in (mine, theirs)]}
        rows.append(row)
        print(f"bpe {size:6} tokens, {row['mb']:.1f} MB: processor {row['cpu_seconds']['ours']:.2f} s, tokenizers "
              f"{row['cpu_seconds']['peer']:.2f} s, {row['cpu_seconds']['ratio']:.1f}x; wall {row['seconds']['ours']:.2f} s, "
              f"{row['seconds']['peer']:.2f} s, {row['seconds']['ratio']:.1f}x; vocabulary and merges "
              f"{'identical' if same else 'DIFFER'}", flush=True)
        failed |= not same or row["cpu_seconds"]["ratio"] < AIM
    return rows, failed


def bench_unigram(options, folder, atelier, text, work):
    lines = text.read_text(encoding="utf-8").split("\n")
    held, train = work / "held.txt", work / "train.txt"
    held.write_text("\n".join(lines[:len(lines) // 10]) + "\n", encoding="utf-8", newline="")
    train.write_text("\n".join(lines[len(lines) // 10:]), encoding="utf-8", newline="")
    rows, failed = [], False
    for size in options.sizes:
        results = {"ours": ours(atelier, "unigram", train, size, work / "ours.json")}
        model = json.loads((work / "ours.json").read_text(encoding="utf-8"))["model"]
        results["ours"].update(vocab=model["vocab"], unknown=model["unk_id"])
        for name in ("sentencepiece", "tokenizers"):
            print(f"{name}: {size} tokens", file=sys.stderr, flush=True)
            try:
                results[name] = python(folder, UNIGRAM_PEER, name, train, size, work / "peer")
            except subprocess.CalledProcessError:  # tokenizers wants room for every character, however rare
                print(f"unigram {size:6} tokens, {name:13}: refused", flush=True)
        for name, result in results.items():
            score = python(folder, SCORE, held, text=json.dumps({"vocab": result.pop("vocab"),
                                                                 "unknown": result["unknown"]}).encode())
            result.update(score)
            print(f"unigram {size:6} tokens, {name:13}: {score['tokens_per_character']:.4f} tokens and "
                  f"{score['likelihood']:.4f} log-likelihood per held-out character, {score['unknown']} unknown; processor "
                  f"{result['cpu_seconds']:.1f} s, wall {result['seconds']:.1f} s", flush=True)
        for name in ({"sentencepiece", "tokenizers"} & set(results)):
            failed |= results["ours"]["tokens_per_character"] > 1.01 * results[name]["tokens_per_character"]
            failed |= results["ours"]["likelihood"] < 1.01 * results[name]["likelihood"]
        rows.append({"vocab_size": size, "results": results})
    return rows, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", help="of the vocabularies (default: 8192 30000; unigram: 16000)")
    parser.add_argument("--mb", type=int, help="of text (default: 30; unigram: 6, since peers take minutes)")
    parser.add_argument("--unigram", action="store_true")
    parser.add_argument("--json", metavar="FILE", help="write all figures there")
    options = parser.parse_args()
    options.sizes = options.sizes or ([16000] if options.unigram else [8192, 30000])
    options.mb = options.mb or (6 if options.unigram else 30)
    folder = ROOT / "build/peer/tokens"
    subprocess.run([ROOT / "tools/fetch_token_corpora.sh", folder], check=True)
    subprocess.run([ROOT / "tools/fetch_poems.sh", folder], check=True)
    text = corpus(folder, options.mb)
    with tempfile.TemporaryDirectory() as work:
        bench = bench_unigram if options.unigram else bench_bpe
        rows, failed = bench(options, folder, ROOT / "build/release/atelier", text, pathlib.Path(work))
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"machine": platform.processor() or platform.machine(), "rows": rows}))
    if failed:
        sys.exit("unigram: more than 1 % behind a peer" if options.unigram else f"not everywhere identical and {AIM} times as fast")


if __name__ == "__main__":
    main()
