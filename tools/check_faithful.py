#!/usr/bin/env python3
"""Plants errors in copy that is true to its sheet and counts which `atelier evaluate faithful` finds:
    python3 tools/check_faithful.py build/release/atelier [PAIRS.jsonl ...] [--model e5-small]

Lines of PAIRS are {"lang", "name", "category", "features", "audience", "price", "headline", "body"}; without one the
examples of recipes/ad_copy are taken. One error a line: a number made another, a unit made another, a number, a person,
a place, an organisation or a work put in. Names come in two kinds: of the sort that names.h says it sees, and of the
sort that it says it does not (a place that no list has, a brand in Chinese). With --model also a sentence of another
product is put in, and the least support of such lines is held against that of true ones (area under the ROC curve)."""
import argparse
import collections
import json
import pathlib
import random
import re
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
ZH_UNITS = {"毫升": "升", "克": "公斤", "公斤": "克", "升": "毫升", "厘米": "毫米", "毫米": "厘米", "寸": "米", "小时": "天",
            "分钟": "小时", "瓦": "千瓦", "米": "厘米", "天": "小时", "年": "天", "元": "美元"}
EN_UNITS = {"g": "kg", "kg": "g", "ml": "liters", "liters": "ml", "liter": "ml", "oz": "lb", "lb": "oz", "cm": "mm", "mm": "cm",
            "hours": "days", "minutes": "hours", "days": "hours", "year": "month", "inches": "feet", "watts": "kilowatts"}
ZH_DIGITS = "一二两三四五六七八九十"
EN_NUMBERS = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twelve", "fifteen", "twenty", "thirty"]
PUT = {
    "zh": {"person": ["由设计师王立新监制。", "李晓梅老师推荐。", "陈国强先生用了都说好。"],
           "place": ["产自意大利。", "用的是云南的料。", "在杭州做好。", "来自北海道。"],
           "organisation": ["恒盛集团出品。", "清华大学监制。", "远山科技有限公司荣誉出品。"],
           "work": ["《匠心之道》专门讲过它。"],
           "number added": ["卖出3万件。", "保修五年。", "只要19元。"],
           "brand that nothing marks": ["蓝岭出品，放心用。", "找的是莫干坞的老师傅。"]},
    "en": {"person": ["Made with Martin Keller.", "The pick of Anna Lindqvist."],
           "place": ["Shipped from Lisbon.", "It comes from Italian hands."],
           "organisation": ["Trusted by Norvexa Labs.", "A favourite at the University of Leeds."],
           "work": ["As seen in Better Kitchens."],
           "number added": ["Rated by 4,000 buyers.", "With a five-year warranty.", "Only $9."],
           "brand that nothing marks": ["Lindqvist makes it.", "Norvexa stands behind it."]}}

# The same in words that were written after the rules, and never used to mend them.
UNSEEN = {
    "zh": {"person": ["主理人周晓岚亲自把关。", "画家吴守一题的字。", "记者孙萌介绍过它。", "周师傅亲手做。"],
           "place": ["原料采自长白山。", "选用新西兰奶源。", "来自福建的好味道。", "在景德镇做成。"],
           "organisation": ["中粮集团直供。", "浙江大学认证。", "由同仁堂监制。", "协和医院在用。"],
           "work": ["登上过《舌尖》。"],
           "number added": ["半年包换。", "好评率百分之九十九。", "第二件八折。"]},
    "en": {"person": ["Sharon Okafor signed every one.", "Ask Priya about it.", "Approved by Dr. Lin."],
           "place": ["Grown in the Yakima Valley.", "Swiss engineering inside.", "Loved across Texas."],
           "organisation": ["Certified by NASA.", "The Harrods favourite.", "IKEA sells one like it."],
           "work": ["Reviewed in Wired."],
           "number added": ["Save 15%.", "Ready in twelve minutes.", "Half a million sold."]}}


def other_number(text, lang, draw):
    """(text, planted begin, end) with one number made another, or None."""
    spots = [(m, "digits") for m in re.finditer(r"(?<![\d.,A-Za-z])\d+(?:\.\d+)?(?![\d.,])", text)]
    if lang == "zh":
        units = "|".join(sorted(ZH_UNITS, key=len, reverse=True))
        spots += [(m, "han") for m in re.finditer(f"[{ZH_DIGITS}]+(?={units})", text)]
    else:
        spots += [(m, "word") for m in re.finditer(r"\b(" + "|".join(EN_NUMBERS) + r")\b", text, re.I)]
    if not spots:
        return None
    match, kind = draw.choice(spots)
    old = match.group()
    if kind == "digits":
        new = str(round(float(old) * draw.choice((2, 3, 5)) + draw.choice((1, 7)), 1)).removesuffix(".0")
    elif kind == "han":
        new = draw.choice([c for c in ("三", "五", "七", "九", "二十", "三百") if c != old])
    else:
        new = draw.choice([w for w in EN_NUMBERS if w != old.lower()])
    return text[:match.start()] + new + text[match.end():], match.start(), match.start() + len(new)


