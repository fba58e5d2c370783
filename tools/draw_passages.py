"""Draws the sections of the Debian Reference that questions are written about. Usage: draw_passages.py FOLDER [COUNT]

FOLDER holds chNN.LANG.html of the packages debian-reference-en and debian-reference-zh-cn. A section is what stands
between two headings; its id is the heading's anchor, the same in both editions. Those with at least 250 characters are
ordered by SHA-256 of "SEED:id" and the first COUNT are drawn; the n-th gets kind n mod 3: 0 zh (Chinese question, Chinese
passage), 1 en, 2 across (question in one language, passage in the other; zh asks en and en asks zh in turn). A question
is held out when the first byte of SHA-256 of "half:SEED:id" is odd.
"""
import hashlib
import html.parser
import json
import pathlib
import re
import sys

SEED = "atelier-ask-docs-1"
SKIP = {"toc", "navheader", "navfooter", "list-of-tables", "list-of-figures"}


class Sections(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.sections, self.skip, self.heading, self.anchor = [], [], False, None

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if self.skip:
            self.skip.append(tag)
        elif SKIP & set((attrs.get("class") or "").split()):
            self.skip.append(tag)
        elif re.fullmatch("h[1-6]", tag):
            self.heading = True
            self.sections.append({"id": "", "title": "", "text": ""})
        elif self.heading and tag == "a" and attrs.get("id") and not self.sections[-1]["id"]:
            self.sections[-1]["id"] = attrs["id"]
        elif tag in ("p", "li", "tr", "pre", "div", "dt", "dd") and self.sections:
            self.sections[-1]["text"] += "\n"
        elif tag in ("td", "th") and self.sections:
            self.sections[-1]["text"] += " | "
        if self.skip and tag in ("br", "hr", "img"):
            self.skip.pop()

    def handle_startendtag(self, tag, attrs):
        if tag == "a" and self.heading and not self.sections[-1]["id"]:
            self.sections[-1]["id"] = dict(attrs).get("id", "")

    def handle_endtag(self, tag):
        if self.skip:
            self.skip.pop()
        elif re.fullmatch("h[1-6]", tag):
            self.heading = False

    def handle_data(self, data):
        if self.sections and not self.skip:
            self.sections[-1]["title" if self.heading else "text"] += data


def sections(path):
    parser = Sections()
    parser.feed(path.read_text(encoding="utf-8"))
    for section in parser.sections:
        section["text"] = re.sub(r"\n\s*\n+", "\n", re.sub(r"[ \t]+", " ", section["text"])).strip()
        section["title"] = re.sub(r"\s+", " ", section["title"]).strip()
    return parser.sections


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def main():
    folder, count = pathlib.Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 165
    editions = {}
    for lang in ("en", "zh-cn"):
        for path in sorted(folder.glob(f"ch??.{lang}.html")):
            for section in sections(path):
                editions.setdefault(section["id"], {})[lang] = dict(section, chapter=path.name.split(".")[0])
    both = [key for key, value in editions.items() if key and len(value) == 2 and len(value["en"]["text"]) >= 250]
    both.sort(key=lambda key: digest(f"{SEED}:{key}"))
    for number, key in enumerate(both[:count]):
        kind = ("zh", "en", "across")[number % 3]
        lang = {"zh": "zh-cn", "en": "en"}.get(kind) or ("en" if number // 3 % 2 == 0 else "zh-cn")
        section = editions[key][lang]
        print(json.dumps({"number": number, "kind": kind, "passage_lang": lang[:2],
                          "question_lang": {"zh": "zh", "en": "en"}.get(kind) or ("zh" if lang == "en" else "en"),
                          "document": f"{section['chapter']}", "section": key,
                          "held_out": int(digest(f"half:{SEED}:{key}")[:2], 16) % 2 == 1,
                          "title": section["title"], "text": section["text"]}, ensure_ascii=False))


if __name__ == "__main__":
    main()
