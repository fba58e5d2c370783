#!/usr/bin/env python3
"""records.py OUT.jsonl PACKAGE.deb...: pairs of English and Chinese interface texts out of Debian packages.

Reads the compiled gettext catalogues (.mo) of zh_CN in each package. Of a text with a plural the singular and, where they
differ, the plural are taken. Texts are made even: mnemonics ("_File", "文件(_F)", "&Open") go, mark-up goes, placeholders
("%1$s", "{name}", "${user}") become {}, white space is one space. Left out, and counted: what is no sentence or label
(no letters, over 200 characters), what was not translated (no Chinese, or the same as the English), pairs whose numbers of
placeholders differ. Of several translations of an English text the most frequent one stays, with the first package that
has it.
"""
import collections
import html
import json
import pathlib
import re
import struct
import subprocess
import sys
import tarfile
import tempfile

PLACEHOLDER = re.compile(r"%\([^)]*\)[a-zA-Z]|%q?\+?[A-Z]\b|%(?:\d+\$)?[-+ #0']*(?:\*|\d+)?(?:\.\d+)?(?:hh|h|ll|l|z|j|q|L)?[diouxXeEfgGcsSpm@]"
                         r"|%L?\d+|\$\{[^{}]*\}|\$[A-Za-z_]\w*|\{[A-Za-z_0-9.:%]*\}|%[A-Za-z_]\w*%")
TAG = re.compile(r"</?(?:a|application|b|bcode|big|body|br|center|code|command|email|emphasis|em|filename|font|h[1-6]|hr|html|icode|"
                 r"img|interface|item|i|link|list|li|message|nl|note|numid|ol|para|placeholder|p|pre|qt|resource|shortcut|"
                 r"small|span|strong|sub|sup|s|table|td|th|title|tr|tt|ul|u|warning)(?:\s[^<>]*)?/?>", re.I)
ENTITY = re.compile(r"&(?:[a-zA-Z]{2,8}|#\d{1,6}|#x[0-9a-fA-F]{1,6});")
CHINESE_MNEMONIC = re.compile(r"\s*[(（][_&]\s*[A-Za-z0-9][)）]")
HAN = re.compile(r"[一-鿿]")


def messages(data):
    """(msgid, msgstr) of a .mo file, both with NUL between the forms of a plural. GNU gettext manual, 10.3."""
    order = {b"\xde\x12\x04\x95": "<", b"\x95\x04\x12\xde": ">"}.get(data[:4])
    if order is None or len(data) < 28:
        raise ValueError("no .mo file")
    _, count, ids, texts = struct.unpack_from(order + "4I", data, 4)
    for i in range(count):
        pair = []
        for table in (ids, texts):
            length, offset = struct.unpack_from(order + "2I", data, table + 8 * i)
            if offset + length > len(data):
                raise ValueError("a text beyond the end")
            pair.append(data[offset:offset + length].decode("utf-8"))
        yield pair


def plain(text):
    """The text without what belongs to the tool kit: mnemonics, mark-up, the form of placeholders."""
    text = CHINESE_MNEMONIC.sub("", text)
    text = TAG.sub(" ", text)
    text = ENTITY.sub(lambda match: html.unescape(match.group()), text)
    text = text.replace("\\n", " ").replace("\\t", " ").replace("%%", "%")
    text = PLACEHOLDER.sub("{}", text)
    text = re.sub(r"(?<![A-Za-z0-9_])[_&](?=[A-Za-z0-9])|(?<=[A-Za-z])[_&](?=[a-z])", "", text)
    return " ".join(text.split())


def pairs(catalogue):
    for source, target in messages(catalogue):
        if not source or source.startswith("\x04"):
            continue
        source = source.rsplit("\x04", 1)[-1]
        source, target = source.split("\0"), target.split("\0")
        for english in source[:2]:
            yield plain(english), plain(target[-1])


def problem(english, chinese):
    if not re.search(r"[A-Za-z]{2}", english):
        return "no words"
    if len(english) > 200 or len(chinese) > 200:
        return "long"
    if not HAN.search(chinese) or HAN.search(english):
        return "not translated"
    if english.count("{}") != chinese.count("{}"):
        return "placeholders differ"
    if english in ("translator-credits", "Your names", "Your emails"):
        return "names of translators"
    return None


def catalogues(package):
    """Every .mo file of zh_CN in a Debian package, by name."""
    with tempfile.TemporaryFile() as out:
        subprocess.run(["dpkg-deb", "--fsys-tarfile", package], check=True, stdout=out)
        out.seek(0)
        with tarfile.open(fileobj=out) as archive:
            for member in archive:
                if member.isfile() and re.search(r"/zh_CN/LC_MESSAGES/[^/]+\.mo$", member.name):
                    yield member.name, archive.extractfile(member).read()


def main(out, packages):
    counts, translations, first = collections.Counter(), {}, {}
    for package in packages:
        name = pathlib.Path(package).name.split("_")[0]
        for _, data in sorted(catalogues(package)):
            counts["catalogues"] += 1
            for english, chinese in pairs(data):
                counts["texts"] += 1
                if why := problem(english, chinese):
                    counts["left out: " + why] += 1
                    continue
                translations.setdefault(english, collections.Counter())[chinese] += 1
                first.setdefault((english, chinese), name)
    taken = collections.Counter()
    with open(out + ".new", "w", encoding="utf-8") as target:
        for english, found in translations.items():
            chinese, uses = found.most_common(1)[0]  # of equally frequent ones the first
            counts["left out: said before, the same"] += uses - 1
            counts["left out: said before, otherwise"] += found.total() - uses
            name = first[english, chinese]
            taken[name] += 1
            target.write(json.dumps({"en": english, "zh": chinese, "package": name}, ensure_ascii=False) + "\n")
    pathlib.Path(out + ".new").rename(out)
    for key, count in counts.items():
        print(f"{key}: {count}")
    print("written:", sum(taken.values()), "from", len(taken), "packages")
    for name, count in sorted(taken.items()):
        print(f"  {name}: {count}")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
