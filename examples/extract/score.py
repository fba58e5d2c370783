#!/usr/bin/env python3
"""score.py TEST PREDICTIONS [--lang zh|en] [--wrong N]: how well predicted rows are the rows that the listings say.

TEST has {"prompt", "response"}, PREDICTIONS {"prediction": "..."}, JSON lines in the same order; with --lang only the listings of
that language are looked at, and only they have predictions. What a model writes after the row's closing brace is the model's mistake.
Prints a table, at last one line of JSON, and with --wrong before them the first N rows that differ. Shares are of all rows of the
language; what cannot be read has no field right.

    json       the prediction is a JSON object
    form       and has the seven keys, each once, and no other; features a list of texts, the rest texts
    exact      and every field is the expected one; the order of features and of keys does not count
    altered    a number is in the prediction, whatever its form, that the listing does not have
    unfounded  a value is in the row that does not stand in the listing (but for lang)

    of a field: exact   the share of rows in which it is the expected one, "" where "" is expected
                precision, recall, f1   of values that are not "", of features one by one, over all rows together

Values are compared without differences of width (NFKC), of white space, and, in Chinese, without white space at all.
"""

import argparse
import collections
import json
import sys

import listing

SHARES = ("json", "form", "exact", "altered", "unfounded")


def parse(prediction):
    """(the object or None, whether it has the form of a row)."""
    repeated = []

    def collect(pairs):
        if len({key for key, _ in pairs}) < len(pairs):
            repeated.append(True)
        return dict(pairs)

    try:
        row = json.loads(prediction, object_pairs_hook=collect)
    except (ValueError, RecursionError):
        return None, False
    if not isinstance(row, dict):
        return None, False
    texts = all(isinstance(row.get(key), str) for key in listing.TEXTS)
    features = row.get("features")
    form = texts and isinstance(features, list) and all(isinstance(feature, str) for feature in features)
    return row, form and set(row) == set(listing.KEYS) and not repeated


def values(row, key, lang):
    """What a row says in a field, ready to be compared, each value with how often it stands there. "" says nothing; what is no text
    is a value that equals no other."""
    found = row.get(key, "")
    if key == "features":
        if not isinstance(found, list):
            found = [] if found == "" else [object()]
    else:
        found = [found]
    return collections.Counter(listing.same(value, lang) if isinstance(value, str) else id(value) for value in found if value != "")


