"""What the scripts of this folder share: the row's keys, the prompt, when two values are the same, which numbers a text has."""

import json
import re
import unicodedata

KEYS = ("lang", "name", "category", "features", "audience", "price", "tone")
TEXTS = tuple(key for key in KEYS if key != "features")
FIRST = {
    "zh": "把下面的商品资料整理成一行：lang、name、category、features、audience、price、tone，没写的留空。",
    "en": "Make one row of this listing: lang, name, category, features, audience, price, tone. Empty where it says nothing.",
}
LAST = "JSON:"
NUMBER = re.compile(r"(?<![\d.])\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d|,\d)|\d+(?:\.\d+)?")


def prompt(lang, text):
    return f"{FIRST[lang]}\n{text}\n{LAST}"


def listing(prompt_text):
    """(language, listing) of a prompt as prompt() makes it."""
    first, _, rest = prompt_text.partition("\n")
    for lang, line in FIRST.items():
        if first == line and rest.endswith("\n" + LAST):
            return lang, rest[: -len(LAST) - 1]
    raise ValueError(f"no such prompt: {prompt_text[:80]!r}")


def reply(row):
    """The row as a model shall write it: compact, its keys in order."""
    return json.dumps({key: row[key] for key in KEYS}, ensure_ascii=False, separators=(",", ":"))


def width(text):
    """Full-width letters, digits and punctuation as half-width ones (Unicode's NFKC)."""
    return unicodedata.normalize("NFKC", text)


def bare(text):
    """Without white space and differences of width: what a value and its place in a text have in common."""
    return re.sub(r"[\s\u200b\ufe0f]+", "", width(text))


def same(text, lang):
    """The form in which values are compared: of Chinese without white space, of English with even white space."""
    return bare(text) if lang == "zh" else " ".join(width(text).split())


def numbers(text, source=False):
    """The numbers of a text by value: 1,299.00 is 1299, and 007 stays 007. Of a SOURCE that may be a line of cells, "42,345" is
    three: 42345, 42 and 345."""
    found = set()
    for match in NUMBER.finditer(width(text)):
        whole = match.group()
        for digits in {whole.replace(",", ""), *(whole.split(",") if source else ())}:
            found.add(digits.rstrip("0").rstrip(".") if "." in digits else digits)
    return found


def read(path):
    """The records of a file of JSON lines."""
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]
