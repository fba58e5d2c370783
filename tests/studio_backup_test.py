"""A studio is saved while it serves, and restored elsewhere. Usage: studio_backup_test.py ATELIER. Needs the model smollm2
in the user's store, which ./dev test fetches."""
import json
import pathlib
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

from promises import FAULTS, expect
from serving import Server, studio_with

ATELIER = sys.argv[1]
POT = {"name": "手冲咖啡壶 \"A\" ☕", "category": "咖啡器具", "features": ["304不锈钢", "细口壶嘴", "600毫升"], "price": "128元"}
RUN = "/api/recipes/ad_copy/generations"


def atelier(*args, ok=True):
    done = subprocess.run([ATELIER, *args], capture_output=True, text=True)
    if ok and done.returncode != 0:
        FAULTS.append(f"{args}: {done.stderr}")
    return done


def rows(studio):
    """{table: its rows, in their order}; of the audit trail what came before the backup."""
    db = sqlite3.connect(f"file:{studio}/studio.db?mode=ro", uri=True)
    tables = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
    return {table: [row for row in db.execute(f"SELECT * FROM {table}") if not any(str(v).startswith("studio.") for v in row)]
            for table in tables}


def main():
    work = pathlib.Path(tempfile.mkdtemp())
    studio = studio_with(ATELIER, "smollm2", folder=work)
    key = json.loads(atelier("key", "create", "k", "--scope", "recipes", "--scope", "feedback", "--studio", studio, "--json").stdout)["key"]
    (work / "tea.csv").write_text("name,text\n绿茶,好喝\nblack,\"good, \"\"strong\"\"\"\n", encoding="utf-8")
    (work / "manual.md").write_text("# Tea\n\nSteep green tea for two minutes.\n", encoding="utf-8")
    atelier("data", "import", str(work / "tea.csv"), "--name", "茶", "--studio", studio)
    atelier("index", "add", "manual", str(work / "manual.md"), "--model", "none", "--studio", studio)
    server = Server(ATELIER, studio, "--require-keys")
    enough = threading.Event()
    acknowledged = []  # (time, generation)

    def make(seed):
        while not enough.is_set():
            seed += 100
            status, _, run = server.ask("POST", RUN, {"record": POT, "variant": "phrases", "seed": seed}, key)
            if status == 200 and run["stored"]:
                acknowledged.append((time.monotonic(), run["records"][0]["chosen"]["id"]))
    makers = [threading.Thread(target=make, args=(i,)) for i in range(3)]
    for maker in makers:
        maker.start()
    for i in range(3):
        while len(acknowledged) < 4 * (i + 1):
            time.sleep(0.05)
        file, other = work / f"{i}.tar.zst", work / f"restored {i}"
        begun = time.monotonic()
        said = json.loads(atelier("studio", "backup", str(file), "--studio", studio, "--json").stdout)
        expect("verified", json.loads(atelier("studio", "verify", str(file), "--json").stdout), said)
        atelier("studio", "restore", str(file), str(other))
        restored = rows(other)
        expect("its rows", {table: count for table, count in said["rows"].items() if table != "audit"},
               {table: len(found) for table, found in restored.items() if table != "audit"})
        there = {row[0] for row in restored["generations"]}
        missing = [name for when, name in acknowledged if when < begun and name not in there]
        expect("what was acknowledged before is in it", missing, [])
    enough.set()
    for maker in makers:
        maker.join()

    # Quiet now: equal row for row, and the keys of the one open the other.
    expect("exit", server.stop(signal.SIGTERM), 0)
    atelier("studio", "backup", str(work / "last.tar.zst"), "--studio", studio)
    atelier("studio", "restore", str(work / "last.tar.zst"), str(work / "last"))
    expect("row for row", rows(work / "last"), rows(studio))
    again = Server(ATELIER, str(work / "last"), "--require-keys")
    found = json.loads(atelier("search", "manual", "green tea", "--studio", str(work / "last"), "--json").stdout)["hits"]
    expect("its index", len(found), 1)
    exported = atelier("data", "export", "茶", "--out", str(work / "tea.jsonl"), "--studio", str(work / "last"))
    expect("its dataset", (exported.returncode, (work / "tea.jsonl").read_text(encoding="utf-8").count("\n")), (0, 2))
    name = acknowledged[-1][1]
    expect("it serves", again.ask("GET", f"/api/generations/{name}", key=key)[2]["id"], name)
    expect("and makes", again.ask("POST", RUN, {"record": POT, "variant": "phrases"}, key)[0], 200)
    expect("exit", again.stop(), 0)
    listing = subprocess.run(["tar", "--zstd", "-xOf", work / "last.tar.zst", "studio.toml"], capture_output=True, text=True)
    expect("tar reads it", "format = 1" in listing.stdout)

    refused = atelier("studio", "restore", str(work / "last.tar.zst"), str(work / "last"), ok=False)
    expect("not over another", (refused.returncode, "not empty" in refused.stderr), (1, True))
    refused = atelier("studio", "backup", str(work / "last.tar.zst"), "--studio", studio, ok=False)
    expect("not over another backup", (refused.returncode, "is there already" in refused.stderr), (1, True))
    sound = json.loads(atelier("studio", "verify", "--studio", studio, "--json").stdout)
    expect("the studio itself", (sound["sound"], sound["datasets"], sound["indexes"]), (True, 1, 1))
    shard = next(pathlib.Path(studio).glob("data/茶/v000001/*.jsonl.zst"))
    bytes_of = shard.read_bytes()
    shard.write_bytes(bytes_of[:-9] + b"\0" + bytes_of[-8:])
    segment = next(pathlib.Path(studio).glob("indexes/manual/*.seg"))
    inside = bytearray(segment.read_bytes())
    inside[len(inside) // 2] ^= 0x55
    segment.write_bytes(inside)
    damaged = atelier("studio", "verify", "--studio", studio, "--json", ok=False)
    expect("damaged files", (damaged.returncode, len(json.loads(damaged.stdout)["faults"])), (1, 2))
    shard.write_bytes(bytes_of)
    objects = pathlib.Path(studio) / "objects/ab"
    objects.mkdir(parents=True)
    (objects / ("0" * 62)).write_text("other")
    damaged = atelier("studio", "verify", "--studio", studio, "--json", ok=False)
    expect("a damaged object", (damaged.returncode, len(json.loads(damaged.stdout)["faults"])), (1, 2))
    if FAULTS:
        sys.exit("\n".join(FAULTS))


if __name__ == "__main__":
    main()
