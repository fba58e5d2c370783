#!/usr/bin/env python3
"""make.py --out FOLDER: messy listings, each with the product row it says, out of rows.jsonl by rules.

Every row becomes several listings in different styles (labels, chat, marketplace title, spreadsheet, web page, ...), with its
values letter for letter, fewer or more of its fields, and noise around them: clutter, numbers that are not the price, other
products, emoji, bad labels, line breaks, spaces as a scanner leaves them. The reply is the row as this one listing has it: a field
that the listing leaves out is "", and a price or a unit stands as the listing writes it. The same seed makes the same files.

Leaves FOLDER/train.jsonl and FOLDER/validation.jsonl: {"prompt", "response"}. Rows are divided before anything is written, so no
product stands on both sides.
"""

import argparse
import pathlib
import random
import re
import tomllib

import listing

HERE = pathlib.Path(__file__).resolve().parent
PHRASES = tomllib.loads((HERE / "phrases.toml").read_text(encoding="utf-8"))
STATED = {"category": 0.8, "audience": 0.8, "price": 0.88, "tone": 0.6}  # how often a listing says it
LONGEST = {"zh": 420, "en": 640}  # characters of a listing
HAN = "[一-鿿]"


class Draft:
    """One listing on its way: the row as it will be written, the dice, and the words of its language."""

    def __init__(self, row, dice):
        self.dice, self.lang = dice, row["lang"]
        self.words = PHRASES[self.lang]
        self.row = {key: value for key, value in row.items() if key not in STATED or dice.random() < STATED[key]}
        features = list(row["features"])
        dice.shuffle(features)
        self.row["features"] = features[: dice.choice((2, 3, 3, 3, 4, 4, 4, 5, 6))]
        self.labels = self.words["labels"]
        self.colon = dice.choice(self.words["colons"])
        self.upper = self.lang == "en" and dice.random() < 0.15
        rewrite(self)

    def chance(self, share):
        return self.dice.random() < share

    def pick(self, *path):
        values = self.words
        for key in path:
            values = values[key]
        return self.dice.choice(values)

    def has(self, *keys):
        return [key for key in keys if key in self.row]

    def drop(self, *keys):
        for key in keys:
            self.row.pop(key, None)

    def fill(self, template, **values):
        """The template with its numbers drawn."""
        dice = self.dice
        for size in range(1, 5):
            while f"{{n{size}}}" in template:
                template = template.replace(f"{{n{size}}}", str(dice.randrange(10 ** (size - 1) + (size == 1), 10**size)), 1)
        while "{p}" in template:
            template = template.replace("{p}", str(dice.choice((dice.randrange(10, 100), dice.randrange(100, 900)))), 1)
        letters = "".join(dice.choice("ABCDEFGHJKLMNPQRSTUVWXYZ") for _ in range(dice.randrange(1, 4)))
        values |= {
            "d": f"{dice.randrange(1, 30)}.{dice.randrange(1, 10)}",
            "m": dice.randrange(1, 13),
            "day": dice.randrange(1, 29),
            "code": dice.choice(
                (f"{letters}-{dice.randrange(100, 9999)}", f"{letters}{dice.randrange(10, 99999)}", f"{dice.randrange(100, 999)}{letters}")
            ),
            "phone": dice.choice((f"1200000{dice.randrange(1000, 9999)}", f"020-0000{dice.randrange(1000, 9999)}"))
            if self.lang == "zh"
            else f"+1 555 01{dice.randrange(10, 99)}",
            "ean": "200" + "".join(dice.choice("0123456789") for _ in range(10)),
        }
        for key, value in values.items():
            template = template.replace(f"{{{key}}}", str(value))
        return template

    # --- the parts of a listing

    def label(self, key):
        words = self.words["typos"] if self.chance(0.06) else self.labels
        found = self.dice.choice(words[key])
        return found.upper() if self.upper else found

    def joined(self, joins=None):
        """The features in one string, by a separator that none of them contains."""
        items = self.listed()
        fits = [j for j in joins or self.words["joins"] if not any((j.strip() or j) in item for item in items)]
        return self.dice.choice(fits or [" / "]).join(items)

    def listed(self):
        """The features, now and then with something between them that is none."""
        items = list(self.row["features"])
        for kind, share in (("clutter", 0.12), ("numbers", 0.08)):
            if self.chance(share):
                items.insert(self.dice.randrange(len(items) + 1), self.fill(self.pick("noise", kind)))
        return items

    def labelled(self, key):
        value = self.row[key]
        if key == "features":
            how = self.dice.choice(("one line", "one line", "attributes", "bullets", "numbers"))
            if how == "attributes":
                return [self.attribute(feature) + self.colon + feature for feature in value]
            if how == "bullets":
                bullet = self.pick("bullets")
                return ["\n".join([(self.label(key) + self.colon).rstrip(), *(bullet + item for item in self.listed())])]
            if how == "numbers":
                mark = self.dice.choice((". ", ") ", "、")) if self.lang == "zh" else self.dice.choice((". ", ") "))
                return [
                    "\n".join([(self.label(key) + self.colon).rstrip(), *(f"{i}{mark}{item}" for i, item in enumerate(self.listed(), 1))])
                ]
            value = self.joined()
        return [self.label(key) + self.colon + value]

    def attribute(self, feature):
        for pattern, *labels in self.words["attributes"]["pattern"]:
            if re.search(pattern, feature):
                return self.dice.choice(labels)
        raise AssertionError(feature)

    def sentence(self, key):
        """The field in sentences; of features one for all, or one each."""
        sentences = self.words["sentences"]
        if key != "features":
            return [self.fill(self.dice.choice(sentences[key])).replace("{v}", self.row[key])]
        if self.chance(0.5):
            joins = ["，", "、", "，"] if self.lang == "zh" else [", ", ", ", " and ", "; "]
            return [self.dice.choice(sentences["features"]).replace("{v}", self.joined(joins))]
        return [self.dice.choice(sentences["feature"]).replace("{v}", feature) for feature in self.row["features"]]

    def bare(self, key):
        """The field by itself; a tone never, for it could be anything."""
        if key == "features":
            return self.listed()
        if key == "tone" or self.chance(0.3):
            return self.sentence(key)
        return [self.row[key]]

    def again(self):
        """Now and then a feature said a second time."""
        if self.chance(0.88):
            return []
        return [self.dice.choice(self.words["sentences"]["feature"]).replace("{v}", self.dice.choice(self.row["features"]))]

    def noise(self, most=3):
        """Some things that are no part of the row."""
        kinds = ["clutter", "clutter", "numbers", "numbers", "numbers"]
        if "price" in self.row or self.chance(0.3):
            kinds += ["other_prices"]
        if self.chance(0.15):
            kinds += ["other"]
        found = [
            self.fill(self.pick("noise", self.dice.choice(kinds)), o=self.pick("noise", "others"))
            for _ in range(self.dice.randrange(most + 1))
        ]
        if "price" not in self.row and self.chance(0.4):
            found.append(self.pick("no_price"))
        return [self.shout(text) for text in found]

    def shout(self, text):
        if self.chance(0.15):
            text += self.dice.choice(("!", "!!", "!!!", "～", "~~", "！！"))
        if self.chance(0.2):
            emoji = self.pick("emoji")
            text = self.dice.choice((emoji + text, text + emoji, f"{emoji}{emoji}{text}"))
        return text

    def shuffled(self, parts):
        self.dice.shuffle(parts)
        return parts

    def others(self):
        return self.has("category", "features", "audience", "price", "tone")


