"""Pictures and sound through the commands, and the page of a cleaning. Usage: data_media_test.py ATELIER.

The files that come out are read by Python alone: zlib for PNG, wave for WAV.
"""
import array
import hashlib
import json
import math
import pathlib
import struct
import tempfile
import wave
import zlib

from promises import FAULTS, end, expect, run


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(rows):
    """Grey rows as a PNG."""
    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + r for r in rows)))
            + chunk(b"IEND", b""))


def grey_rows(data):
    """The rows of a grey PNG of 8 bits, whatever its filters."""
    at, body, size = 8, b"", None
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IHDR":
            size = struct.unpack(">IIBBBBB", data[at + 8:at + 21])
        if kind == b"IDAT":
            body += data[at + 8:at + 8 + length]
        at += 12 + length
    width, height, bits, colour, _, _, interlaced = size
    expect("a PNG's kind", (bits, colour, interlaced), (8, 0, 0))
    body, rows, above = zlib.decompress(body), [], bytes(width)
    for y in range(height):
        kind, line = body[y * (width + 1)], bytearray(body[y * (width + 1) + 1:(y + 1) * (width + 1)])
        for x in range(width):
            a, b, c = line[x - 1] if x else 0, above[x], above[x - 1] if x else 0
            p = a + b - c
            nearest = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            line[x] = (line[x] + (0, a, b, (a + b) // 2, nearest)[kind]) % 256
        above = bytes(line)
        rows.append(above)
    return rows


def records(name, cwd):
    return [json.loads(line) for line in run("data", "export", name, "--out", "-", cwd=cwd).splitlines()]


def stored(shop, record):
    data = (shop / "objects" / record["sha256"][:2] / record["sha256"][2:]).read_bytes()
    expect(f"{record['file']}: its hash", hashlib.sha256(data).hexdigest(), record["sha256"])
    expect(f"{record['file']}: its bytes", len(data), record["bytes"])
    return data


def pictures(root, shop):
    folder = root / "图" / "标签"
    folder.mkdir(parents=True)
    rows = [bytes((x * 7 + y * 3) % 256 for x in range(31)) for y in range(20)]
    (folder / "一.png").write_bytes(png(rows))
    (folder / "坏.png").write_bytes(png(rows)[:70])
    (root / "flip.toml").write_text('whole = true\n[[step]]\nuse = "flip"\nhorizontal = 1.0\n')
    (root / "gain.toml").write_text('whole = true\n[[step]]\nuse = "gain"\n')
    run("data", "import", str(root / "图"), "--format", "pictures", "--name", "p", cwd=shop)
    run("data", "augment", "p", "--config", str(root / "gain.toml"), cwd=shop, code=1, says="holds no sound")
    run("data", "augment", "p", "--config", str(root / "flip.toml"), cwd=shop, says="1 file could not be read")
    copies = [r for r in records("p", shop) if "~" in r["file"]]
    expect("copies", [(r["file"], r["label"], r["format"], r["width"], r["height"]) for r in copies],
           [("标签/一.png~1.png", "标签", "png", 31, 20)])
    expect("the copy", grey_rows(stored(shop, copies[0])), [row[::-1] for row in rows])
    reject = json.loads(run("data", "show", "p", "--rejects", cwd=shop))
    expect("the reject", (reject["stage"], reject["text"]), ("augment", "标签/坏.png"))


def sound(root, shop):
    (root / "声音").mkdir()
    samples = array.array("h", (round(8000 * math.sin(i / 9)) for i in range(16000)))
    with wave.open(str(root / "声音" / "音.wav"), "wb") as out:
        out.setparams((1, 2, 8000, 0, "NONE", ""))
        out.writeframes(samples.tobytes())
    (root / "noise.toml").write_text('whole = true\n[[step]]\nuse = "white_noise"\nsnr = [15, 15]\n')
    run("data", "import", str(root / "声音"), "--format", "sound", "--name", "s", cwd=shop)
    run("data", "augment", "s", "--config", str(root / "noise.toml"), cwd=shop, says="1 copies of 1 records")
    copy = [r for r in records("s", shop) if "~" in r["file"]][0]
    (root / "copy.wav").write_bytes(stored(shop, copy))
    with wave.open(str(root / "copy.wav")) as file:
        expect("the copy's kind", file.getparams()[:4], (1, 2, 8000, 16000))
        changed = array.array("h", file.readframes(16000))
    power = sum(a * a for a in samples) / sum((a - b) ** 2 for a, b in zip(samples, changed))
    if abs(10 * math.log10(power) - 15) > 0.2:
        FAULTS.append(f"noise at {10 * math.log10(power):.2f} dB, wanted 15")


def page(root, shop):
    (root / "r.csv").write_text('text\n"房間很乾淨 <script>alert(1)</script>"\n"x"\n')
    (root / "clean.toml").write_text('[[operation]]\nuse = "fold_script"\nto = "t2s"\n'
                                     '[[operation]]\nuse = "rules"\nleast_characters = 3\n')
    run("data", "import", str(root / "r.csv"), "--name", "r", cwd=shop)
    for options, env, language in (([], {"LC_ALL": "zh_CN.UTF-8"}, "zh-CN"), (["--lang", "en"], {"LC_ALL": "zh_CN.UTF-8"}, "en")):
        out = run("data", "clean", "r@1", "--config", str(root / "clean.toml"), "--json", *options, cwd=shop, env=env)
        text = pathlib.Path(json.loads(out)["page"]).read_text()
        for wanted in (f'<html lang="{language}">', "<del>", "<ins>", "&lt;script&gt;"):
            if wanted not in text:
                FAULTS.append(f"the page lacks {wanted}")
        if "<script" in text:
            FAULTS.append("the page has a script")
    run("data", "clean", "r@1", "--config", str(root / "clean.toml"), cwd=shop, says="clean.html")
    run("data", "clean", "r@1", "--config", str(root / "clean.toml"), "--lang", "fr", cwd=shop, code=2, says="zh or en")


with tempfile.TemporaryDirectory() as folder:
    root = pathlib.Path(folder)
    run("init", str(root / "shop"), cwd=root)
    for part in (pictures, sound, page):
        part(root, root / "shop")
end("pictures, sound and the page of a cleaning: as promised")
