"""What --report promises on `evaluate`'s commands: pages and pictures that parse, hold hostile texts as texts, are the same
bytes each time and have the size that was asked for; one clear line for what is wrong. Usage: report_test.py ATELIER."""
import html
import html.parser
import json
import math
import os
import pathlib
import random
import re
import struct
import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree

from promises import ATELIER, FAULTS, end, expect

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = ["<script>alert(1)</script>", "</text></svg><img src=x onerror=alert(2)>", "\"'&amp;&#0;]]>", "\u202eright to left\u202c",
           "שלום עולם", "x" * 10_000, "z" + "\u0301" * 500, "👩‍👩‍👧‍👦", "\x1b[31m\x07\x7f", "\ufffe\uffff", "好评 " * 400, "{{7*7}}"]
VOID = {"meta", "br", "img", "hr", "link"}


class Page(html.parser.HTMLParser):
    """Whether every tag ends where it should, and which tags and attributes there are."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.faults = [], set(), set(), []
        self.feed(text)
        self.close()
        if self.open:
            self.faults.append(f"never closed: {self.open}")

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")


def check_svg(what, text):
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        FAULTS.append(f"{what}: {error}")
        return None
    expect(f"{what}: root", (root.tag, root.get("role")), (SVG + "svg", "img"))
    for chart in root.iter(SVG + "svg"):
        if chart.find(SVG + "title") is None:
            FAULTS.append(f"{what}: a picture without a title")
        if chart is not root and chart.find(SVG + "desc") is None:
            FAULTS.append(f"{what}: a chart without a description")
    for element in root.iter():
        for name in element.keys():
            if name.startswith("on") or "href" in name:
                FAULTS.append(f"{what}: attribute {name}")
        for name in ("x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height"):
            value = element.get(name)
            if value and not re.fullmatch(r"-?[0-9.]+%?", value):
                FAULTS.append(f"{what}: {name}={value}")
    if any(bad in text for bad in ("nan", "inf")) and re.search(r'"[^"]*\b(nan|inf)\b[^"]*"', text):
        FAULTS.append(f"{what}: a number that is none")
    return root


def check_page(what, text, language):
    page = Page(text)
    for fault in page.faults[:3]:
        FAULTS.append(f"{what}: {fault}")
    expect(f"{what}: scripts and the like", page.tags & {"script", "img", "iframe", "link", "object", "foreignobject"}, set())
    expect(f"{what}: handlers", {name for name in page.attributes if name.startswith("on") or "href" in name or name == "src"},
           set())
    expect(f"{what}: language", f'<html lang="{language}">' in text)
    # Nothing from elsewhere: the only address is SVG's name.
    expect(f"{what}: addresses", set(re.findall(r'https?://[^"\s<]+', text)) - {"http://www.w3.org/2000/svg"}, set())
    charts = re.findall(r"<figure[^>]*>(<svg.*?</svg>)\s*</figure>", text, re.S)
    for chart in charts:
        check_svg(what, chart)
    return len(charts)


def png_size(path):
    data = path.read_bytes()
    expect(f"{path.name}: a PNG", data[:8], b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", data[16:24])


def main():
    root = pathlib.Path(tempfile.mkdtemp())
    rng = random.Random(7)

    def write(name, lines):
        (root / name).write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        return str(root / name)

    def run(*args, code=0, says="", env=None):
        done = subprocess.run([ATELIER, "evaluate", *args], capture_output=True, text=True, cwd=root,
                              env={**os.environ, **(env or {})})
        if done.returncode != code or says not in done.stdout + done.stderr:
            FAULTS.append(f"{args}: exit {done.returncode}, wanted {code} and {says!r}\n{done.stdout}{done.stderr}")
        if code and len(done.stderr.splitlines()) != 1:
            FAULTS.append(f"{args}: not one line: {done.stderr!r}")
        return done.stdout

    words = "the kettle pours 水 slowly 我们 今天 a b c 600 ml".split()
    ref = [" ".join(rng.choice(words) for _ in range(rng.randint(1, 20))) for _ in range(60)] + HOSTILE
    hyp = [line.replace("a", "the", 1) for line in ref[:60]] + [text[::-1] for text in HOSTILE]
    base = [" ".join(line.split()[::2]) for line in ref]
    texts = ["--hyp", write("hyp", hyp), "--ref", write("ref", ref), "--ref", write("ref2", ref[::-1])]
    compared = texts + ["--baseline", write("base", base), "--trials", "50", "--bootstrap", "50"]
    labels = [label.strip() for label in HOSTILE if label.strip()]
    truth = [rng.choice(labels) for _ in range(300)]
    guess = [t if rng.random() < 0.7 else rng.choice(labels) for t in truth]
    classes = sorted(set(truth) | set(guess))
    scores = []
    for t in truth:
        row = [rng.random() + (c == t) for c in classes]
        scores.append([value / sum(row) for value in row])
        scores[-1][0] += 1 - sum(scores[-1])
    labelled = ["--true", write("true", truth), "--pred", write("pred", guess),
                "--scores", write("scores", [" ".join(f"{x:.12f}" for x in row) for row in scores])]
    two = ["--true", write("t2", ["1", "0"] * 40), "--pred", write("p2", ["1", "0", "1", "1"] * 20),
           "--scores", write("s2", [f"{rng.random():.6f}" for _ in range(80)])]
    numbers = ["--true", write("tn", [f"{x / 7 - 3}" for x in range(50)] + ["1e299"]),
               "--pred", write("pn", [f"{x / 8}" for x in range(50)] + ["-1e301"])]
    ranked = ["--true", write("tr", ["3 0 1", "0 0 0", "1 0 2"]), "--scores", write("sr", ["1 2 3", "1 2 3", "3 1 2"])]
    table = [["", "1", "2", "3"][rng.randrange(4)] for _ in range(90)]
    csv = ['item,"<script>","Bo ""x""",陈'] + [",".join([str(i), *table[3 * i:3 * i + 3]]) for i in range(30)]
    rated = ["--ratings", write("r.csv", csv), "--items", "item"]
    pair = ["--ratings", write("r2.csv", ["a,b", "<b>,x", "x,x", "<b>,<b>"])]
    commands = {
        "bleu": (["bleu", *compared, "--tokenize", "zh"], ["scores", "lengths", "lines", "differences"]),
        "chrf": (["chrf", *texts], ["scores", "lengths", "lines"]),
        "ter": (["ter", *texts], ["scores", "lengths", "lines"]),
        "classes": (["classification", *labelled], ["matrix", "classes", "roc", "precision_recall", "calibration"]),
        "two": (["classification", *two], ["matrix", "classes", "roc", "precision_recall", "calibration"]),
        "labels": (["classification", *labelled[:4]], ["matrix", "classes"]),
        "regression": (["regression", *numbers], ["values", "errors"]),
        "ranking": (["ranking", *ranked, "-k", "2"], ["measures", "questions"]),
        "raters": (["agreement", *rated], ["measures", "kappas", "categories"]),
        "pair": (["agreement", *pair], ["measures", "pair", "categories"]),
    }
    for name, (command, figures) in commands.items():
        for language in ("en", "zh"):
            page, svg = f"{name}-{language}.html", f"{name}-{language}.svg"
            said = json.loads(run(*command, "--report", page, "--report-lang", language, "--json"))
            key = "report_file" if command[0] == "classification" else "report"
            expect(f"{page}: where", said.get(key), page)
            if not (root / page).exists():
                continue
            text = (root / page).read_text(encoding="utf-8")
            expect(f"{page}: figures", check_page(page, text, "zh-CN" if language == "zh" else "en"), len(figures))
            run(*command, "--report", svg, "--report-lang", language)
            whole = check_svg(svg, (root / svg).read_text(encoding="utf-8"))
            if whole is None:
                continue
            expect(f"{svg}: charts", len(list(whole.iter(SVG + "svg"))) - 1, len(figures))
            expect(f"{svg}: Chinese", bool(re.search("[\u4e00-\u9fff]", "".join(
                e.text or "" for e in whole.iter(SVG + "text")).translate({ord(c): None for c in "好评陈水我们今天"}))),
                language == "zh")
            before = (root / page).read_bytes(), (root / svg).read_bytes()
            run(*command, "--report", page, "--report-lang", language)
            run(*command, "--report", svg, "--report-lang", language)
            expect(f"{name}: the same bytes", ((root / page).read_bytes(), (root / svg).read_bytes()), before)
        for figure in figures:
            run(*command, "--report", f"{figure}.svg", "--report-lang", "en", "--report-figure", figure)
            one = check_svg(figure, (root / f"{figure}.svg").read_text(encoding="utf-8"))
            if one is None:
                end("")
            expect(f"{name}: {figure} alone", len(list(one.iter(SVG + "svg"))), 2)
        size = [float(one.get(side)) for side in ("width", "height")]
        for scale in (None, "1", "2.5"):
            run(*command, "--report", "one.png", "--report-figure", figures[-1], *(["--report-scale", scale] if scale else []),
                "--report-lang", "en")
            wanted = tuple(math.ceil(side * float(scale or 2)) for side in size)
            got = png_size(root / "one.png")
            if any(abs(a - b) > 1 for a, b in zip(got, wanted)):
                FAULTS.append(f"{name} at {scale}: {got}, wanted {wanted}")
    expect("the table stays", json.loads(run("classification", *two, "--report", "x.html", "--json"))["report"].split()[0],
           "precision")

    # A page shows what differs, and where lines are lost.
    text = (root / "bleu-en.html").read_text(encoding="utf-8")
    for piece in ("<del>", "<ins>", "The worst lines", "The best lines", "Most lost against the baseline", "95 % interval", "hyp</bdi> · ", "base</bdi></p>",
                  "p by bootstrap", "&lt;script&gt;alert(1)"):
        expect(f"the page has {piece}", piece in text)
    alone = json.loads(run("chrf", *texts, "--report", "x.html", "--json"))
    expect("a report has intervals", ("bs:1000" in alone["signature"], "bootstrap" in alone), (True, True))
    by_locale = {"LANG": "zh_CN.UTF-8", "LC_ALL": "", "LC_MESSAGES": ""}
    run("chrf", *texts, "--report", "x.html", env=by_locale, says="report: x.html")
    expect("by LANG", '<html lang="zh-CN">' in (root / "x.html").read_text(encoding="utf-8"))
    run("chrf", "--hyp", "ref", "--ref", "ref", "--report", "x.html", "--report-lang", "en")
    expect("what is right has no marks", any(tag in (root / "x.html").read_text(encoding="utf-8") for tag in ("<del>", "<ins>")),
           False)

    # Notes stand on the page, in its language.
    (root / "gaps").write_text("好\n\n", encoding="utf-8")
    (root / "full").write_text("好\n茶\n", encoding="utf-8")
    (root / "unsure").write_text("a\nb\na\n")
    (root / "sure").write_text("a\na\na\n")
    (root / "constant").write_text("1\n1\n1\n")
    (root / "large").write_text("1e200\n-1e200\n1e201\n")
    for command, english, chinese in (
            (["rouge", "--hyp", "gaps", "--ref", "full"], ["gaps:2: 1 of 2 texts are empty", "1 of 2 texts have no token"],
             ["gaps:2：2 段文字中有 1 段为空", "2 段文字中有 1 段没有 a-z"]),
            (["bleu", "--hyp", "full", "--ref", "gaps"], ["1 lines have no reference"], ["1 行没有参考"]),
            (["classification", "--true", "unsure", "--pred", "sure"], ["no case is predicted"], ["没有样本被预测"]),
            (["regression", "--true", "constant", "--pred", "constant"], ["there are no correlations"], ["没有相关系数"]),
            (["regression", "--true", "large", "--pred", "constant"], ["their squares"], ["平方后"]),
            (["ranking", *ranked], ["1 of 3 questions have nothing relevant"], ["3 个问题中有 1 个没有相关的候选"]),
            (["agreement", *pair], ["the categories have no order"], ["类别没有次序"])):
        for language, here, elsewhere in (("en", english, chinese), ("zh", chinese, english)):
            said = json.loads(run(*command, "--report", "notes.html", "--report-lang", language, "--json", says=english[0]))
            text = html.unescape((root / "notes.html").read_text(encoding="utf-8"))
            expect(f"{command[0]}: notes in {language}", [[note in text for note in here], [note in text for note in elsewhere]],
                   [[True] * len(here), [False] * len(here)])
            expect(f"{command[0]}: notes of --json", all(any(e in note for note in said.get("notes", [])) for e in english))

    # A form's ratings: a part for each criterion.
    rows = ["form,rater,item,criterion,value,comment"]
    for rater in ("安", "<b>", "cy"):
        rows += [f"f,{rater},{item},{criterion},{rng.randint(1, 3)}," for item in range(9) for criterion in ("clear", "<i>tone")]
    form = ["agreement", "--ratings", write("form.csv", rows)]
    for language in ("en", "zh"):
        said = json.loads(run(*form, "--report", "form.html", "--report-lang", language, "--json") or "{}")
        expect("a form's report", (said.get("report"), len(said.get("criteria", []))), ("form.html", 2))
        text = (root / "form.html").read_text(encoding="utf-8")
        expect("a form's figures", check_page("form.html", text, "zh-CN" if language == "zh" else "en"), 6)
        expect("headings", re.findall(r"<h2>(.*?)</h2>", text), ["<bdi>clear</bdi>", "<bdi>&lt;i&gt;tone</bdi>"])
        alpha = said["criteria"][1]["krippendorff_alpha"]["nominal"]
        expect("its numbers", f"{alpha:.4f}".replace("-", "\u2212") in text.split("<h2>")[2])
    run(*form, "--report", "form.svg", "--report-figure", "clear.kappas", "--report-lang", "en")
    expect("a criterion's picture says whose it is", "clear: Cohen" in (root / "form.svg").read_text(encoding="utf-8"))
    run(*form, "--report", "form.svg", "--report-figure", "kappas", code=2, says="it has clear.measures, clear.kappas")

    # Scores of 0 keep the scale of their metric.
    run("bleu", "--hyp", write("nothing", ["q"] * 9), "--ref", write("else", ["a b c d e"] * 9), "--report", "zero.svg",
        "--report-lang", "en")
    text = (root / "zero.svg").read_text(encoding="utf-8")
    expect("BLEU of 0", ["0.00</text>" in text, "0.0000" in text, "\u2212" in text, ">100</text>" in text], [True, False, False, True])

    # Big files stay small pages.
    big = ["--hyp", write("bighyp", hyp * 1000), "--ref", write("bigref", ref * 1000)]
    run("chrf", *big, "--report", "big.html", "--report-lang", "en", "--bootstrap", "2")
    if (root / "big.html").stat().st_size > 1_500_000:
        FAULTS.append(f"big.html has {(root / 'big.html').stat().st_size} bytes")
    many = [f"class {i % 1500}" for i in range(4500)]
    run("classification", "--true", write("many", many), "--pred", write("many2", many[::-1]), "--report", "many.svg",
        "--report-lang", "en")
    check_svg("many", (root / "many.svg").read_text(encoding="utf-8"))
    if (root / "many.svg").stat().st_size > 600_000:
        FAULTS.append(f"many.svg has {(root / 'many.svg').stat().st_size} bytes")

    # What is wrong is said before any work: the texts are not even there.
    absent = ["chrf", "--hyp", "no", "--ref", "no"]
    run(*absent, "--report", "x.pdf", code=2, says="name a file that ends in .html, .svg or .png")
    run(*absent, "--report", "x.html", "--report-lang", "fr", code=2, says="zh or en")
    run(*absent, "--report", "x.html", "--report-figure", "scores", code=2, says="a page has all figures")
    run(*absent, "--report", "no/such/x.svg", code=1, says="there is no folder")
    run(*absent, "--report", "x.png", code=1, says="install librsvg2-bin", env={"PATH": str(root)})
    run(*absent, "--report", "x.svg", code=1, says="no", env={"PATH": str(root)})
    (root / "folder.svg").mkdir()
    run(*absent, "--report", "folder.svg", code=2, says="'folder.svg' is a folder")
    run(*absent, "--report", "/proc/x.svg", code=1, says="/proc/x.svg")
    for how in (["--report-lang", "zh"], ["--report-figure", "scores"], ["--report-scale", "3"]):
        run("chrf", *texts, *how, code=2, says="--report says where")
    (root / "input.html").write_bytes((root / "hyp").read_bytes())
    (root / "link.html").symlink_to("input.html")
    for where in ("input.html", "./input.html", "link.html"):
        run("chrf", "--hyp", "input.html", "--ref", "ref", "--report", where, code=2, says="is an input")
        run("chrf", "--hyp", "ref", "--ref", "hyp", "--baseline", "input.html", "--report", where, code=2, says="is an input")
        run("classification", "--true", "input.html", "--pred", "input.html", "--report", where, code=2, says="is an input")
    expect("inputs stay", (root / "input.html").read_bytes() == (root / "hyp").read_bytes())
    run("chrf", *texts, "--report", "x.svg", "--report-figure", "scroes", code=2, says="it has scores, lengths, lines")
    run("chrf", *texts, "--report", "x.png", "--report-scale", "16", "--report-figure", "scores")
    run("agreement", *rated, "--report", "y.png", "--report-scale", "17", code=2)
    tall = ["classification", "--true", "many", "--pred", "many2", "--report", "tall.png"]
    run(*tall, "--report-scale", "10", code=2, says="pixels (at most 20000 either way")
    expect("nothing is left of it", (root / "tall.png").exists(), False)
    end("report: pages and pictures parse, escape, repeat and refuse as documented")


main()
