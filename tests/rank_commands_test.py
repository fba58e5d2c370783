"""What `tune rank` and `rank` promise to people and scripts: a taste is learned from choices and told, the ranker is a model of the
studio's, a recipe chooses by it, and every kind of bad input is
one clear line. Usage: rank_commands_test.py ATELIER."""
import json
import os
import pathlib
import random
import shutil
import sqlite3
import tempfile

from promises import ATELIER, end, expect, run
from serving import Server

ROOT = pathlib.Path(tempfile.mkdtemp())
os.environ["ATELIER_HOME"] = str(ROOT / "home")
os.environ.pop("ATELIER_STUDIO", None)


def file(name, text):
    (ROOT / name).write_text(text)
    return str(ROOT / name)


def choices(count, seed):
    """Readers who like a price and dislike shouting, in two languages; chance has its say."""
    draw, lines = random.Random(seed), []
    for _ in range(count):
        options = []
        for _ in range(draw.randint(2, 5)):
            price, marks, chinese = draw.random() < 0.5, draw.randrange(4), draw.random() < 0.5
            text = ("好茶" if chinese else "good tea ") * draw.randint(1, 8)
            text += ("，128元" if chinese else " for $18") * price + ("！" if chinese else "!") * marks
            options.append((2 * price - marks - draw.gammavariate(1, 1), text))
        best = max(options)
        lines.append({"context": {"name": "茶"}, "group": f"读者{draw.randrange(40)}",
                      "options": [{"text": text, "clicked": (worth, text) == best} for worth, text in options]})
    return lines


def jsonl(lines):
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


STUDIO = str(ROOT / "studio")
run("init", STUDIO)
MADE = choices(600, 1)
DATA = file("choices.jsonl", jsonl(MADE + [{"options": [{"text": "一个"}]}, {"options": [{"text": "a"}, {"text": "b"}]}]))

# Learning, and what it says.
out = run("tune", "rank", "--data", DATA, "--name", "clicks", "--json", "--report", str(ROOT / "clicks.html"),
          "--report-lang", "zh", cwd=STUDIO)
said = json.loads(out)
expect("the model", said["model"], "clicks")
expect("left out", said["left_out"], 2)
expect("choices", said["choices"] + said["held_out"]["choices"], 600)
effects = {one["feature"]: one["effect"] for one in said["influences"]}
expect("the greatest effects", {one["feature"] for one in said["influences"][:4]} >= {"exclamations"})
expect("shouting", effects["exclamations"] < -0.3)
expect("a price", effects["price"] + effects["quantities"] + effects["digits"] > 0.3)
held = said["held_out"]
expect("better than what costs nothing",
       all(held["ranker"]["pair_accuracy"] > one["pair_accuracy"] + 0.15 for one in held["baselines"].values()))
expect("honest", held["calibration_error_after"] < 0.1)
page = (ROOT / "clicks.html").read_text()
expect("the page", all(word in page for word in ("排序器", "学到了什么", "感叹号数", "最先展示", "<svg")))
expect("no scripts", "<script" not in page)

# Twice the same; with more choices it takes its own place.
first = pathlib.Path(said["path"]).read_bytes()
run("tune", "rank", "--data", DATA, "--name", "clicks", "--quiet", cwd=STUDIO, says="exclamations")
expect("the same bytes", pathlib.Path(said["path"]).read_bytes(), first)
more = file("more.jsonl", jsonl(MADE + choices(100, 2)))
run("tune", "rank", "--data", more, "--name", "clicks", "--loss", "listwise", "--quiet", cwd=STUDIO)
expect("another", pathlib.Path(said["path"]).read_bytes() != first)

# A model like others.
listed = json.loads(run("model", "list", "--json", cwd=STUDIO))["models"]
expect("listed", [(one["name"], one["architecture"]) for one in listed], [("clicks", "ranker")])
shown = json.loads(run("model", "show", "clicks", "--json", cwd=STUDIO))
expect("shown", (shown["loss"], shown["encoder"], shown["trained"]["held_out"]["choices"] > 0), ("listwise", None, True))
run("model", "show", "clicks", cwd=STUDIO, says="ODDS PER DEVIATION")
expect("sound", json.loads(run("model", "verify", "clicks", "--json", cwd=STUDIO))["sound"])
run("generate", "-m", "clicks", "-p", "x", cwd=STUDIO, code=1)
run("embed", "-m", "clicks", "x", cwd=STUDIO, code=1)