def strings(value):
    """All texts and numbers in a value of JSON."""
    if isinstance(value, dict):
        return [text for inner in value.values() for text in strings(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in strings(inner)]
    return [] if value is None or isinstance(value, bool) else [str(value)]


def judge(pair, prediction):
    """What is to be counted of one prediction."""
    lang, text = listing.listing(pair["prompt"])
    expected = json.loads(pair["response"])
    row, form = parse(prediction)
    got = row or {}
    fields = {}
    for key in listing.KEYS:
        want, have = values(expected, key, lang), values(got, key, lang)
        fields[key] = {
            "exact": row is not None and key in got and want == have,
            "right": (want & have).total(),
            "want": want.total(),
            "have": have.total(),
        }
    said = strings({key: value for key, value in got.items() if key != "lang"})
    place = listing.bare(text)
    return {
        "lang": lang,
        "json": row is not None,
        "form": form,
        "exact": form and all(field["exact"] for field in fields.values()),
        "altered": bool(listing.numbers(prediction if row is None else "\n".join(said)) - listing.numbers(text, source=True)),
        "unfounded": any(listing.bare(value) not in place for value in said),
        "fields": fields,
    }


def summary(judged):
    count = len(judged)
    result = {"rows": count} | {share: sum(one[share] for one in judged) / count for share in SHARES} | {"fields": {}}
    for key in listing.KEYS:
        right, want, have = (sum(one["fields"][key][part] for one in judged) for part in ("right", "want", "have"))
        precision, recall = right / have if have else 0.0, right / want if want else 0.0
        result["fields"][key] = {
            "exact": sum(one["fields"][key]["exact"] for one in judged) / count,
            "precision": precision,
            "recall": recall,
            "f1": 2 * right / (want + have) if want + have else 0.0,
        }
    return result


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def score(pairs, predictions):
    judged = [judge(pair, prediction) for pair, prediction in zip(pairs, predictions, strict=True)]
    groups = {lang: [one for one in judged if one["lang"] == lang] for lang in listing.FIRST} | {"all": judged}
    return judged, {name: rounded(summary(group)) for name, group in groups.items() if group}


def table(result):
    names = list(result)
    lines = [f"{'':22}" + "".join(f"{name:>8}" for name in names), f"{'rows':22}" + "".join(f"{result[name]['rows']:>8}" for name in names)]
    lines += [f"{share:22}" + "".join(f"{100 * result[name][share]:>7.1f}%" for name in names) for share in SHARES]
    for key in listing.KEYS:
        for part in ("exact",) if key == "lang" else ("exact", "precision", "recall", "f1") if key == "features" else ("exact", "f1"):
            lines.append(f"{key + ' ' + part:22}" + "".join(f"{100 * result[name]['fields'][key][part]:>7.1f}%" for name in names))
    return "\n".join(lines)


def self_check():
    row = {
        "lang": "en",
        "name": "Tin Cup",
        "category": "",
        "features": ["300 ml", "blue"],
        "audience": "",
        "price": "$1,400",
        "tone": "dry",
    }
    pair = {"prompt": listing.prompt("en", "Tin Cup\n300 ml, blue. Stock 55. $1,400, keep it dry"), "response": listing.reply(row)}

    def of(prediction):
        judged, result = score([pair], [prediction if isinstance(prediction, str) else json.dumps(prediction, ensure_ascii=False)])
        shares = {share for share in SHARES if judged[0][share]}
        return shares, {key: (one["right"], one["want"], one["have"]) for key, one in judged[0]["fields"].items()}, result

    good = {"json", "form", "exact"}
    form = {"json", "form"}
    for prediction, expected in (
        (row, good),
        (row | {"features": ["blue", "300  ml"]}, good),
        (row | {"price": "＄1,400"}, good),
        (dict(reversed(row.items())), good),
        ("", set()),
        ("{", set()),
        (listing.reply(row) + " and so on", set()),
        (listing.reply(row)[:-1], set()),
        ("null", set()),
        ("[]", set()),
        ("[" * 100000, set()),
        ("1" * 100, {"altered"}),
        ("{}", {"json"}),
        (row | {"colour": "blue"}, {"json"}),
        (row | {"colour": "green"}, {"json", "unfounded"}),
        ({key: value for key, value in row.items() if key != "tone"}, {"json"}),
        (listing.reply(row).replace('"tone"', '"tone":"","tone"'), {"json"}),
        (row | {"tone": ["dry"]}, {"json"}),
        (row | {"features": "300 ml; blue"}, {"json", "unfounded"}),
        (row | {"features": ["300 ml", 5]}, {"json", "altered"}),
        (row | {"price": 1400}, {"json", "unfounded"}),
        (row | {"price": None}, {"json"}),
        (row | {"price": ""}, form),
        (row | {"price": "$55"}, form | {"unfounded"}),
        (row | {"price": "$1,500"}, form | {"altered", "unfounded"}),
        (row | {"price": "$1400"}, form | {"unfounded"}),
        (row | {"features": ["300 ml", "blue", "blue"]}, form),
        (row | {"features": ["30 ml", "blue"]}, form | {"altered", "unfounded"}),
        (row | {"name": "tin cup"}, form | {"unfounded"}),
        (row | {"lang": "zh"}, form),
        ('{"name": "Tin Cup 7"', {"altered"}),
    ):
        assert of(prediction)[0] == expected, (prediction, of(prediction)[0], expected)
    assert of(row | {"features": ["blue", "round", "tin"]})[1]["features"] == (1, 2, 3)
    assert of(row | {"features": "blue"})[1]["features"] == (0, 2, 1)
    assert of(row | {"tone": ["dry"]})[1]["tone"] == (0, 1, 1)
    assert of(row | {"category": "cups"})[1]["category"] == (0, 0, 1)
    assert of("")[1]["features"] == (0, 2, 0)
    assert not of("")[2]["en"]["fields"]["category"]["exact"], "what cannot be read is right nowhere, nor where nothing is expected"
    assert of(row | {"features": ["blue", "round", "tin"]})[2]["all"]["fields"]["features"] == {
        "exact": 0.0,
        "precision": 0.3333,
        "recall": 0.5,
        "f1": 0.4,
    }
    chinese = row | {"lang": "zh", "name": "搪瓷杯", "features": ["300毫升", "蓝"], "price": "14元", "tone": ""}
    other = {"prompt": listing.prompt("zh", "搪瓷杯 ３００毫升 蓝 14元"), "response": listing.reply(chinese)}
    judged, result = score([pair, other], ["", listing.reply(chinese | {"name": "搪瓷 杯", "features": ["蓝", "３００毫升"]})])
    assert [one["exact"] for one in judged] == [False, True]
    assert (result["en"]["exact"], result["zh"]["exact"], result["all"]["exact"]) == (0.0, 1.0, 0.5)
    assert listing.numbers("1,299.00 007 .5 2.50") == {"1299", "007", "5", "2.5"}
    assert listing.numbers("$42,345", source=True) == {"42345", "42", "345"}
    print("self-check passed")


def main():
    if sys.argv[1:] == ["--self-check"]:
        return self_check()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("test")
    parser.add_argument("predictions")
    parser.add_argument("--wrong", type=int, default=0, metavar="N")
    parser.add_argument("--lang", choices=tuple(listing.FIRST))
    options = parser.parse_args()
    pairs, lines = listing.read(options.test), listing.read(options.predictions)
    pairs = [pair for pair in pairs if options.lang in (None, listing.listing(pair["prompt"])[0])]
    if len(pairs) != len(lines):
        sys.exit(f"score.py: {options.test} has {len(pairs)} such records, {options.predictions} {len(lines)}")
    for number, line in enumerate(lines, 1):
        if not isinstance(line, dict) or not isinstance(line.get("prediction"), str):
            sys.exit(f'score.py: {options.predictions}:{number}: no text under "prediction"')
    judged, result = score(pairs, [line["prediction"] for line in lines])
    wrong = [i for i, one in enumerate(judged) if not one["exact"]][: options.wrong]
    for i in wrong:
        print(
            f"--- {i + 1}\n{listing.listing(pairs[i]['prompt'])[1]}\nexpected  {pairs[i]['response']}\npredicted {lines[i]['prediction']}"
        )
    print(table(result))
    print(json.dumps(result, ensure_ascii=False))
    return None


if __name__ == "__main__":
    sys.exit(main())