def rewrite(draft):
    """Other ways to write the same: the reply follows. Prices in another form, units short, letters in another case."""
    dice, row, zh = draft.dice, draft.row, draft.lang == "zh"
    price = row.get("price")
    if price and zh:
        plain = re.fullmatch(r"(\d+(?:\.\d+)?)元", price)
        per = re.fullmatch(r"(\d+(?:\.\d+)?)元/(.+)", price)
        if plain:
            n = plain[1]
            forms = [f"{n}元"] * 9 + [f"¥{n}"] * 4 + [f"￥{n}"] * 2 + [f"{n}块"] * 2 + [f"RMB {n}"]
            row["price"] = dice.choice(forms + ([f"{n}.00元", f"¥{n}.00"] if "." not in n else []))
        elif per:
            row["price"] = dice.choice([price] * 3 + [f"{per[1]}元一{per[2]}", f"¥{per[1]}/{per[2]}", f"每{per[2]}{per[1]}元"])
    elif price:
        plain = re.fullmatch(r"([$£€])(\d+(?:\.\d+)?)", price)
        if plain:
            sign, n = plain[1], plain[2]
            code = {"$": "USD", "£": "GBP", "€": "EUR"}[sign]
            forms = [price] * 9 + [f"{n} {code}", f"{code} {n}"] + ([f"{sign}{n}.00"] * 3 if "." not in n else [])
            row["price"] = dice.choice(forms + ([f"{n} dollars"] if sign == "$" and "." not in n else []))
    if zh and dice.random() < 0.25:
        short = {"毫升": "ml", "千克": "kg", "厘米": "cm", "毫米": "mm", "克": "g", "升": "L"}
        row["features"] = [
            re.sub(r"(?<=\d)(毫升|千克|厘米|毫米|克|升)", lambda unit: short[unit[1]], feature) for feature in row["features"]
        ]
    if not zh:
        if dice.random() < 0.2:
            row["features"] = [re.sub(r"(?<=\d) (?=(ml|g|kg|cm|mm|m|oz|V|W|dB)\b)", "", feature) for feature in row["features"]]
        case = dice.random()
        if case < 0.15:
            row["features"] = [feature[0].upper() + feature[1:] for feature in row["features"]]
        elif case < 0.2:
            row["features"] = [re.sub(r"\b[a-z]{3,}", lambda word: word[0].capitalize(), feature) for feature in row["features"]]
        if dice.random() < 0.15:
            row["name"] = row["name"].lower()
        for key in draft.has("category", "tone", "audience"):
            if dice.random() < 0.1:
                row[key] = row[key].capitalize()