# Putting in order.
ranked = json.loads(run("rank", "-m", "clicks", "好茶，128元", "好茶！！！", "好茶！", "--json", cwd=STUDIO))["choices"][0]
expect("the order", ranked["order"], [0, 2, 1])
expect("chances", abs(sum(ranked["chances"]) - 1.5) < 1e-9 and ranked["chances"][0] > 0.8)
lines = file("options.jsonl", '{"options":[{"text":"好茶！！！"},{"text":"好茶"}]}\n\n{"options":[{"text":"只有"}]}\n')
ranked = json.loads(run("rank", "-m", "clicks", "--input", lines, "--json", cwd=STUDIO))["choices"]
expect("by line", [(one["line"], one["order"]) for one in ranked], [(1, [1, 0]), (3, [0])])
expect("for people", run("rank", "-m", "clicks", "好茶！！！", "好茶", cwd=STUDIO).split()[1], "好茶")

# A recipe that chooses by it: of two headlines the one that does not shout. Without the ranker it says what is missing.
folder = ROOT / "recipe"
folder.mkdir()
(folder / "zh.toml").write_text("""format = 1
lang = "zh"
[[pattern]]
id = "zh.h.1"
part = "headline"
device = "fact"
text = "{name}！！！"
[[pattern]]
id = "zh.h.2"
part = "headline"
device = "fact"
text = "{name}慢慢喝"
[[pattern]]
id = "zh.b.1"
part = "body"
device = "fact"
text = "{f1}，{f2}，{name}。"
""")
RECIPE = """[recipe]
name = "small"
version = 1
[input]
language_field = "lang"
[[input.field]]
name = "name"
[[input.field]]
name = "features"
type = "list"
[[input.field]]
name = "audience"
[[input.field]]
name = "price"
[[input.field]]
name = "lang"
[[output.field]]
name = "headline"
[[output.field]]
name = "body"
[[step]]
id = "phrases"
use = "compose"
grammar = { zh = "zh.toml" }
count = 6
[[step]]
id = "taste"
use = "rank"
model = { zh = "MODEL" }
fields = ["headline"]
OPTIONAL
[[step]]
id = "select"
use = "select"
weights = { taste = 1.0 }
[[step]]
id = "page"
use = "render"
[[step.file]]
name = "copy.jsonl"
kind = "jsonl"
"""
sheet = file("sheet.csv", "lang,name,features,audience,price\nzh,手冲咖啡壶,304不锈钢；细口壶嘴；600毫升,在家冲咖啡的人,128元\n")
(folder / "recipe.toml").write_text(RECIPE.replace("MODEL", "clicks").replace("OPTIONAL", ""))
run("make", str(folder), "--input", sheet, "--out", str(ROOT / "out"), "--quiet", cwd=STUDIO)
expect("what was chosen", json.loads((ROOT / "out/copy.jsonl").read_text())["chosen"]["output"]["headline"], "手冲咖啡壶慢慢喝")
(folder / "recipe.toml").write_text(RECIPE.replace("MODEL", "gone").replace("OPTIONAL", ""))
run("make", str(folder), "--input", sheet, "--out", str(ROOT / "out"), "--quiet", cwd=STUDIO, code=1, says="step taste")
(folder / "recipe.toml").write_text(RECIPE.replace("MODEL", "gone").replace("OPTIONAL", "optional = true"))
run("make", str(folder), "--input", sheet, "--out", str(ROOT / "out"), "--quiet", cwd=STUDIO, says="left out")

# A server's recipes choose by it, too, and by what was learned while it runs; nobody is offered to talk with it.
(folder / "recipe.toml").write_text(RECIPE.replace("MODEL", "clicks").replace("OPTIONAL", ""))
shutil.copytree(folder, ROOT / "studio/recipes/small", dirs_exist_ok=True)
POT = {"name": "手冲咖啡壶", "features": ["304不锈钢", "细口壶嘴", "600毫升"], "audience": "在家冲咖啡的人", "price": "128元"}
server = Server(ATELIER, STUDIO)


def served():
    status, _, made = server.ask("POST", "/api/recipes/small/generations", {"record": POT, "seed": 3})
    return made["records"][0]["chosen"]["output"]["headline"] if status == 200 else made


expect("its models", [one["id"] for one in server.ask("GET", "/v1/models")[2]["data"]], [])
expect("served", served(), "手冲咖啡壶慢慢喝")
loud = [dict(one, options=[{"text": o["text"], "clicked": "！" in o["text"] or "!" in o["text"]} for o in one["options"]])
        for one in MADE]
