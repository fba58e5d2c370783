"""What the scripts of this folder share: a product's prompt, what of it is left out, when two products are the same, and the files."""

import csv
import json
import pathlib
import re
import subprocess
import unicodedata

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RECIPE = ROOT / "recipes" / "ad_copy"
KEYS = ("lang", "name", "category", "features", "audience", "price", "tone")
DIGITS = "0123456789０１２３４５６７８９"
MOST_FEATURES = 3
MOST_CHARS = {"zh": (4, 24), "en": (8, 64)}  # of a headline, as the recipe's check has them
LABELS = {
    "zh": ("品名：", "品类：", "特点：", "人群：", "语气：", "标题：", "；"),
    "en": ("Product: ", "Category: ", "Features: ", "For: ", "Tone: ", "Headline:", "; "),
}


def read(path):
    """The records of a file of JSON lines."""
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def write(path, records):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")


def row_of(record):
    """The row of a product alone, as the recipe takes it."""
    return {key: record[key] for key in KEYS if key in record}


def numbered(text):
    return any(digit in text for digit in DIGITS)


def plain(features):
    """The features that a prompt shows: the first that have no number. Numbers are the recipe's work, not the model's."""
    return [feature for feature in features if not numbered(feature)][:MOST_FEATURES]


def prompt(row):
    """What the model is given: recipes/ad_copy/templates/headline.*.jinja makes the same text of the same row."""
    name, category, features, audience, tone, headline, join = LABELS[row["lang"]]
    lines = [name + row["name"]]
    for key, label in (("category", category), ("features", features), ("audience", audience), ("tone", tone)):
        value = join.join(plain(row["features"])) if key == "features" else row.get(key)
        if value:
            lines.append(label + value)
    return "\n".join([*lines, headline])


def product(name):
    """The form in which names of products are compared: no case, no widths, no white space, no marks."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name)).casefold()


def held_out():
    """Products that nothing is trained on: those of held_out.jsonl, of odd.jsonl, and all that the recipe brings for trying it."""
    rows = read(HERE / "held_out.jsonl") + read(HERE / "odd.jsonl")
    for lang in ("zh", "en"):
        rows += read(RECIPE / "tests" / f"rows_{lang}.jsonl") + read(RECIPE / "examples" / f"{lang}.jsonl")
    for name in ("products", "unseen", "thin"):
        with open(RECIPE / "sample" / f"{name}.csv", encoding="utf-8", newline="") as lines:
            rows += [row | {"features": re.split("[；;] *", row["features"])} for row in csv.DictReader(lines)]
    return rows


def sample():
    """The 24 rows of the recipe's sample sheet."""
    with open(RECIPE / "sample" / "products.csv", encoding="utf-8", newline="") as lines:
        return [row_of(row | {"features": re.split("[；;] *", row["features"])}) for row in csv.DictReader(lines)]


def run(command, **options):
    """A command's standard output; its failure ends the script with what it said."""
    return subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, encoding="utf-8", **options).stdout
