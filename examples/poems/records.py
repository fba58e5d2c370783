#!/usr/bin/env python3
"""records.py QUANTANGSHI OUT.jsonl: the Tang poems of chinese-poetry as records, without what editors added.

Notes in brackets go, a restored character stays without its brackets. A poem that then still holds anything but Han and
punctuation (a gap, a character described by its parts, a number) is left out whole, and so is a fragment of less than
four clauses: half a poem teaches a wrong form. `form` is by shape alone: lengths of the clauses, not tones or rhymes.
"""
import collections
import json
import pathlib
import re
import sys

NOTE = re.compile(r"（[^（）]*）|〖[^〖〗]*〗|\([^()]*\)")
CLAUSE = re.compile(r"[^，。？！；：、《》「」『』〈〉·]+")
HAN = re.compile(r"[㐀-鿿豈-﫿\U00020000-\U0003ffff]")
ALLOWED = re.compile(r"(?:[，。？！；：、《》「」『』〈〉·]|" + HAN.pattern + ")*")
FORMS = {(5, 4): "五言绝句", (7, 4): "七言绝句", (5, 8): "五言律诗", (7, 8): "七言律诗"}


def without_notes(text):
    while True:
        less = NOTE.sub("", text)
        if less == text:
            return re.sub(r"\[([^\[\]]*)\]", r"\1", text)
        text = less


def form(clauses):
    lengths = set(map(len, clauses))
    if len(lengths) != 1:
        return "杂言"
    length = lengths.pop()
    if (length, len(clauses)) in FORMS:
        return FORMS[length, len(clauses)]
    return {4: "四言", 5: "五言古诗", 6: "六言", 7: "七言古诗"}.get(length, "杂言")


def main(folder, out):
    counts, forms = collections.Counter(), collections.Counter()
    files = sorted(pathlib.Path(folder).glob("poet.tang.*.json"), key=lambda file: int(file.name.split(".")[2]))
    with open(out + ".new", "w", encoding="utf-8") as target:
        for file in files:
            for poem in json.loads(file.read_text(encoding="utf-8")):
                counts["read"] += 1
                lines = without_notes("\n".join(poem["paragraphs"])).split("\n")
                lines = [line for line in ("".join(line.split()) for line in lines) if CLAUSE.search(line)]
                text = "".join(lines)
                title = " ".join(without_notes(poem["title"]).split())
                author = without_notes(poem["author"]).strip()
                if not ALLOWED.fullmatch(text):
                    counts["left out: gaps or marks"] += 1
                    continue
                clauses = CLAUSE.findall(text)
                if len(clauses) < 4 or len(lines) < 2:
                    counts["left out: fragments"] += 1
                    continue
                record = {"author": author, "title": title, "form": form(clauses), "text": "\n".join(lines)}
                target.write(json.dumps(record, ensure_ascii=False) + "\n")
                counts["written"] += 1
                forms[record["form"]] += 1
    pathlib.Path(out + ".new").rename(out)
    for name, count in counts.items():
        print(f"{name}: {count}")
    print(", ".join(f"{name} {count}" for name, count in forms.most_common()))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