run("tune", "rank", "--data", file("loud.jsonl", jsonl(loud)), "--name", "clicks", "--quiet", cwd=STUDIO)
expect("served what was learned since", served(), "手冲咖啡壶！")
expect("it stops", server.stop(), 0)

# Another kind of model is none.
(ROOT / "home/models").mkdir(parents=True, exist_ok=True)
(ROOT / "home/models/talker.gguf").write_bytes(b"x")
(ROOT / "home/models/talker.json").write_text(json.dumps({
    "format": 1, "name": "talker", "architecture": "llama", "quantisation": "F32", "parameters": 1, "context_length": 1,
    "config": {}, "sha256": "x", "bytes": 1, "licence": "", "source": "here", "created_at": 1}))
run("rank", "-m", "talker", "a", "b", cwd=STUDIO, code=1, says="the model talker is no ranker")

# What is refused.
for args, says in (
        (["--data", str(ROOT / "gone.jsonl")], "gone.jsonl"),
        (["--data", file("bad.jsonl", '{"options":[{"text":"a"}]}\n{"options":[{"txt":"a"}]}\n')], "bad.jsonl:2"),
        (["--data", file("nothing.jsonl", '{"options":[{"text":"a"}]}\n')], "nothing to learn from"),
        (["--data", DATA, "--validation", DATA], "learned from, too"),
        (["--data", DATA, "--features", "lenght"], "did you mean length"),
        (["--data", DATA, "--encoder", "e5-smal"], "e5-smal"),
        (["--data", file("one.jsonl", jsonl([dict(one, group="a") for one in MADE]))], "of 1 group")):
    run("tune", "rank", *args, "--name", "clicks", cwd=STUDIO, code=1, says=says)
for args in (["--loss", "hinge"], ["--product"], ["--features", "none"], ["--features", "length,length"],
             ["--report", str(ROOT / "x.pdf")]):
    run("tune", "rank", "--data", DATA, "--name", "other", *args, cwd=STUDIO, code=2)
run("tune", "rank", "--data", DATA, "--name", "不行", cwd=STUDIO, code=1, says="cannot name a model")
with sqlite3.connect(ROOT / "studio/studio.db") as db:
    db.execute("UPDATE models SET manifest = replace(manifest, 'trained: tune rank', 'elsewhere')")
run("tune", "rank", "--data", DATA, "--name", "clicks", cwd=STUDIO, code=1, says="already, from elsewhere")
run("rank", "-m", "clicks", cwd=STUDIO, code=2)
run("rank", "-m", "gone", "a", "b", cwd=STUDIO, code=1, says="gone")
run("rank", "-m", file("x.ranker", "{}"), "a", "b", cwd=STUDIO, code=1)
damaged = bytearray(pathlib.Path(said["path"]).read_bytes())
damaged[-20] ^= 1
(ROOT / "damaged.ranker").write_bytes(damaged)
run("rank", "-m", str(ROOT / "damaged.ranker"), "a", "b", cwd=STUDIO, code=1, says="damaged.ranker")

# Preferred pairs under names of one's own, a feature that options bring, and no studio.
pairs = [{"q": f"壶{i}", "edited": "好茶" * (i % 3 + 1), "original": "好茶" * (i % 3 + 1) + "！"} for i in range(60)]
told = json.loads(run("tune", "rank", "--data", file("pairs.jsonl", jsonl(pairs)), "--name", "house", "--prompt", "q",
                      "--chosen", "edited", "--rejected", "original", "--features", "exclamations,length", "--json",
                      cwd=str(ROOT)))
expect("a file", told["path"], "house.ranker")
expect("a group each", told["groups"] + told["held_out"]["groups"], 60)
run("rank", "-m", str(ROOT / "house.ranker"), "好茶！", "好茶", cwd=str(ROOT), says="好茶")
brought = [dict(one, options=[dict(o, features={"likelihood": i}) for i, o in enumerate(one["options"])]) for one in MADE]
run("tune", "rank", "--data", file("brought.jsonl", jsonl(brought)), "--name", "brought", "--features", "likelihood,price",
    "--quiet", cwd=str(ROOT))
run("rank", "-m", str(ROOT / "brought.ranker"), "a", "b", cwd=str(ROOT), code=1, says="no feature 'likelihood'")

end("tune rank and rank keep what they promise")
