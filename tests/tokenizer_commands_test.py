"""What `atelier tokenizer train` promises: from files, JSON lines and datasets to a tokenizer.json that `tokenize` takes, and
one clear line for everything that is wrong. Usage: tokenizer_commands_test.py ATELIER."""
import json
import pathlib
import subprocess
import tempfile

from promises import ATELIER, FAULTS, end


def check(what, holds, seen=""):
    if not holds:
        FAULTS.append(f"{what}: {seen}")


def run(*arguments):
    return subprocess.run([ATELIER, *map(str, arguments)], capture_output=True, text=True, encoding="utf-8")


def fails(name, wanted, *arguments, code=1):
    done = run("--quiet", "tokenizer", "train", *arguments)
    lines = done.stderr.splitlines()
    check(name, done.returncode == code and len(lines) == 1 and wanted in lines[0], f"{done.returncode} {done.stderr!r}")


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    texts = [f"手冲咖啡壶{n % 7} 非常不错 pouring kettle number {n} 😀\n" for n in range(400)]
    plain, lines, out = folder / "a.txt", folder / "a.jsonl", folder / "tokenizer.json"
    plain.write_text("".join(texts), encoding="utf-8")
    lines.write_text("".join(json.dumps({"body": text}) + "\n" for text in texts), encoding="utf-8")

    for kind, size in (("bpe", 330), ("unigram", 90)):
        done = run("--json", "tokenizer", "train", "--type", kind, "--vocab-size", size, plain, "--out", out)
        check(f"{kind}: is trained", done.returncode == 0 and done.stderr == "", done.stderr)
        result = json.loads(done.stdout)
        check(f"{kind}: tells what it made", result["vocab_size"] == size and result["texts"] == 400 and
              0 < result["measured"]["tokens_per_character"] < 1 and result["special"][0] == "<s>" and
              any("kettle" in token for token in result["longest"]), done.stdout)
        first = out.read_bytes()
        again = run("--json", "tokenizer", "train", "--type", kind, "--vocab-size", size, "--threads", 3, lines,
                    "--text-field", "body", "--out", out)
        check(f"{kind}: the same from JSON lines and with other threads", again.returncode == 0 and out.read_bytes() == first)
        (folder / "t.txt").write_text("手冲 kettle 😀", encoding="utf-8")
        ids = json.loads(run("--json", "tokenize", "-m", out, "--text", folder / "t.txt").stdout)["ids"]
        check(f"{kind}: tokenize takes it", len(ids) == 1 and all(0 <= i < size for i in ids[0]), str(ids))
        config = json.loads((folder / "tokenizer_config.json").read_text())
        check(f"{kind}: the roles stand beside it", config["eos_token"] == "</s>" and config["pad_token"] == "<pad>")
        table = run("tokenizer", "train", "--type", kind, "--vocab-size", size, plain, "--held-out", "0.1", "--out", out)
        check(f"{kind}: a table for people", table.returncode == 0 and " tokens\n" in table.stdout and
              "tokens per character, held out" in table.stdout and "longest tokens" in table.stdout, table.stdout)

    studio = folder / "studio"
    run("init", studio)
    run("--studio", studio, "data", "import", lines, "--name", "reviews")
    done = run("--json", "--studio", studio, "tokenizer", "train", "--type", "bpe", "--vocab-size", 330, "reviews", "--text-field",
               "body", "--out", folder / "from_dataset.json")
    run("--json", "tokenizer", "train", "--type", "bpe", "--vocab-size", 330, plain, "--out", out)
    check("a dataset's records are texts", done.returncode == 0 and
          (folder / "from_dataset.json").read_bytes() == out.read_bytes(), done.stderr)

    def text(content, name="bad.txt"):
        (folder / name).write_bytes(content)
        return folder / name

    bpe = ("--type", "bpe", "--out", out)
    fails("empty corpus", "the corpus is empty", *bpe, text(b""))
    fails("broken UTF-8", "bad.txt:2: is not UTF-8", *bpe, text(b"a\n\xff\n"))
    fails("NUL bytes", "bad.txt:1: holds a NUL character", *bpe, text(b"a\0b"))
    fails("a small vocabulary", "a vocabulary of 100 has no room for 256 bytes and 3 special tokens", *bpe, "--vocab-size", 100, plain)
    fails("a small unigram vocabulary", "has no room for", "--type", "unigram", "--vocab-size", 5, plain, "--out", out)
    fails("colliding special tokens", "two special tokens are '<s>'", *bpe, "--special", "<s>", plain)
    fails("a special token that is a word", "the special token 'number' is also a token", *bpe, "--special", "number",
          text(b"number number\n"))
    fails("an unknown kind", "--type 'wordpiece' is neither", "--type", "wordpiece", plain, "--out", out, code=2)
    fails("another ending", "does not end in .json", "--type", "bpe", plain, "--out", folder / "x.gguf", code=2)
    fails("no file", "there is no file and no dataset", *bpe, folder / "nosuch.txt")
    fails("no field", "has no field 'text'", *bpe, lines)
    fails("an unknown pre-tokenizer", "unknown pre-tokenizer 'nobody'", *bpe, "--pre", "nobody", plain)
    run("tokenizer", "train", *bpe, "--vocab-size", 330, plain)
    before = out.read_bytes()
    fails("one that cannot be written", "no spelling for the pre-tokenizer 'falcon'", *bpe, "--pre", "falcon", plain)
    check("a failure leaves the old file", out.read_bytes() == before)
    long = run("--json", "tokenizer", "train", "--type", "bpe", "--vocab-size", 300, text("啊哈z".encode() * 300_000), "--out", out)
    check("one gigantic line is a text like others", long.returncode == 0, long.stderr)
    out.write_text(out.read_text(encoding="utf-8").replace('"version":"1.0"', '"version":"1.0","extra":1'), encoding="utf-8")
    done = run("tokenize", "-m", out, "--text", plain)
    check("tokenize refuses what it does not know", done.returncode == 1 and "unknown field 'extra'" in done.stderr, done.stderr)

end("tokenizer train: from texts to a file that tokenize takes, and one line for what is wrong")
