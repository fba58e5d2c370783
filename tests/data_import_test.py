"""Datasets as a person and a crash see them. Usage: data_import_test.py ATELIER.

Imports are killed at many moments: the old version or the new one is there, whole. A long stream needs little memory.
HTML and PDF go through children with limits; PostgreSQL through a server that the test starts, where one is installed.
"""
import glob
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import time

from promises import ATELIER, FAULTS, end, expect, run


def records(name, cwd):
    lines = run("data", "export", name, "--out", "-", cwd=cwd).splitlines()
    return [json.loads(line) for line in lines]


def rows(count, seed):
    rng = random.Random(seed)
    words = ["茶", "咖啡壶", "excellent", "质量很好", "would buy again", "一般", "very slow delivery", "包装完好"]
    texts = [" ".join(rng.choice(words) for _ in range(rng.randint(3, 40))) for _ in range(997)]
    for i in range(count):
        yield f'{i},"{texts[i % 997]}",{i % 1000 / 10}\n'


def kills(root):
    shop = root / "kill"
    run("init", str(shop), cwd=root)
    with open(root / "big.csv", "w") as file:
        file.write("id,text,price\n")
        file.writelines(rows(150_000, 1))
    (root / "small.csv").write_text("id,text,price\n1,a,2\n")
    run("data", "import", str(root / "small.csv"), "--name", "d", cwd=shop)
    began = time.monotonic()
    run("data", "import", str(root / "big.csv"), "--name", "time", "--quiet", cwd=shop)
    lasts = time.monotonic() - began
    known, cut = 1, 0
    for i in range(24):
        child = subprocess.Popen([ATELIER, "data", "import", str(root / "big.csv"), "--name", "d", "--quiet"], cwd=shop,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # Half of them anywhere, half around the end, where the version appears.
        time.sleep(lasts * ((i + 0.5) / 12 if i < 12 else 0.8 + (i - 12) / 24))
        child.send_signal(signal.SIGKILL)
        cut += child.wait() == -signal.SIGKILL
        listed = json.loads(run("data", "list", "--all", "--json", cwd=shop))["datasets"]
        versions = [entry for entry in listed if entry["name"] == "d"]
        if len(versions) not in (known, known + 1):
            FAULTS.append(f"kill {i}: {len(versions)} versions after {known}")
        known = len(versions)
        on_disk = [p.name for p in (shop / "data/d").iterdir() if p.name.startswith("v")]
        expect(f"kill {i}: versions on the disk, and those that can be read", len(on_disk), known)
        run("data", "show", "d", "--verify", cwd=shop, says="every shard holds")
        for entry in versions[-2:]:
            expect(f"kill {i}: records of d@{entry['version']}", entry["records"], 1 if entry["version"] == 1 else 150_000)
            run("data", "show", f"d@{entry['version']}", "--verify", cwd=shop, says="every shard holds")
    if cut < 6:
        FAULTS.append(f"only {cut} imports were killed before their end")
    run("data", "import", str(root / "small.csv"), "--name", "d", cwd=shop, says=f"d@{known + 1}")
    expect("what the killed left", [p.name for p in (shop / "data/d").iterdir() if p.name.startswith(".")], [])
    print(f"kills: {cut} of 24 imports cut off, {known} versions, all whole")


def memory(root):
    shop = root / "memory"
    run("init", str(shop), cwd=root)
    piece = "".join(rows(40_000, 2)).encode()
    pieces = 300_000_000 // len(piece) + 1
    for name, format, feed in [("csv", "csv", piece),
                               ("one quote", "csv", None),
                               ("jsonl", "jsonl", b"".join(json.dumps({"i": i, "t": "评论 " * (i % 60)}).encode() + b"\n"
                                                           for i in range(20_000)))]:
        child = subprocess.Popen([ATELIER, "data", "import", "-", "--format", format, "--name", "m", "--quiet", "--json"],
                                 cwd=shop, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wrote, most = 0, 0

        def peak():  # of its memory alone; rusage would count what was ours before exec
            try:
                status = pathlib.Path(f"/proc/{child.pid}/status").read_text()
                return max([most] + [int(line.split()[1]) / 1024 for line in status.splitlines() if "VmHWM" in line])
            except OSError:
                return most

        try:
            if format == "csv":
                child.stdin.write(b"id,text,price\n")
            if feed is None:  # a quote that never closes, and rows behind it
                child.stdin.write(b'"open,1\n')
                feed = b"x,y,1\n" * 100_000
            while wrote < (pieces * len(piece) if name == "csv" else 100_000_000):
                child.stdin.write(feed)
                wrote += len(feed)
                most = peak()
            child.stdin.close()
        except BrokenPipeError:
            pass
        while child.poll() is None:
            most = peak()
            time.sleep(0.01)
        out, err = child.stdout.read(), child.stderr.read()
        expect(f"memory, {name}: exit", (child.returncode, err.decode()[-300:]), (0, ""))
        if most > 120:
            FAULTS.append(f"memory, {name}: {most:.0f} MiB for {wrote / 1e6:.0f} MB")
        made = json.loads(out)
        if made["records"] < 100_000:
            FAULTS.append(f"memory, {name}: {made['records']} records")
        print(f"memory, {name}: {most:.0f} MiB at most for {wrote / 1e6:.0f} MB, {made['records']} records, "
              f"{made['rejects']} rejects")


def pdf(pages, kids=None):
    """A PDF of one line a page; `kids`: what the page tree points at instead of its pages."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>",
               f"<< /Type /Pages /Kids [{kids or ' '.join(f'{4 + 2 * i} 0 R' for i in range(len(pages)))}] "
               f"/Count {len(pages)} >>",
               "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    for i, text in enumerate(pages):
        stream = f"BT /F1 12 Tf 72 700 Td ({text}) Tj ET"
        objects.append(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * i} 0 R "
                       "/Resources << /Font << /F1 3 0 R >> >> >>")
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    out, offsets = b"%PDF-1.4\n", []
    for i, body in enumerate(objects):
        offsets.append(len(out))
        out += f"{i + 1} 0 obj\n{body}\nendobj\n".encode()
    xref = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{offset:010} 00000 n \n".encode() for offset in offsets)
    return out + f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{xref}\n%%EOF\n".encode()


def documents(root):
    shop = root / "documents"
    run("init", str(shop), cwd=root)
    folder = root / "pages"
    folder.mkdir()
    (folder / "a.html").write_text("<title>茶</title><script>x</script><h1>One</h1><p>first</p><h2>Two</h2>second")
    (folder / "deep.html").write_text("<div>" * 300_000 + "x")
    (folder / "bold.html").write_text("<b>" * 15_000 + "x")
    (folder / "b.pdf").write_bytes(pdf(["first page", "second page"]))
    (folder / "loop.pdf").write_bytes(pdf(["never seen"], kids="2 0 R"))
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4\nnothing")
    (folder / "notes.md").write_text("# 标题\n内容\n")
    made = json.loads(run("data", "import", str(folder), "--name", "docs", "--json", cwd=shop))
    got = records("docs", shop)
    expect("documents", sorted((r.get("title"), r.get("page"), r["text"]) for r in got if "page" not in r),
           [("标题", None, "内容"), ("茶", None, "first"), ("茶", None, "second")])
    expect("pages of a PDF", [(r["page"], r["text"]) for r in got if "page" in r],
           [(1, "first page"), (2, "second page")])
    names = [source["name"] for source in made["sources"]]
    rejects = {names[json.loads(line)["source"]]: json.loads(line)["reason"]
               for line in run("data", "show", "docs", "--rejects", cwd=shop).splitlines()}
    expect("documents that cannot be read", sorted(rejects), ["bold.html", "broken.pdf", "deep.html", "loop.pdf"])
    if "deep" not in rejects.get("bold.html", "") or "open inside" not in rejects.get("deep.html", ""):
        FAULTS.append(f"reasons: {rejects}")
    run("data", "import", str(folder / "loop.pdf"), "--name", "x", cwd=shop, code=1, says="no record could be read")
    run("data", "import", str(folder / "b.pdf"), "--name", "x", cwd=shop, code=1, says="poppler-utils",
        env={"PATH": "/nonexistent"})
    expect("nothing of a failed import", (shop / "data/x").exists(), False)


def postgres(root):
    tools = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    if not tools or os.geteuid() != 0 or not shutil.which("runuser"):
        print("postgres: no server here that the test could start; not tested")
        return
    shop = root / "postgres"
    run("init", str(shop), cwd=root)
    home = pathlib.Path(tempfile.mkdtemp(prefix="pg"))
    shutil.chown(home, "postgres", "postgres")
    port = str(random.randint(20_000, 60_000))

    def server(*args, **more):
        return subprocess.run(["runuser", "-u", "postgres", "--", *args], cwd=home, capture_output=True, text=True, **more)

    def pg_ctl(*args):
        return server(f"{tools[-1]}/pg_ctl", "-D", str(home / "db"), "-l", str(home / "log"), "-w", *args)

    secret = "s3cret-Wort"
    (home / "pw").write_text(secret)
    shutil.chown(home / "pw", "postgres", "postgres")
    made = server(f"{tools[-1]}/initdb", "-D", str(home / "db"), "-A", "scram-sha-256", f"--pwfile={home}/pw", "-U", "boss",
                  "-E", "UTF8", "--no-locale")
    started = pg_ctl("-o", f"-p {port} -k {home} -c listen_addresses=127.0.0.1 -c fsync=off", "start")
    try:
        if made.returncode != 0 or started.returncode != 0:
            FAULTS.append(f"postgres: {made.stderr}{started.stdout}{started.stderr}")
            return
        sql = """CREATE SCHEMA s; CREATE TABLE s."Or ders" (id bigint, name text, price numeric, ok boolean, at date,
                 doc jsonb, f double precision, _x int);
                 INSERT INTO s."Or ders" SELECT i, '茶 "' || i || '"', i / 4.0, i % 2 = 0, date '2026-01-01' + i % 30,
                 jsonb_build_object('b', i, 'a', ARRAY[1,2]), i * 0.5, NULL FROM generate_series(1, 25000) i;
                 INSERT INTO s."Or ders" VALUES (25001, 'bad', 1, true, NULL, NULL, 'NaN', 1);"""
        done = server("psql", "-h", "127.0.0.1", "-p", port, "-U", "boss", "-d", "postgres", "-v", "ON_ERROR_STOP=1",
                      "-c", sql, env={**os.environ, "PGPASSWORD": secret})
        expect("psql", (done.returncode, done.stderr), (0, ""))
        address = f"postgresql://boss:{secret}@127.0.0.1:{port}/postgres"
        out = run("data", "import", address, "--table", "s.Or ders", "--name", "orders", "--json", cwd=shop)
        body = json.loads(out)
        expect("rows", (body["records"], body["rejects"], body["sources"][0]["name"]), (25000, 1, "s.Or ders"))
        got = {r["id"]: r for r in records("orders", shop)}
        expect("a row", got[6], {"id": 6, "name": '茶 "6"', "price": 1.5, "ok": True, "at": "2026-01-07",
                                 "doc": {"a": [1, 2], "b": 6}, "f": 3, "x_x": None})
        query = 'SELECT count(*) AS n, max(id) AS "top" FROM s."Or ders" -- all of them'
        run("data", "import", address, "--query", query, "--name", "sums", cwd=shop)
        expect("a query", records("sums", shop), [{"n": 25001, "top": 25001}])
        texts = [out]
        texts.append(run("data", "import", address, "--table", "nosuch", "--name", "x", cwd=shop, code=1, says="nosuch"))
        texts.append(run("data", "import", address, "--query", 'DELETE FROM s."Or ders"', "--name", "x", cwd=shop, code=1))
        texts.append(run("data", "import", address, "--query", "SELECT 1; DROP SCHEMA s CASCADE", "--name", "x", cwd=shop,
                         code=1))
        texts.append(run("data", "import", address.replace("/postgres", "/nosuch"), "--table", "t", "--name", "x", cwd=shop,
                         code=1, says="nosuch"))
        run("data", "import", address.replace(secret, "wrong"), "--table", "t", "--name", "x", cwd=shop, code=1,
            says="password authentication failed")
        run("data", "import", f"postgresql://boss@127.0.0.1:{port}/postgres", "--table", "s.Or ders", "--name", "orders",
            cwd=shop, says="orders@2", env={"PGPASSWORD": secret})
        stored = b"".join(p.read_bytes() for p in shop.rglob("*") if p.is_file())
        expect("the password in what is printed or stored", (secret in "".join(texts), secret.encode() in stored),
               (False, False))
        left = server("psql", "-h", "127.0.0.1", "-p", port, "-U", "boss", "-d", "postgres", "-Atc",
                      'SELECT count(*) FROM s."Or ders"', env={**os.environ, "PGPASSWORD": secret})
        expect("rows in the server afterwards", left.stdout.strip(), "25001")
        print("postgres: as promised")
    finally:
        pg_ctl("-m", "immediate", "stop")
        shutil.rmtree(home, ignore_errors=True)


def commands(root):
    shop = root / "commands"
    run("init", str(shop), cwd=root)
    run("data", "list", cwd=shop, says="No datasets yet")
    table = root / "t.csv"
    table.write_text("id,名称,price\n1,茶,5\n2,=SUM(A1),6\n3,咖啡,7\nbroken\n")
    run("data", "import", str(table), "--name", "货", "--licence", "CC0", cwd=shop, says="1 record was not taken")
    run("data", "import", str(table), "--name", "货", "--strict", cwd=shop, code=1, says="t.csv:5: a row of 1 cells")
    run("data", "import", str(table), "--name", "../x", cwd=shop, code=2, says="cannot name a dataset")
    run("data", "import", str(table), "--name", "x", "--format", "cvs", cwd=shop, code=2, says="did you mean 'csv'")
    run("data", "import", str(root / "nosuch.csv"), "--name", "x", cwd=shop, code=1, says="no such file")
    table.write_text("id,名称,price\n1,茶,5.5\n3,咖啡,7\n4,水,1\n")
    run("data", "import", str(table), "--name", "货", cwd=shop, says="货@2")
    diff = json.loads(run("data", "diff", "货@1", "货", "--key", "id", "--json", cwd=shop))
    expect("diff", (diff["added"], diff["removed"], diff["changed"], diff["same"]), (1, 1, 1, 1))
    run("data", "diff", "货@1", "货@2", cwd=shop, says="2 added, 2 removed, 0 changed, 1 the same")
    run("data", "export", "货@1", "--out", "out.csv", "--guard-formulas", cwd=shop, says="1 cells got")
    expect("csv", (shop / "out.csv").read_bytes().decode(), "id,名称,price\r\n1,茶,5\r\n2,'=SUM(A1),6\r\n3,咖啡,7\r\n")
    run("data", "import", "out.csv", "--name", "again", cwd=shop)
    run("data", "export", "货", "--out", "out.jsonl", "--fields", "price,id", cwd=shop)
    expect("jsonl", (shop / "out.jsonl").read_text().splitlines()[0], '{"price":5.5,"id":"1"}')
    run("data", "show", "货", "--html", "page.html", "--lang", "zh", cwd=shop, says="page.html")
    page = (shop / "page.html").read_text()
    expect("the page", ("缺失" in page, "<script" in page, "http" in page.replace("http-equiv", "")), (True, False, False))
    run("data", "show", "nosuch", cwd=shop, code=1, says="there is no dataset")
    expect("list", [(d["name"], d["version"], d["records"])
                    for d in json.loads(run("data", "list", "--json", cwd=shop))["datasets"]],
           [("again", 1, 3), ("货", 2, 3)])
    run("data", "rm", "货", cwd=shop, code=2, says="which version")
    run("data", "rm", "货@2", cwd=shop, says="Removed")
    run("data", "import", str(table), "--name", "货", cwd=shop, says="货@3")
    run("data", "rm", "货", "--all", cwd=shop)
    run("data", "show", "货", cwd=shop, code=1, says="there is no dataset")


def png(number):
    """A file whose head is a picture's: what an import looks at."""
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (8).to_bytes(4, "big") + (1 + number).to_bytes(4, "big") + bytes(1000)


def objects(root):
    """Pictures go with the last version that names them, never one that somebody needs."""
    shop, pictures = root / "objects", root / "pictures"
    run("init", str(shop), cwd=root)

    def imported(name, *numbers):
        shutil.rmtree(pictures, ignore_errors=True)
        pictures.mkdir()
        for number in numbers:
            (pictures / f"{number}.png").write_bytes(png(number))
        run("data", "import", str(pictures), "--name", name, "--quiet", cwd=shop)

    def count():
        return len([p for p in (shop / "objects").rglob("*") if p.is_file()])

    def gone(*args):
        freed = json.loads(run("data", "rm", *args, "--json", cwd=shop))["objects"]
        return freed["objects"], freed["bytes"], freed["kept"]
    size = len(png(0))
    imported("p", 0, 1, 2)
    imported("p", 1, 2, 3)
    imported("other", 3, 4)
    expect("stored", count(), 5)
    expect("the first version's own", gone("p@1"), (1, size, 2))
    run("data", "rm", "p@2", cwd=shop, says="and 2 objects, 2.0 KiB, that nothing else refers to")
    expect("what the other names", count(), 2)
    run("studio", "verify", cwd=shop, says="sound")
    run("studio", "backup", str(root / "objects.tar.zst"), cwd=shop)
    imported("p", 3, 5)
    # While somebody imports, nothing is removed but the version.
    child = subprocess.Popen([ATELIER, "data", "import", "-", "--format", "jsonl", "--name", "slow", "--quiet"], cwd=shop,
                             stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    child.stdin.write(b'{"a": 1}\n')
    child.stdin.flush()
    deadline = time.monotonic() + 60
    while not list((shop / "data").glob("slow/.new-*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    run("data", "rm", "p", "--all", cwd=shop, says="Its objects are left: somebody is at work")
    run("studio", "gc", cwd=shop, code=1, says="somebody is at work on the studio's datasets")
    expect("nothing went", count(), 3)
    child.send_signal(signal.SIGKILL)
    child.wait()
    told = json.loads(run("studio", "gc", "--dry-run", "--json", cwd=shop))
    expect("dry", (told["objects"], told["bytes"], told["kept"], count()), (1, size, 2, 3))
    told = json.loads(run("studio", "gc", "--json", cwd=shop))
    expect("collected", (told["objects"], told["bytes"], told["kept"], count()), (1, size, 2, 2))
    run("studio", "gc", cwd=shop, says="Removed 0 objects")
    run("studio", "verify", cwd=shop, says="sound")
    expect("the rest", gone("other", "--all"), (2, 2 * size, 0))
    # A version made of another keeps its pictures; a damaged one is removed, and so much the less is known of what it named.
    imported("a", 6, 7)
    run("data", "split", "a", "--train", "0.5", "--valid", "0", "--test", "0.5", cwd=shop)
    expect("made of it", gone("a@1"), (0, 0, 2))
    shard = next((shop / "data/a/v000002").glob("part-*"))
    shard.write_bytes(shard.read_bytes()[:-1])
    run("studio", "gc", cwd=shop, code=1, says="another size than the manifest says")
    expect("unknown, so kept", count(), 2)
    run("data", "rm", "a@2", cwd=shop, says="Its objects are left")
    run("studio", "gc", cwd=shop, says="Removed 2 objects")
    # The backup was of the studio as it was.
    run("studio", "restore", str(root / "objects.tar.zst"), str(root / "restored"), cwd=root)
    run("studio", "verify", cwd=root / "restored", says="2 objects, 1 versions of datasets")
    run("studio", "gc", cwd=root / "restored", says="Removed 0 objects, 0 B; 2 are kept")


def main():
    root = pathlib.Path(tempfile.mkdtemp())
    try:
        for part in (commands, documents, objects, kills, memory, postgres):
            part(root)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    end("data import: as promised")


main()
