"""Writes tests/golden/jinja/cases.json: what jinja2 makes of every template of cases.txt ("error" where it fails).

Usage: golden_jinja.py   (needs jinja2 3.1)
"""
import json
import pathlib

import jinja_peer

HERE = pathlib.Path(__file__).resolve().parent.parent / "tests/golden/jinja"


def templates(text):
    context, found, block = {}, [], None
    for line in text.split("\n"):
        if block is not None:
            if line == ">>>":
                found.append("\n".join(block))
                block = None
            else:
                block.append(line)
        elif line == "<<<":
            block = []
        elif line.startswith("context "):
            context = json.loads(line[8:])
        elif line and not (line.startswith("# ") and not found) and not line.startswith("## ") or line.startswith("## nor"):
            found.append(line.replace("⏎", "\n"))
    return context, found


def write(path, context, sources):
    """The file that the test JinjaPeer.Cases reads: one case a line."""
    lines = []
    for source in sources:
        text = jinja_peer.render(source, context)
        case = {"template": source, "error": True} if text is None else {"template": source, "text": text}
        lines.append("    " + json.dumps(case, ensure_ascii=False))
    head = json.dumps({"peer": jinja_peer.describe(), "now_unix_millis": jinja_peer.NOW_MILLIS, "context": context},
                      ensure_ascii=False)[:-1]
    path.write_text(f"{head}, \"cases\": [\n" + ",\n".join(lines) + "\n]}\n")


def main():
    context, sources = templates((HERE / "cases.txt").read_text())
    write(HERE / "cases.json", context, sources)
    print(len(sources), "cases")


if __name__ == "__main__":
    main()
