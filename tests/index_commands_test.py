"""Indexes as a person and a crash see them, by words alone. Usage: index_commands_test.py ATELIER SOURCE_DIR.

HTML goes through a child with limits; datasets become documents; filters, deletion; adding is killed at many moments;
files are damaged everywhere.
"""
import json
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from promises import ATELIER, FAULTS, end, expect

SOURCE = pathlib.Path(sys.argv[2])


def run(*args, cwd, code=0, says="", timeout=300):
    done = subprocess.run([ATELIER, *map(str, args)], cwd=cwd, capture_output=True, stdin=subprocess.DEVNULL, timeout=timeout)
    out, err = done.stdout.decode(), done.stderr.decode()
    if done.returncode != code or says not in out + err:
        FAULTS.append(f"{args}: exit {done.returncode}, wanted {code} and {says!r}\n{out[-2000:]}{err[-2000:]}")
    return out, err


def told(*args, cwd, code=0):
    out, _ = run(*args, "--json", cwd=cwd, code=code)
    return json.loads(out) if out else {}


def found(index, query, cwd, *more):
    return [hit["document"] for hit in told("search", index, query, "-k", "50", *more, cwd=cwd)["hits"]]


def add(index, *args, cwd, **more):
    return told("index", "add", index, *args, "--model", "none", cwd=cwd, **more)


def studio(root, name):
    folder = root / name
    run("init", folder, cwd=root)
    return folder


def hostile(root):
    """Pages that a parser dies of are refused, each in one line; the others are there with anchors and spans."""
    shop, pages = studio(root, "hostile"), root / "pages"
    (pages / "more").mkdir(parents=True)
    (pages / "a.html").write_text("<title>Manual</title><h1 id=top>Kettle</h1><p>The kettle holds six cups. 😀"
                                  "<h2><a id='clean'/>Cleaning</h2><p>Never in the dishwasher.", encoding="utf-8")
    (pages / "more/z.htm").write_text("<h1>壶</h1><p>手冲壶的保修期是两年。</p>", encoding="utf-8")
    bad = {"deep": "<div>" * 1_000_000,
           "closed": "<b>" * 1_000_000 + "</b>" * 1_000_000,
           # Each paragraph opens anew all that stood open: 39 million elements.
           "memory": "<p>" + "".join(f"<b id={i}>" for i in range(390)) + "</p>" + "<p>x</p>" * 100_000,
           "output": "<p>" + "\x01" * 50_000_000,
           "blocks": "<p>x" * 600_000,
           "large": "x" * (65 << 20)}
    for name, page in bad.items():
        (pages / f"{name}.html").write_text(page)
    for loop in ("more/up", "more/up2"):
        (pages / loop).symlink_to(pages)
    began = time.monotonic()
    out, err = run("index", "add", "m", pages, "--base", pages, "--model", "none", "--quiet", cwd=shop)
    lines = [line for line in err.splitlines() if line.startswith("not taken: ")]
    expect("a line for each", sorted(line.split("/")[-1].split(":")[0] for line in lines), sorted(f"{n}.html" for n in bad))
    expect("nothing but these lines", len(err.splitlines()), len(bad))
    expect("short ones", max(map(len, lines), default=0) < 300)
    expect("in time", time.monotonic() - began < 200)
    print("\n".join(lines))
    hits = told("search", "m", "dishwasher", cwd=shop)["hits"]
    expect("anchor", [(h["document"], h["anchor"], h["headings"]) for h in hits], [("a.html", "clean", ["Kettle", "Cleaning"])])
    expect("span", hits[0]["span"]["characters"][1] - hits[0]["span"]["characters"][0], len(hits[0]["text"]))
    expect("emoji", [h["text"] for h in told("search", "m", "cups", cwd=shop)["hits"]], ["The kettle holds six cups. 😀"])
    expect("the others", found("m", "保修", shop), ["more/z.htm"])
    # What stood in the index of a page that is bad now, stays; where all are bad, nothing is made.
    (pages / "a.html").write_text(bad["deep"])
    made = add("m", pages / "a.html", pages / "more/z.htm", "--base", pages, cwd=shop)
    expect("refused", (made["refused"], made["unchanged"], made["refusals"][0]["source"]), (1, 1, str(pages / "a.html")))
    expect("the old page", found("m", "dishwasher", shop), ["a.html"])
    _, err = run("index", "add", "n", pages / "deep.html", cwd=shop, code=1, says="nests more than 400 levels deep")
    expect("one line", len([line for line in err.splitlines() if "No embedder" not in line]), 1)
    expect("no index of it", [i["name"] for i in told("index", "list", cwd=shop)["indexes"]], ["m"])
    run("studio", "verify", cwd=shop, says="sound")


