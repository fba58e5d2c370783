"""`atelier evaluate suite`: this project's own recipes held to their cut-offs, and what the command promises.

The recipes run for real, on the models and the documents that `./dev test` fetched: the second argument is a studio with
the index `debian`."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

from promises import ATELIER, end, expect, run

ROOT = Path(__file__).resolve().parent.parent
DEBIAN = Path(sys.argv[2])


def suite(file, out, *args, cwd, code=0, says=""):
    text = run("evaluate", "suite", str(file), "--out", str(out), "--json", *args, cwd=cwd, code=code, says=says,
               timeout=1500)
    return json.loads(text) if text.startswith("{") else {"passed": None, "arms": [], "baseline": {}}


def measures(result, arm):
    return {m["name"]: m for a in result["arms"] if a["name"] == arm for m in a["measures"]}


class Balance(HTMLParser):
    """Which tags are open, and whether each ends where it should."""

    def __init__(self):
        super().__init__()
        self.open, self.wrong = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append((tag, self.getpos()))


def balanced(page):
    balance = Balance()
    balance.feed(page)
    return balance.wrong[:3] + balance.open


def ad_copy(studio, root):
    """Holds; comes from the cache the second time; and a worse variant that is planted fails, by the case that shows why."""
    spec = ROOT / "recipes/ad_copy/tests/suite.toml"
    result = suite(spec, root / "ad", cwd=studio)
    expect("ad_copy passes", result["passed"])
    expect("ad_copy's errors", [arm["errors"] for arm in result["arms"]], [0, 0])
    again = suite(spec, root / "ad", cwd=studio)
    expect("all from the cache", [arm["cached"] for arm in again["arms"]], [16, 16])
    expect("compared with the run before", (again["baseline"] or {}).get("run"), result["run"])
    expect("no difference to itself", measures(again, "phrases")["score"]["baseline"]["difference"], 0.0)
    expect("a page whose tags end", balanced((root / "ad/index.html").read_text()), [])
    expect("two runs remembered", (root / "ad/history.jsonl").read_text().count("\n"), 2)

    worse = root / "worse"
    shutil.copytree(ROOT / "recipes/ad_copy", worse)
    with open(worse / "recipe.toml", "a") as recipe:
        recipe.write("\n[variants.careless]\nmodel = { skip = true }\nlikelihood = { skip = true }\n"
                     "checks = { skip = true }\n")
    grammar = worse / "grammar/zh.toml"
    lines = grammar.read_text().split("\n")
    for i, line in enumerate(lines):
        if line.startswith('part = "headline"'):
            text = next(j for j in range(i, i + 5) if lines[j].startswith('text = "'))
            lines[text] = lines[text].replace('text = "', 'text = "全网第一，')
    grammar.write_text("\n".join(lines))
    planted = worse / "tests/suite.toml"
    planted.write_text(planted.read_text().replace('variant = "phrases"', 'variant = "careless"')
                       .replace('name = "phrases"', 'name = "careless"'))
    failed = suite(planted, root / "bad", "--arm", "careless", cwd=studio, code=1)
    expect("the planted variant fails", failed["passed"], False)
    claim = measures(failed, "careless")["no claim to be the best"]
    expect("by its claim", (claim["passed"], claim["cases"], bool(claim["failing"])), (False, 16, True))
    expect("which is said", claim["failing"][0], {"case": claim["failing"][0]["case"], "reason": "says '第一'"})
    expect("and shown", claim["failing"][0]["case"].startswith("rows_zh.jsonl:"))
    text = run("evaluate", "suite", str(planted), "--out", str(root / "bad"), "--arm", "careless", cwd=studio, code=1,
               timeout=600)
    for word in ("NOT GOOD ENOUGH", "rows_zh.jsonl:1", "says '第一'", "全网第一，", "no claim to be the best, careless:"):
        expect(f"the terminal says {word}", word in text)
    page = (root / "bad/index.html").read_text()
    expect("its tags end, too", balanced(page), [])
    expect("so does the page", "says &#39;第一&#39;" in page and "全网第一，" in page)
    expect("a run that fails is nobody's baseline", (root / "bad/passed.json").exists(), False)
    xml = ElementTree.parse(root / "bad/junit.xml").getroot()
    cases = xml.findall("testsuite/testcase")
    failing = [case for case in cases if case.find("failure") is not None]
    expect("and JUnit's XML", (int(xml.get("tests")), int(xml.get("failures"))), (len(cases), len(failing)))
    expect("by case", any(case.get("name") == "rows_zh.jsonl:1" and "第一" in case.find("failure").get("message")
                          for case in failing))


def ask_docs(root):
    """Holds on the real documents; and where nothing is sure enough it does not."""
    spec = ROOT / "recipes/ask_docs/tests/suite.toml"
    result = suite(spec, root / "ask", cwd=DEBIAN)
    expect("ask_docs passes", result["passed"])
    expect("99 questions", result["cases"], 99)
    worse = root / "worse_ask"
    shutil.copytree(ROOT / "recipes/ask_docs", worse)
    recipe = worse / "recipe.toml"
    recipe.write_text(recipe.read_text().replace("least = 0.5", "least = 0.999"))
    failed = suite(worse / "tests/suite.toml", root / "ask", cwd=DEBIAN, code=1)  # against the run before
    got = measures(failed, "as written")
    expect("unsure answers are not given", got["answers what is there"]["passed"], False)
    expect("absent ones still are not", got["says what is not there"]["passed"])
    expect("far worse than before", got["answers what is there"]["baseline"]["p"] < 0.01)
    expect("it says which", "is 'no', not 'yes'" in got["answers what is there"]["failing"][0]["reason"])


def promises(studio, root):
    """Files that are wrong, each with one line; a run that is cut off goes on."""
    shutil.copytree(ROOT / "recipes/ad_copy", root / "copy")
    spec = root / "copy/tests/suite.toml"
    text = spec.read_text()
    run("evaluate", "suite", str(root / "none.toml"), cwd=studio, code=1, says="none.toml")
    spec.write_text(text.replace('use = "answered"', 'use = "answred"'))
    run("evaluate", "suite", str(spec), cwd=studio, code=1, says="did you mean 'answered'?")
    spec.write_text(text)
    run("evaluate", "suite", str(spec), "--arm", "fast", cwd=studio, code=2, says="it has as written, phrases")
    (root / "broken.json").write_text('{"format":1}')
    run("evaluate", "suite", str(spec), "--baseline", str(root / "broken.json"), cwd=studio, code=1,
        says="broken.json: no results of a suite")
    run("evaluate", "suite", str(spec), "--baseline", str(root / "absent.json"), cwd=studio, code=1, says="absent.json")
    (root / "copy/tests/rows_zh.jsonl").write_text("{\n")
    run("evaluate", "suite", str(spec), cwd=studio, code=1, says="rows_zh.jsonl:1: not a JSON object")
    (root / "copy/tests/rows_zh.jsonl").write_bytes(b'{"name":"\xff\xfe"}\n')
    run("evaluate", "suite", str(spec), cwd=studio, code=1, says="rows_zh.jsonl")

    # A thousand cases that need no generation, in the order of the file, and one output too few.
    many = root / "many"
    many.mkdir()
    with open(many / "cases.jsonl", "w") as cases, open(many / "made.jsonl", "w") as made:
        for i in range(1000):
            cases.write(json.dumps({"id": f"c{i}", "name": "壶", "features": ["不锈钢", "600毫升"], "ref": f"好壶 {i} 😀"}) + "\n")
            if i != 500:
                made.write(json.dumps({"id": f"c{i}", "headline": f"好壶 {i}", "body": "x" * (i % 7)}) + "\n")
    (many / "suite.toml").write_text(
        f'[suite]\nname="many"\nrecipe="{ROOT}/recipes/ad_copy"\n[cases]\nfile="cases.jsonl"\nid="id"\n'
        '[[arm]]\noutputs="made.jsonl"\n[[metric]]\nuse="chrf"\nof="headline"\nreference="ref"\n'
        '[[assert]]\nuse="length"\nof="body"\nmost_chars=5\nleast=0.8\n')
    result = suite(many / "suite.toml", root / "many_out", cwd=studio, code=1)
    expect("an output is missing", [arm["errors"] for arm in result["arms"]], [1])
    got = measures(result, "made.jsonl")
    expect("the share of those that fit", got["length"]["score"], sum(i % 7 <= 5 for i in range(1000) if i != 500) / 1000)
    page = (root / "many_out/index.html").read_text()
    expect("the long page's tags end", balanced(page), [])
    command = [ATELIER, "evaluate", "suite", str(many / "suite.toml"), "--out", str(root / "many_out"), "--json"]
    together = [subprocess.Popen(command, cwd=studio, stdout=subprocess.DEVNULL) for _ in range(8)]
    expect("eight runs at once end alike", {process.wait(timeout=300) for process in together}, {1})
    expect("and all are remembered", (root / "many_out/history.jsonl").read_text().count("\n"), 9)
    expect("the page says how many it shows", "300" in page and len(page) < 2_000_000)


def path_models(studio, root):
    """A model named by its path has no hash on record: other weights there are other outputs."""
    home = Path(os.environ.get("ATELIER_HOME") or Path.home() / ".atelier") / "models"
    folder = root / "by_path"
    folder.mkdir()
    sheet = {"id": "1", "name": "Kettle", "features": "steel; 600 ml", "headline": "Kettle", "body": "Steel.", "lang": "en"}
    (folder / "cases.jsonl").write_text(json.dumps(sheet))
    (folder / "suite.toml").write_text(
        f'[suite]\nname="path"\nrecipe="{ROOT}/recipes/judge_copy"\n[cases]\nfile="cases.jsonl"\nid="id"\n'
        f'[[arm]]\nname="a"\nmodel="{folder}/model.gguf"\n[[metric]]\nuse="field"\nof="clear"\n')
    cached = []
    for model in ("smollm2", "smollm2", "gemma3-270m"):
        (folder / "model.gguf").unlink(missing_ok=True)
        (folder / "model.gguf").symlink_to(home / f"{model}.gguf")
        cached.append(suite(folder / "suite.toml", root / "by_path_out", cwd=studio)["arms"][0]["cached"])
    expect("the same file is the same model, another is not", cached, [0, 1, 0])


def main():
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        studio = root / "studio"
        run("init", str(studio))
        promises(studio, root)
        path_models(studio, root)
        ad_copy(studio, root)
        ask_docs(root)
    end("suites hold what they promise")


if __name__ == "__main__":
    main()
