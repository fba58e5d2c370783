"""What `atelier check` promises: a recipe's own checks on lines that come one by one, their words in two languages, numbers alone for a
scorer, and one clear line for what is no such line. Usage: check_command_test.py ATELIER SOURCE."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

from promises import ATELIER, FAULTS, end, expect

SOURCE = pathlib.Path(sys.argv[2])
ROOT = pathlib.Path(tempfile.mkdtemp())
os.environ["ATELIER_HOME"] = str(ROOT / "home")
RECIPE = str(SOURCE / "recipes" / "ad_copy")
LAMP = {"name": "Oak Desk Lamp", "category": "lighting", "features": ["solid oak", "soft light", "2 m cable"], "audience": "late readers"}
SHEET = {"lang": "zh", "name": "亚麻床单", "category": "家纺", "features": ["纯亚麻", "水洗做旧", "1.8米床"], "audience": "怕热的人", "price": "329元"}


def check(lines, *args, code=0, says=""):
    text = lines if isinstance(lines, bytes) else "".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines).encode()
    done = subprocess.run([ATELIER, "check", RECIPE, "--variant", "headlines", *args], input=text, capture_output=True, timeout=120)
    said = done.stderr.decode()
    if done.returncode != code or says not in said or (code and len(said.strip().splitlines()) != 1):
        FAULTS.append(f"{args}: exit {done.returncode}, wanted {code} and {says!r}\n{done.stdout.decode()}{said}")
    return done.stdout.decode()


def told(lines, *args):
    return [json.loads(line) for line in check(lines, "--json", *args).splitlines()]


def failed(line):
    return [one["check"] for one in line["checks"] if not one["passed"]]


def verdicts():
    lines = [{"record": LAMP, "output": {"headline": text}} for text in
             ("Oak Desk Lamp for late readers", "Oak Desk Lamp, only 9 euro", "Oak Desk Lamp for late readers", "the best lamp in the world", "Oak Desk Lamp with")]
    out = told(lines)
    expect("one answer a line", [line["line"] for line in out], [1, 2, 3, 4, 5])
    expect("all checks answer", [one["check"] for one in out[0]["checks"]],
           ["length", "debris", "language", "facts", "claims", "about", "copied", "grounded", "duplicates"])
    expect("what passed", [line["passed"] for line in out], [True, False, False, False, False])
    expect("no number of its own", "facts" in failed(out[1]))
    expect("said before", failed(out[2]), ["duplicates"])
    expect("no claims", "claims" in failed(out[3]))
    expect("not cut off", "debris" in failed(out[4]))
    expect("the score of what passed", out[0]["score"], 1)
    expect("the score of one fault", out[2]["score"], 0.5 * 8 / 9)
    expect("a reason", "9 euro" in next(one["reason"] for one in out[1]["checks"] if one["check"] == "facts"))

    # The same text for another product is no repeat; for the first one again it is a new beginning.
    other = LAMP | {"name": "Ash Desk Lamp"}
    text = {"headline": "Soft light for late readers"}
    out = told([{"record": LAMP, "output": text}, {"record": LAMP, "output": text}, {"record": other, "output": text}, {"record": LAMP, "output": text}])
    expect("repeats within a record alone", ["duplicates" in failed(line) for line in out], [False, True, False, False])

    out = told([{"record": SHEET, "output": {"headline": "铺好亚麻床单，早点睡"}}, {"record": SHEET, "output": {"headline": "亚麻床单，全网第一"}},
                {"record": {"lang": "zh", "name": "", "features": []}, "output": {"headline": "好"}}])
    expect("in Chinese", [line["passed"] for line in out], [True, False, False])
    expect("its reason in Chinese", "第一" in next(one["reason"] for one in out[1]["checks"] if one["check"] == "claims"))
    expect("a record with too little", out[2]["needs_person"], "缺少“名称”")
    expect("and its score", (out[2]["score"], out[2]["checks"]), (0, []))

    bad = {"record": LAMP, "output": {"headline": "Oak Desk Lamp, only 9 euro"}}
    expect("a repeat of what failed is no repeat", ["duplicates" in failed(line) for line in told([bad, bad])], [False, False])

    people = check(lines[:2])
    expect("for people", people.splitlines()[0] == "1 passed" and people.splitlines()[1].startswith("2 failed; facts: ") and
           people.splitlines()[2] == "1 of 2 passed every check", True)
    path = ROOT / "lines.jsonl"
    path.write_text(json.dumps(lines[0]) + "\n\n" + json.dumps(lines[1]) + "\n")
    expect("from a file, empty lines passed over", [line["line"] for line in told([], "--input", str(path))], [1, 3])
    expect("nothing", check([]), "0 of 0 passed every check\n")


def scorer():
    """As `tune grpo` asks it: its own records, numbers alone, and an answer before the next line comes."""
    record = {"prompt": "Product: ...", **LAMP}
    lines = [{"record": record, "reply": text} for text in ("Oak Desk Lamp for late readers", "", "🔥" * 50, "a\nb", "Oak Desk Lamp, only 9 euro")]
    out = check(lines, "--reply", "headline", "--ignore", "prompt", "--scores").splitlines()
    expect("a number a line", [float(line) for line in out][0], 1)
    expect("nothing else passes", len(out) == 5 and all(0 <= float(line) < 0.5 for line in out[1:]))
    check(lines, "--reply", "headline", "--scores", code=1, says="prompt")
    signal.alarm(120)  # one that keeps its answers back would wait for ever
    asked = subprocess.Popen([ATELIER, "check", RECIPE, "--variant", "headlines", "--reply", "headline", "--ignore", "prompt", "--scores"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    for line, score in zip(lines[:2], out[:2]):
        asked.stdin.write(json.dumps(line) + "\n")
        asked.stdin.flush()
        expect("answered as it comes", asked.stdout.readline().strip(), score)
    asked.stdin.close()
    expect("and ends with its input", asked.wait(timeout=60), 0)
    signal.alarm(0)
    expect("no studio was made", (ROOT / "home").exists(), False)


def bad_lines():
    good = {"record": LAMP, "output": {"headline": "Oak Desk Lamp for late readers"}}
    for lines, args, says in (
        (["{\n"], (), "standard input:1"),
        ([good, "[]\n"], (), 'standard input:2: no object under "record"'),
        ([{"record": LAMP}], (), 'standard input:1: no object under "output"'),
        ([{"record": LAMP, "reply": "x"}], (), "--reply FIELD says"),
        ([good], ("--reply", "headline"), 'no text under "reply"'),
        ([{"record": LAMP, "output": {"hedline": "x"}}], (), "no output field 'hedline'"),
        ([{"record": LAMP, "output": {"headline": ["x"]}}], (), "'headline' is no text"),
        ([{"record": LAMP, "output": {"tags": "x"}}], (), "'tags' is no list of texts"),
        ([{"record": LAMP | {"colour": "blue"}, "output": {}}], (), "colour"),
        (b'{"record":{"name":"\xff"},"output":{}}\n', (), "standard input:1"),
        ([good], ("--reply", "hedline"), "--reply: the recipe ad_copy has no output field 'hedline'"),
        ([good], ("--input", str(ROOT / "none")), "cannot be read"),
    ):
        check(lines, *args, code=1, says=says)
    check([good], "--writer", "nobody", code=2, says="no step 'nobody'")
    check(["[" * 100000 + "\n"], code=1, says="standard input:1")
    # By the phrase grammar nothing is looked up in the sheet: that check is the model's.
    strange = {"record": LAMP, "output": {"headline": "Oak Desk Lamp from Sweden's oldest forest"}}
    expect("whose work it is", ["grounded" in failed(line) for line in told([strange]) + told([strange], "--writer", "phrases")], [True, False])


verdicts()
scorer()
bad_lines()
end("check: verdicts, a scorer, bad lines")