# --- the styles: each makes a text of a draft


def labels(draft):
    """A line for each field, with the full words, shortened ones, or both languages."""
    draft.labels = draft.words[draft.dice.choice(("labels", "labels", "short", "bilingual"))]
    lines = [part for key in draft.others() for part in draft.labelled(key)] + draft.noise(4)
    if draft.chance(0.2):
        missing = [key for key in ("category", "audience", "tone") if key not in draft.row]
        lines += [draft.label(key) + draft.colon + draft.pick("empty") for key in missing]
    draft.shuffled(lines)
    if draft.chance(0.3):
        lines.insert(0, draft.row["name"])
    else:
        lines.insert(0 if draft.chance(0.6) else draft.dice.randrange(len(lines)), draft.labelled("name")[0])
    return (
        "\n".join(lines) if draft.chance(0.75) else draft.dice.choice(("  ", " | ", "；" if draft.lang == "zh" else "; ", " ")).join(lines)
    )


def brackets(draft):
    left, right = draft.dice.choice(("【】", "[]", "《》", "「」", "()") if draft.lang == "zh" else ("[]", "()", "<>", "【】", "**"))
    parts = [
        f"{left}{draft.label(key)}{right}{draft.joined() if key == 'features' else draft.row[key]}"
        for key in draft.has("name", *draft.others())
    ]
    parts += [f"{left}{text}{right}" for text in draft.noise(3)]
    return draft.dice.choice(("", " ", "\n", "\n") if draft.lang == "zh" else (" ", "\n", "\n")).join(draft.shuffled(parts))