def other_unit(text, lang, draw):
    units = ZH_UNITS if lang == "zh" else EN_UNITS
    number = r"(?:\d+(?:\.\d+)?|[" + ZH_DIGITS + r"]+)" if lang == "zh" else r"(?:\d+(?:\.\d+)?|" + "|".join(EN_NUMBERS) + r")[ -]?"
    names = "|".join(sorted(units, key=len, reverse=True))
    spots = list(re.finditer(f"({number})({names})" + ("" if lang == "zh" else r"\b"), text, re.I))
    if not spots:
        return None
    match = draw.choice(spots)
    new = units[match.group(2).lower()]
    return text[:match.start(2)] + new + text[match.end(2):], match.start(1), match.start(2) + len(new)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("atelier")
    arguments.add_argument("pairs", nargs="*")
    arguments.add_argument("--model", default="")
    options = arguments.parse_args()
    files = options.pairs or sorted((ROOT / "recipes/ad_copy/examples").glob("*.jsonl"))
    rows = [json.loads(line) for file in files for line in pathlib.Path(file).read_text("utf-8").splitlines() if line.strip()]
    draw = random.Random(6)
    lines = []  # (lang, kind, text, source, begin, end)
    for number, row in enumerate(rows):
        lang = row["lang"]
        stop, comma = ("。", "，") if lang == "zh" else (". ", ", ")
        # A headline In Title Case would hide nothing, but is no sentence either.
        text = (row["headline"].rstrip("。.!！") + stop + row["body"]).replace("\n", " ")
        source = comma.join([row["name"], row["category"], *row["features"], row["price"], row["audience"]]).replace("\n", " ")
        lines.append((lang, "true", text, source, 0, 0))
        for kind, change in (("number changed", other_number), ("unit changed", other_unit)):
            if changed := change(text, lang, draw):
                lines.append((lang, kind, changed[0], source, changed[1], changed[2]))
        for kind, put in [*((kind, draw.choice(list_)) for kind, list_ in PUT[lang].items()),
                          *((f"unseen: {kind}", draw.choice(list_)) for kind, list_ in UNSEEN[lang].items())]:
            gap = "" if lang == "zh" else " "
            lines.append((lang, kind, text + gap + put, source, len(text), len(text + gap + put)))
        while (other := draw.choice(rows))["lang"] != lang or other["name"] == row["name"]:
            pass
        sentence = re.split(r"(?<=[。.!?！？])\s*", other["body"])[0]
        lines.append((lang, "sentence of another", text + ("" if lang == "zh" else " ") + sentence, source, 0, 0))
    with tempfile.TemporaryDirectory() as folder:
        hyp, src = pathlib.Path(folder) / "hyp", pathlib.Path(folder) / "source"
        hyp.write_text("".join(line[2] + "\n" for line in lines), "utf-8")
        src.write_text("".join(line[3] + "\n" for line in lines), "utf-8")
        command = [options.atelier, "evaluate", "faithful", "--hyp", hyp, "--source", src, "--json"]
        answer = json.loads(subprocess.run(command + (["-m", options.model] if options.model else ["--surface"]), check=True,
                                           capture_output=True).stdout)
    print(answer["signature"])
    counts = collections.defaultdict(lambda: [0, 0])  # lines, found
    hits = extra = 0
    support = collections.defaultdict(list)
    baseline = {}
    for line, told in zip(lines, answer["per_line"]):
        lang, kind, _, source, begin, end = line
        found = [(u["begin"], u["end"], u["text"]) for u in told["unsupported"]]
        if options.model:
            support[lang, kind].append(told["least_support"])
        if kind == "true":
            baseline[source] = {text for *_, text in found}
            counts[lang, "true, and flagged"][0] += 1
            counts[lang, "true, and flagged"][1] += bool(found)
            continue
        if kind == "sentence of another":
            continue
        inside = [f for f in found if f[0] < end and f[1] > begin]
        counts[lang, kind][0] += 1
        counts[lang, kind][1] += bool(inside)
        hits += len(inside)
        # What the true copy has been flagged for is counted there.
        extra += sum(1 for f in found if f not in inside and f[2] not in baseline[source])
    for (lang, kind), (total, found) in sorted(counts.items()):
        print(f"{lang} {kind:26} {found:4} of {total:4}  {100 * found / total:5.1f} %")
    flagged = sum(v[1] for k, v in counts.items() if k[1].startswith("true"))
    true = sum(v[0] for k, v in counts.items() if k[1].startswith("true"))
    for name, seen in (("what the rules say they see", [v for k, v in counts.items() if not k[1].startswith(("true", "brand", "unseen"))]),
                       ("what they had not seen", [v for k, v in counts.items() if k[1].startswith("unseen")])):
        print(f"recall of {name}: {sum(v[1] for v in seen)} of {sum(v[0] for v in seen)}, "
              f"{100 * sum(v[1] for v in seen) / sum(v[0] for v in seen):.1f} %")
    print(f"precision of findings in planted lines, beside those of the true line: {100 * hits / max(1, hits + extra):.1f} % "
          f"({hits} planted, {extra} not); true lines flagged: {flagged} of {true}")
    for lang in ("zh", "en") if options.model else ():
        good, bad = support[lang, "true"], support[lang, "sentence of another"]
        if good and bad:
            area = sum((g > b) + (g == b) / 2 for g in good for b in bad) / len(good) / len(bad)
            print(f"{lang} least support: true {sum(good) / len(good):.3f}, with another's sentence {sum(bad) / len(bad):.3f}, "
                  f"area under the ROC curve {area:.3f}")


if __name__ == "__main__":
    main()