def datasets(root):
    """A record is a document; another version of the dataset takes the place of what is there."""
    shop = studio(root, "datasets")
    rows = [{"id": 1, "text": "The kettle holds six cups.", "lang": "en", "year": 2021, "title": "Kettle"},
            {"id": 2, "text": "手冲壶的保修期是两年😀。", "year": 2023, "open": True},
            {"id": 3, "text": "Filters are made of paper.", "year": 2022},
            {"id": 4, "text": None, "year": 2022}, {"id": 5, "year": 2022}]

    def imported(rows, name):
        (root / f"{name}.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        run("data", "import", root / f"{name}.jsonl", "--name", name, "--quiet", cwd=shop)
    imported(rows, "shop")
    made = add("i", "shop", "--field", "team=sales", cwd=shop)
    expect("made", [made[k] for k in ("new", "removed", "refused", "documents")], [3, 0, 2, 3])
    expect("why", "record 4: has no text in 'text'" in made["refusals"][0]["reason"])
    hit = told("search", "i", "保修期", cwd=shop)["hits"][0]
    expect("zh", (hit["document"], hit["lang"], hit["text"], hit["source"]), ("shop:2", "zh", rows[1]["text"], "shop"))
    expect("span", hit["span"]["characters"], [0, len(rows[1]["text"])])
    expect("en", (found("i", "kettle", shop), told("search", "i", "kettle", cwd=shop)["hits"][0]["title"]), (["shop:1"], "Kettle"))
    expect("fields", found("i", "paper filters kettle 保修期", shop, "--filter", "year=2022..", "--filter", "team=sales"),
           ["shop:3", "shop:2"])
    again = add("i", "shop", "--field", "team=sales", cwd=shop)
    expect("again", [again[k] for k in ("new", "replaced", "unchanged", "removed")], [0, 0, 3, 0])
    # The same ids in another dataset and in a file are others.
    imported([{"id": 1, "text": "Tea cups."}], "tea")
    (root / "one.jsonl").write_text('{"id": 1, "text": "Saucers."}\n')
    add("i", "tea", root / "one.jsonl", cwd=shop)
    expect("no clash", sorted(found("i", "cups saucers", shop)), ["1", "shop:1", "tea:1"])
    # The next version: one changed, one gone, one new; the older by its number.
    imported([rows[0] | {"text": "The kettle holds seven cups."}, rows[1], {"id": 9, "text": "Grinders."}], "shop")
    made = add("i", "shop", "--field", "team=sales", cwd=shop)
    expect("the next version", [made[k] for k in ("new", "replaced", "unchanged", "removed")], [1, 1, 1, 1])
    expect("what it had not", (found("i", "paper", shop), found("i", "six", shop), found("i", "saucers", shop)), ([], [], ["1"]))
    add("old", "shop@1", cwd=shop)
    expect("an older version", found("old", "six", shop), ["shop:1"])
    run("index", "add", "i", "shop@7", cwd=shop, code=1, says="no version 7")
    run("index", "add", "i", "shop", "--text-field", "body", cwd=shop, code=1, says="--text-field names another field")
    expect("nothing changed", found("i", "seven", shop), ["shop:1"])
    # Without an id the content's hash; sections keep their headings.
    (root / "manual.html").write_text("<title>手册</title><h1>手冲壶</h1><p>六杯。<h2>清洗</h2><p>不能放进洗碗机。", encoding="utf-8")
    (root / "manual.md").write_text("# Kettle\n\n## Cleaning\n\nNever in the dishwasher.\n\n## Warranty\n\nTwo years.\n")
    run("data", "import", root / "manual.html", root / "manual.md", "--name", "manual", "--quiet", cwd=shop)
    expect("sections", add("i", "manual", cwd=shop)["new"], 4)
    hit = told("search", "i", "洗碗机", cwd=shop)["hits"][0]
    expect("headings", (hit["headings"], hit["text"], hit["title"]), (["手冲壶", "清洗"], "不能放进洗碗机。", "手册"))
    expect("their words are found", told("search", "i", "warranty", cwd=shop)["hits"][0]["text"], "Two years.")
    expect("unchanged", add("i", "manual", cwd=shop)["unchanged"], 4)


def filters(root):
    shop, docs = studio(root, "filters"), root / "docs"
    docs.mkdir()
    for name, text in {"a.md": "# One\n\napples", "b.txt": "apples and pears", "c.txt": "苹果 apples 很好吃的苹果"}.items():
        (docs / name).write_text(text, encoding="utf-8")
    add("f", docs / "a.md", "--base", docs, "--field", "team=sales", "--field", "year=2020", cwd=shop)
    add("f", docs / "b.txt", docs / "c.txt", "--base", docs, "--field", "team=service", cwd=shop)
    for given, wanted in {"team=sales": ["a.md"], "team=sales|service": ["a.md", "b.txt", "c.txt"], "year=2019..": ["a.md"],
                          "lang=zh": ["c.txt"], "id=b.txt": ["b.txt"], "team=": [], "nobody=1": [], "team==sales": ["a.md"],
                          f"source={docs}/b.txt": ["b.txt"]}.items():
        expect(given, sorted(found("f", "apples", shop, "--filter", given)), wanted)
    for wrong in ("team", "=x", "year=5..2"):
        _, err = run("search", "f", "apples", "--filter", wrong, cwd=shop, code=2)
        expect(f"one line for {wrong}", len(err.splitlines()), 1)
    # Deleted, it is found no more, and may come again; what is not there deletes nothing.
    run("index", "delete", "f", "b.txt", "nobody", cwd=shop, code=1, says="no document 'nobody'")
    expect("nothing deleted", found("f", "pears", shop), ["b.txt"])
    run("index", "delete", "f", "b.txt", cwd=shop)
    expect("deleted", (found("f", "pears", shop), sorted(found("f", "apples", shop))), ([], ["a.md", "c.txt"]))
    expect("it comes again", add("f", docs, "--base", docs, "--field", "team=x", cwd=shop)["new"], 1)
    expect("found again", found("f", "pears", shop), ["b.txt"])
    run("index", "rm", "f", cwd=shop)
    run("search", "f", "apples", cwd=shop, code=1, says="there is no index")


def kills(root):
    """Killed at any moment, the index is the old one or the new."""
    shop = studio(root, "kills")
    for name, word in (("odd", "pears"), ("even", "plums")):
        (root / f"{name}.jsonl").write_text("".join(json.dumps({"id": i, "text": f"{word} " + f"w{i} " * 200}) + "\n" for i in range(3000)))
    began = time.monotonic()
    add("time", root / "odd.jsonl", cwd=shop)
    lasts = time.monotonic() - began
    rng, cut = random.Random(3), 0
    for i in range(30):
        child = subprocess.Popen([ATELIER, "index", "add", "k", root / ("odd.jsonl", "even.jsonl")[i % 2], "--model", "none", "--quiet"],
                                 cwd=shop, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(lasts * rng.uniform(0, 1.3))
        child.send_signal(signal.SIGKILL)
        cut += child.wait() == -signal.SIGKILL
        if not (shop / "indexes/k/index.json").exists():
            run("search", "k", "pears", cwd=shop, code=1, says="there is no index")
        else:
            have = {word: len(told("search", "k", word, "-k", "1000", cwd=shop)["hits"]) for word in ("pears", "plums")}
            shown = told("index", "show", "k", cwd=shop)
            expect(f"kill {i}: all of one kind", sorted(have.values()), [0, 1000])
            expect(f"kill {i}: documents", len(shown["documents"]), 3000)
        run("studio", "verify", cwd=shop, says="sound")
    if cut < 8:
        FAULTS.append(f"only {cut} of 30 were killed before their end")
    add("k", root / "odd.jsonl", cwd=shop)
    files = sorted(p.name.split("-")[0] for p in (shop / "indexes/k").iterdir())
    expect("nothing is left of the killed", (files.count("segment") <= 2, [f for f in files if "tmp" in f]), (True, []))
    print(f"kills: {cut} of 30 cut off")


def damage(root):
    """A file of an index that is changed anywhere is refused in one line that names it, or reads as it did."""
    shop, docs = studio(root, "damage"), root / "few"
    docs.mkdir()
    for i in range(30):
        (docs / f"{i}.md").write_text(f"# Part {i}\n\nSome words of part {i}. 一些字。\n")
    add("d", docs, "--base", docs, "--field", "team=x", cwd=shop)
    folder = shop / "indexes/d"
    want = told("search", "d", "words 一些字", cwd=shop)["hits"]
    told_times = 0
    for path in (next(folder.glob("segment-*")), folder / "index.json"):
        whole = path.read_bytes()
        rng = random.Random(1)
        cuts = [(i * len(whole) // 60 + rng.randrange(max(1, len(whole) // 60))) % len(whole) for i in range(60)]
        for at in list(range(0, 64, 8)) + cuts:
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x21]) + whole[at + 1:])
            done = subprocess.run([ATELIER, "search", "d", "words 一些字", "--json"], cwd=shop, capture_output=True)
            err = done.stderr.decode()
            if done.returncode == 0:
                if path.suffix == ".seg":
                    expect(f"{path.name} byte {at}: the same", (json.loads(done.stdout)["hits"] == want, whole[at]), (True, 0))
            else:
                told_times += 1
                expect(f"{path.name} byte {at}", (done.returncode, len(err.splitlines()), "indexes/d" in err or "index" in err), (1, 1, True))
        for size in (0, 1, 63, 64, 65, len(whole) // 2, len(whole) - 2):
            path.write_bytes(whole[:size])
            _, err = run("search", "d", "words", cwd=shop, code=1)
            expect(f"{path.name} cut at {size}", len(err.splitlines()), 1)
            run("index", "add", "d", docs, cwd=shop, code=1)
        run("studio", "verify", cwd=shop, code=1, says=path.name if path.suffix == ".seg" else "index.json")
        path.write_bytes(whole)
    expect("most damage was told", told_times > 60)
    expect("whole again", told("search", "d", "words 一些字", cwd=shop)["hits"], want)


def page(root):
    """What `ask_docs` shows of passages that are full of markup is text, told or not."""
    shop = studio(root, "page")
    recipe = shop / "recipes/ask_docs"
    shutil.copytree(SOURCE / "recipes/ask_docs", recipe)
    toml = (recipe / "recipe.toml").read_text(encoding="utf-8")
    toml = re.sub(r"bias = [-0-9.]+", "bias = -1.0", toml)  # without vectors a real one would never answer
    (recipe / "recipe.toml").write_text(toml, encoding="utf-8")
    nasty = "Kettles <script>alert('kettle')</script> & \"quotes\" {{ 1 + 1 }} </pre><img src=x onerror=alert(1)> 😀."
    (root / "nasty.md").write_text(f"# <b>Head</b>\n\n{nasty}\n\nAnother line of it.\n")
    add("debian", root / "nasty.md", "--base", root, cwd=shop)
    (root / "q.jsonl").write_text(json.dumps({"question": "kettles alert <i>quotes</i>"}) + "\n" + json.dumps({"question": "无关的问题"}) + "\n")
    run("make", "ask_docs", "--input", root / "q.jsonl", "--out", root / "out", cwd=shop)
    html = (root / "out/index.html").read_text(encoding="utf-8")
    answers = [json.loads(line) for line in (root / "out/answers.jsonl").read_text(encoding="utf-8").splitlines()]
    chosen = [line.get("chosen") or line["candidates"][0] for line in answers]
    expect("answered", [c["output"]["found"] for c in chosen], ["yes", "no"])
    expect("word for word", nasty in chosen[0]["output"]["answer"])
    for raw in ("<script>alert", "<img src=x", "<b>Head", "<i>quotes", "<script>alert('kettle')"):
        expect(f"{raw} is not markup", raw in html, False)
    expect("it is shown", "&lt;script&gt;alert" in html)


def main():
    root = pathlib.Path(tempfile.mkdtemp())
    try:
        for part in (hostile, datasets, filters, kills, damage, page):
            part(root)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    end("index commands: as promised")


if __name__ == "__main__":
    main()