def title(draft):
    """A marketplace's title of key words, then little more."""
    zh, row = draft.lang == "zh", draft.row
    parts = [row["name"], *row["features"], *(draft.shout(draft.pick("noise", "clutter")) for _ in range(draft.dice.randrange(1, 5)))]
    draft.shuffled(parts)
    if "audience" in row and draft.chance(0.6):
        parts.insert(
            draft.dice.randrange(1, len(parts) + 1),
            draft.dice.choice(("{}专用", "{}必备", "适合{}") if zh else ("for {}", "ideal for {}", "gift for {}")).format(row["audience"]),
        )
        rest = draft.has("category", "price", "tone")
    else:
        rest = draft.has("category", "price", "tone", "audience")
    joins = (" ", " ", "|", "/", " · ") if zh else (" - ", " | ", ", ", " / ", " * ", " • ")
    fits = [j for j in joins if not any((j.strip() or j) in part for part in parts)]
    line = draft.dice.choice(fits or [" ~ "]).join(parts)
    more = [part for key in rest for part in (draft.labelled(key) if draft.chance(0.6) else draft.sentence(key))]
    return "\n".join([line, *draft.shuffled(more + draft.noise(3))])


def chat(draft):
    """Messages, one thought each."""
    said = [part for key in draft.others() for part in draft.sentence(key)]
    said += draft.again() + draft.noise(2) + [draft.pick("noise", "chatter") for _ in range(draft.dice.randrange(4))]
    draft.shuffled(said)
    place = draft.dice.randrange(2)
    said[place:place] = draft.sentence("name")
    if not any(draft.row["name"] in text for text in said):
        said.insert(draft.dice.randrange(len(said)), draft.sentence("name")[0])
    how = draft.dice.choice(("lines", "lines", "sender", "clock", "run"))
    if how == "sender":
        sender = draft.pick("noise", "senders")
        return "\n".join(f"{sender}{draft.dice.choice(('：', ': '))}{text}" for text in said)
    if how == "clock":
        sender, hour, minute = draft.pick("noise", "senders"), draft.dice.randrange(8, 20), draft.dice.randrange(0, 40)
        return "\n".join(f"[{hour}:{minute + i:02d}] {sender} {text}" for i, text in enumerate(said))
    if how == "run":
        return draft.dice.choice(("，", "。", "，", " ", "~ ") if draft.lang == "zh" else (". ", ", ", " ... ", "! ", "; ")).join(said)
    return "\n".join(said)


def post(draft):
    """A post with a bullet for each feature."""
    bullet = draft.pick("bullets")
    parts = [
        part
        for key in draft.has("category", "audience", "price", "tone")
        for part in (draft.sentence(key) if draft.chance(0.6) else draft.labelled(key))
    ]
    parts = [draft.shout(part) for part in parts]
    parts.append("\n".join(bullet + item for item in draft.listed()))
    draft.shuffled(parts)
    name = draft.row["name"] if draft.chance(0.5) else draft.sentence("name")[0]
    parts.insert(
        0,
        draft.dice.choice(("{0}{1}{0}", "{0}{1}", "★{1}★", "{1} {0}", "--- {1} ---", "#{1}#" if draft.lang == "zh" else "{1}")).format(
            draft.pick("emoji"), name
        ),
    )
    parts += draft.noise(3)
    if draft.chance(0.4):
        parts.insert(0, draft.shout(draft.pick("noise", "clutter")))
    return "\n".join(parts)


def sheet(draft):
    """Rows of a spreadsheet, across or down, with the columns that nobody asked for; sometimes without a heading."""
    row, zh = draft.row, draft.lang == "zh"
    split = draft.dice.choice(("\t", " | ", ",", "\t", ";"))
    inner = [
        j for j in (["；", "、", "/", "+", ";"] if zh else ["; ", " / ", " + ", ", "]) if split.strip() == "" or split.strip() not in j
    ]
    if draft.chance(0.25):
        draft.drop("tone")
        cells = [
            draft.fill("{code}"),
            row["name"],
            row.get("category", ""),
            draft.joined(inner),
            row.get("audience", ""),
            row.get("price", ""),
            draft.fill("{n3}"),
        ]
        if split.strip() and any(split.strip() in cell for cell in cells):
            split = "\t"
        return split.join(cells)
    extra = draft.dice.sample(draft.words["frames"]["columns"], draft.dice.randrange(1, 4))
    table = [(draft.label(key), draft.joined(inner) if key == "features" else row[key]) for key in draft.has("name", *draft.others())]
    table += [(head, draft.fill(cell)) for head, cell in extra if "price" in row or cell != "{p}"]
    if draft.chance(0.4):
        missing = [key for key in STATED if key not in row]
        table += [(draft.label(key), draft.pick("empty")) for key in missing]
    draft.shuffled(table)
    if split.strip() and any(split.strip() in cell for pair in table for cell in pair):
        split = "\t"
    if draft.chance(0.3):
        return "\n".join(split.join(pair) for pair in table)
    return split.join(head for head, _ in table) + "\n" + split.join(cell for _, cell in table)


