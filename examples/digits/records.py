#!/usr/bin/env python3
"""records.py DIGITS FOLDER: the package's lists of 784 numbers from 0 to 1 per digit as PNGs of 8-bit grey, white on black.

Writes FOLDER/digits/LABEL/NUMBER.png, one folder per digit, as `atelier data import` reads pictures with labels, and
FOLDER/digits.jsonl.
"""
import json
import pathlib
import struct
import sys
import zlib

SIDE = 28


def png(pixels):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + pixels[y * SIDE:(y + 1) * SIDE] for y in range(SIDE))
    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def main(source, folder):
    lines = []
    for label in range(10):
        values = json.loads((pathlib.Path(source) / f"{label}.json").read_text())["data"]
        count, rest = divmod(len(values), SIDE * SIDE)
        if rest:
            sys.exit(f"{label}.json: {len(values)} numbers are no whole pictures")
        place = pathlib.Path(folder) / "digits" / str(label)
        place.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            pixels = bytes(round(255 * value) for value in values[number * SIDE * SIDE:(number + 1) * SIDE * SIDE])
            name = f"{number:05}.png"
            (place / name).write_bytes(png(pixels))
            lines.append(json.dumps({"file": f"digits/{label}/{name}", "label": str(label)}))
        print(f"{label}: {count}")
    (pathlib.Path(folder) / "digits.jsonl").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