def markup(draft):
    """What a web form or an export left."""
    names = {"name": "title", "category": "cat", "features": "desc", "audience": "target", "price": "price", "tone": "tone"}
    keys = draft.shuffled(draft.has("name", *draft.others()))
    values = {key: draft.joined() if key == "features" else draft.row[key] for key in keys}
    extra = [(head, draft.fill(cell)) for head, cell in draft.dice.sample(draft.words["frames"]["columns"], 2) if cell != "{p}"]
    how = draft.dice.choice(("rows", "bold", "query", "object"))
    if how == "rows":
        return "".join(
            f"<tr><td>{head}</td><td>{cell}</td></tr>" for head, cell in [(draft.label(key), values[key]) for key in keys] + extra
        )
    if how == "bold":
        return (
            "<br>".join(
                f"<b>{head}</b>{draft.colon.strip() or ':'}{cell}"
                for head, cell in [(draft.label(key), values[key]) for key in keys] + extra
            )
            + "<br/>&nbsp;"
        )
    if how == "query":
        return "&".join(
            f"{head}={cell}"
            for head, cell in [(names[key], values[key]) for key in keys] + [("sku", draft.fill("{code}")), ("stock", draft.fill("{n3}"))]
        )
    listed = ",".join(f'"{feature}"' for feature in draft.row["features"])
    return "{" + ", ".join(
        [f'"{names[key]}":' + (f"[{listed}]" if key == "features" else f'"{values[key]}"') for key in keys]
        + [f'"sku":"{draft.fill("{code}")}"', f'"qty":{draft.fill("{n3}")}']
    )


def questions(draft):
    ask, answer = draft.pick("frames", "askers")
    pairs = [
        (draft.pick("questions", key) + draft.dice.choice(("？", "?")), draft.joined() if key == "features" else draft.row[key])
        for key in draft.others()
    ]
    pairs += [tuple(map(draft.fill, pair)) for pair in draft.dice.sample(draft.words["frames"]["questions"], draft.dice.randrange(3))]
    draft.shuffled(pairs)
    if draft.chance(0.5):
        pairs.insert(0, (draft.pick("questions", "name") + draft.dice.choice(("？", "?")), draft.row["name"]))
        head = []
    else:
        head = draft.sentence("name")
    return "\n".join(head + [f"{ask}{question}\n{answer}{reply}" for question, reply in pairs])


def letter(draft):
    """Prose with an opening and a closing."""
    parts = [part for key in draft.others() for part in draft.sentence(key)] + draft.noise(2)
    draft.shuffled(parts)
    end = "。" if draft.lang == "zh" else ". "
    body = (draft.sentence("name") + parts) if draft.chance(0.8) else (parts + draft.sentence("name"))
    text = end.join(body) + end.strip()
    return "\n".join([draft.pick("frames", "openings"), text, draft.pick("frames", "closings")])


def pitch(draft):
    """What a seller calls out."""
    parts = [part for key in draft.has("category", "features", "audience", "tone") for part in draft.sentence(key)]
    draft.shuffled(parts)
    parts.insert(draft.dice.randrange(0, 2), draft.sentence("name")[0])
    if "price" in draft.row:
        parts.append(draft.fill(draft.pick("frames", "not_price")) + draft.pick("frames", "pitch_price").replace("{v}", draft.row["price"]))
    parts.insert(0, draft.pick("frames", "pitches"))
    parts += draft.noise(2)
    return draft.dice.choice(("！", "，", "\n", "～") if draft.lang == "zh" else ("! ", "\n", " ", " -- ")).join(parts)


def voice(draft):
    """Speech written down by a machine: no marks, no capitals."""
    row = draft.row
    if draft.lang == "en" and draft.chance(0.6):
        for key in draft.has(*listing.TEXTS[1:]):
            row[key] = row[key].lower()
        row["features"] = [feature.lower() for feature in row["features"]]
    joins = draft.words["frames"]["spoken_joins"]
    parts = [draft.sentence(key)[0] for key in draft.has("category", "audience", "price", "tone")] + [draft.joined(joins)]
    parts += [draft.fill(draft.pick("noise", "numbers")) for _ in range(draft.dice.randrange(3))]
    draft.shuffled(parts)
    parts.insert(0, draft.sentence("name")[0])
    for _ in range(draft.dice.randrange(1, 4)):
        parts.insert(draft.dice.randrange(len(parts)), draft.pick("frames", "spoken"))
    if draft.lang == "zh" and draft.chance(0.4):
        return re.sub(r"(?<![!-~])\t|\t(?![!-~])", "", "\t".join(parts)).replace("\t", " ")  # numbers stay apart
    return " ".join(parts)


def page(draft):
    """A shop's page, copied as a whole."""
    row = draft.row
    trail = [draft.pick("frames", "home"), row["category"] if "category" in row else draft.pick("frames", "no_category"), row["name"]]
    lines = [draft.dice.choice((" > ", " / ", "›", " » ")).join(trail), row["name"]]
    rest = [row["price"]] if "price" in row else []
    rest.append(draft.dice.choice(("\n", "\n", "  ") if draft.lang == "zh" else ("\n", "\n", " | ")).join(row["features"]))
    rest += [part for key in draft.has("audience", "tone") for part in (draft.labelled(key) if draft.chance(0.5) else draft.sentence(key))]
    rest += [draft.fill(line) for line in draft.dice.sample(draft.words["frames"]["page"], draft.dice.randrange(2, 6))]
    return "\n".join(lines + draft.shuffled(rest))


def mix(draft):
    """Every field said in another way, one after the other."""
    parts = []
    for key in draft.has("name", *draft.others()):
        parts += draft.dice.choice((draft.labelled, draft.sentence, draft.sentence, draft.bare))(key)
    parts += draft.again() + draft.noise(4) + [draft.pick("noise", "chatter") for _ in range(draft.dice.randrange(2))]
    text = ""
    for part in draft.shuffled(parts):
        text += part + draft.dice.choice(
            ("\n", "，", "。", " ", "\n", "；") if draft.lang == "zh" else ("\n", ". ", ", ", "; ", "\n", " / ")
        )
    return text.rstrip("\n，；,; /")


def notes(draft):
    """Jottings: values one after the other, hardly a word between them."""
    groups = [draft.bare(key) for key in draft.others()] + [[part] for part in draft.noise(3)]
    if draft.chance(0.3):
        groups.append([draft.pick("noise", "chatter")])
    draft.shuffled(groups)
    if draft.chance(0.25):
        groups = [[part] for group in groups for part in group]
        draft.shuffled(groups)
    name = [draft.row["name"]] if draft.chance(0.7) else draft.sentence("name")
    groups.insert(0 if draft.chance(0.8) else draft.dice.randrange(len(groups) + 1), name)
    parts = [part for group in groups for part in group]
    fits = [mark for mark in draft.words["frames"]["separators"] if not any((mark.strip() or mark) in part for part in parts)]
    return draft.dice.choice(fits or ["\n"]).join(parts)


def scan(draft):
    """A printed sheet through a scanner: spaces between characters, broken lines, marks from nowhere. Numbers stay whole."""
    text = draft.dice.choice((labels, letter, brackets, notes))(draft)
    text = "\n".join(line + (" " + draft.pick("frames", "marks") if draft.chance(0.12) else "") for line in text.split("\n"))
    if draft.lang == "zh":
        return re.sub(f"(?<={HAN})(?={HAN})", lambda _: " " if draft.chance(0.14) else "\n" if draft.chance(0.015) else "", text)
    return re.sub(r"(?<=[a-z,;]) (?=[a-z])", lambda _: "\n" if draft.chance(0.06) else "  " if draft.chance(0.1) else " ", text)


STYLES = (
    labels,
    labels,
    brackets,
    title,
    chat,
    chat,
    post,
    sheet,
    markup,
    questions,
    letter,
    pitch,
    voice,
    page,
    mix,
    mix,
    notes,
    notes,
    notes,
    scan,
)


def finish(draft, text):
    """Widths of characters, as keyboards and machines differ."""
    if draft.lang == "zh" and draft.chance(0.06):
        return re.sub("[0-9A-Za-z]", lambda match: chr(ord(match[0]) + 0xFEE0), text)
    if draft.lang == "zh" and draft.chance(0.1):
        return text.translate({ord("："): ":", ord("，"): ",", ord("；"): ";", ord("（"): "(", ord("）"): ")", ord("！"): "!"})
    return text


def clean(value, lang):
    """A value as the row has it: half-width, of Chinese without spaces but between two Latin words or numbers."""
    value = " ".join(listing.width(value).split())
    return re.sub(r"(?<![!-~]) | (?![!-~])", "", value) if lang == "zh" else value


def example(row, style, dice):
    """(listing, row as this listing says it), or None where it came out too long or cannot be read."""
    draft = Draft(row, dice)
    text = finish(draft, style(draft))
    if len(text) > LONGEST[draft.lang]:
        return None
    found = {key: clean(draft.row.get(key, ""), draft.lang) for key in listing.TEXTS}
    place = listing.bare(text)
    features = sorted(
        (clean(feature, draft.lang) for feature in draft.row["features"]), key=lambda feature: place.find(listing.bare(feature))
    )
    for value in [*found.values(), *features][1:]:
        if listing.bare(value) not in place:
            raise AssertionError(f"{style.__name__}: {value!r} is not in {text!r}")
    if listing.numbers("\n".join([*found.values(), *features])) - listing.numbers(text, source=True):
        return None  # two numbers ran together
    return text, {key: features if key == "features" else found[key] for key in listing.KEYS}


def pairs(row, count, seed):
    """COUNT pairs of a row, each in another style while there are any."""
    dice = random.Random(f"{seed}/{row['name']}")
    styles, seen = [], set()
    while len(seen) < count:
        styles = styles or dice.sample(STYLES, len(STYLES))
        made = example(row, styles.pop(), random.Random(dice.random()))
        if made and made[0] not in seen:
            seen.add(made[0])
            yield {"prompt": listing.prompt(row["lang"], made[0]), "response": listing.reply(made[1])}


def divide(rows, share, seed):
    """(train, validation): of each language the same share is held out."""
    train, held = [], []
    for lang in ("zh", "en"):
        mine = [row for row in rows if row["lang"] == lang]
        random.Random(f"{seed}/{lang}").shuffle(mine)
        cut = round(len(mine) * share)
        held += mine[:cut]
        train += mine[cut:]
    return train, held


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per-row", type=int, default=7, help="listings for each row of training (7)")
    parser.add_argument("--per-held", type=int, default=2, help="listings for each row of validation (2)")
    parser.add_argument("--held", type=float, default=0.12, help="share of the rows that is validation's (0.12)")
    parser.add_argument("--lang", choices=("zh", "en"), help="rows of one language alone")
    options = parser.parse_args()
    rows = [row for row in listing.read(HERE / "rows.jsonl") if options.lang in (None, row["lang"])]
    options.out.mkdir(parents=True, exist_ok=True)
    sides = zip(("train", "validation"), divide(rows, options.held, options.seed), (options.per_row, options.per_held))
    for name, side, count in sides:
        made = [pair for row in side for pair in pairs(row, count, options.seed)]
        random.Random(f"{options.seed}/{name}").shuffle(made)
        path = options.out / f"{name}.jsonl"
        path.write_text("".join(listing.json.dumps(pair, ensure_ascii=False) + "\n" for pair in made), encoding="utf-8")
        print(f"{path}: {len(made)} pairs of {len(side)} rows")


if __name__ == "__main__":
    main()
