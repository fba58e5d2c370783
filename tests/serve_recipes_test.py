"""What `atelier serve` promises of recipes, generations and feedback, and as an MCP server. Usage: serve_recipes_test.py
ATELIER. Needs the model smollm2 in the user's store, which ./dev test fetches."""
import json
import os
import pathlib
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading

from promises import FAULTS, expect
from serving import Server, studio_with, until

ATELIER = sys.argv[1]
RUN = "/api/recipes/ad_copy/generations"
POT = {"name": "手冲咖啡壶", "category": "咖啡器具", "features": ["304不锈钢", "细口壶嘴", "600毫升"], "price": "128元"}
KETTLE = {"name": "Kettle \"K\" 🫖", "features": ["brushed steel", "holds 1.2 l", "boils in 3 minutes"], "price": "$49",
          "audience": "tea drinkers"}
THIN = {"name": "thin", "features": ["x"]}


def parts(text):
    """[(event, data)] of a stream with named events."""
    out = []
    for block in text.split("\n\n"):
        if block:
            lines = dict(line.split(": ", 1) for line in block.split("\n"))
            out.append((lines.get("event"), json.loads(lines["data"])))
    return out


def outputs(run):
    return [[offer["output"] for offer in [record["chosen"], *record["runners_up"]]] for record in run["records"]
            if record["state"] == "ready"]


def recipes(server):
    listed = server.ask("GET", "/api/recipes")[2]["data"]
    expect("listed", [r["name"] for r in listed], ["ad_copy", "ask_docs", "judge_copy", "product_rows"])
    shown = server.ask("GET", "/api/recipes/ad_copy")[2]
    expect("shown", shown, listed[0])
    expect("its input", shown["input_schema"]["required"], ["name", "features"])
    for name in ["nobody", "..%2fad_copy", "%2fetc", "ad_copy%00", "ad_copy%2f", "%e8%8c%b6", "http%3a%2f%2fx"]:
        expect(f"recipe {name}", server.ask("GET", f"/api/recipes/{name}")[0] in (400, 404))
        expect(f"run {name}", server.ask("POST", f"/api/recipes/{name}/generations", {"record": POT})[0] in (400, 404))
    expect("a query", server.ask("GET", "/api/recipes?limit=1")[2]["error"]["param"], "limit")


def runs(server):
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    ask = {"records": [POT, KETTLE, THIN], "variant": "phrases", "seed": 7}
    status, _, run = server.ask("POST", RUN, ask, headers={"traceparent": trace})
    expect("a run", (status, run["stored"], run["ready"], run["needs_person"]), (200, True, 2, 1))
    expect("states", [r["state"] for r in run["records"]], ["ready", "ready", "needs_person"])
    expect("the reason", "features" in run["records"][2]["reason"])
    for record, row in zip(run["records"][:2], (POT, KETTLE)):
        _, _, made = server.ask("GET", f"/api/generations/{record['chosen']['id']}")
        expect("stored output", made["output"], record["chosen"]["output"])
        expect("stored", (made["status"], made["rank"], made["run"], made["seed"]), ("chosen", 0, run["id"], 7))
        expect("input", (made["input"]["name"], made["input"]["features"]), (row["name"], row["features"]))
        expect("trace", made["traceparent"], trace)
    expect("the same seed", outputs(server.ask("POST", RUN, ask)[2]), outputs(run))
    expect("another", outputs(server.ask("POST", RUN, ask | {"seed": 8})[2]) != outputs(run))
    expect("one record", len(server.ask("POST", RUN, {"record": POT, "variant": "phrases"})[2]["records"]), 1)
    status, headers, text = server.ask("POST", RUN, ask | {"stream": True})
    expect("a stream", (status, headers["Content-Type"]), (200, "text/event-stream"))
    said = parts(text)
    expect("its ends", (said[0][0], said[-1][0]), ("started", "done"))
    expect("streamed like not", outputs(said[-1][1]), outputs(run))
    progress = [data for event, data in said if event == "progress"]
    steps = [data["number"] for data in progress]
    expect("every step but the models' tells of itself", sorted(set(steps)), [1, 3, 4, 6, 7])
    expect("in order", steps, sorted(steps))
    by_record = {}
    for event, data in said:
        if event == "record":
            by_record.setdefault(data["index"], []).append(data["state"])
    expect("each product's way", [s[0] for s in by_record.values()], ["writing", "writing", "needs_person"])
    expect("and its end", [s[-1] for s in by_record.values()], ["ready", "ready", "needs_person"])
    status, _, run = server.ask("POST", RUN, {"record": KETTLE})
    expect("with the model", (status, run["records"][0]["state"]), (200, "ready"))
    expect("counted", run["usage"]["completion_tokens"] > 50)


def large(server):
    """An answer larger than a stream's buffer arrives whole."""
    rows = [POT | {"name": f"手冲咖啡壶{i}号"} for i in range(250)]
    said = parts(server.ask("POST", RUN, {"records": rows, "variant": "phrases", "stream": True})[2])
    expect("the whole of it", (said[-1][0], len(said[-1][1]["records"])), ("done", 250))
    expect("it was large", len(json.dumps(said[-1][1], ensure_ascii=False).encode()) > 256 << 10)


def origins(server):
    """Pages of other sites, and names that somebody points here, get nothing without a key."""
    for headers in [{"Host": "evil.example"}, {"Host": "evil.example:80", "Origin": "http://evil.example:80"},
                    {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Host": "127.0.0.1.evil.example"}]:
        for method, path in [("GET", "/"), ("GET", "/v1/models"), ("POST", RUN)]:
            status, _, said = server.ask(method, path, {} if method == "POST" else None, headers=headers)
            expect(f"{method} {path} {headers}", (status, said["error"]["code"]), (403, "foreign_origin"))
    for headers in [{"Host": f"localhost:{server.port}", "Origin": f"http://localhost:{server.port}"}, {"Host": "[::1]:80"}]:
        expect(f"{headers}", server.ask("GET", "/v1/models", headers=headers)[0], 200)


def refusals(server):
    deep = {"name": {"a": 1}, "features": ["x"]}
    for body, param in [({}, "records"), ({"record": POT, "records": [POT]}, "record"), ({"records": []}, "records"),
                        ({"records": [POT] * 501}, "records"), ({"records": [POT, {"nme": "x"}]}, "records[1].nme"),
                        ({"record": [1]}, "record"), ({"records": [POT, deep]}, "records[1]"),
                        ({"record": POT, "variant": "nobody"}, "variant"), ({"record": POT, "seed": -1}, "seed"),
                        ({"record": POT, "stream": "yes"}, "stream"), ({"record": POT, "model": "x"}, "model")]:
        status, _, said = server.ask("POST", RUN, body)
        expect(f"refused {str(body)[:60]}", (status, said["error"]["param"]), (400, param))
        expect(f"no path in it: {said}", "/recipes" not in json.dumps(said) and ".toml" not in json.dumps(said))
    odd = [{}, {"name": "😀" * 500, "features": ["a" * 9000, "b"]}, {"name": 5, "features": "a;b;c"},
           {"name": "\u0000\u202e", "features": None}, {"name": "x", "features": ["y"] * 300}, {"lang": "klingon"}]
    status, _, run = server.ask("POST", RUN, {"records": odd, "variant": "phrases"})
    expect("odd rows need a person", (status, run["needs_person"] >= 5), (200, True))
    for id in ["x", "..%2f..%2fstudio.db", "%27%20or%201%3d1", "0" * 5000]:
        expect(f"generation {id[:20]}", server.ask("GET", f"/api/generations/{id}")[0], 404)


def feedback(server):
    id = server.ask("POST", RUN, {"record": POT, "variant": "phrases"})[2]["records"][0]["chosen"]["id"]

    def say(**fields):
        status, _, said = server.ask("POST", "/api/feedback", {"generation": id} | fields)
        return status, said
    for fields in [{"kind": "impression"}, {"kind": "click"}, {"kind": "conversion", "value": 12.5},
                   {"kind": "rating", "value": 4, "text": "不错 👍"}, {"kind": "flag"}, {"kind": "comment", "text": "改一下"},
                   {"kind": "edit", "output": {"headline": "新标题", "tags": ["a", "b"]}}]:
        expect(f"feedback {fields['kind']}", say(**fields)[0], 201)
    kept = server.ask("GET", f"/api/generations/{id}")[2]["feedback"]
    expect("kept", [f["kind"] for f in kept], ["impression", "click", "conversion", "rating", "flag", "comment", "edit"])
    expect("as it was said", (kept[3]["value"], kept[3]["text"], kept[6]["output"]),
           (4, "不错 👍", {"headline": "新标题", "tags": ["a", "b"]}))
    first, again = say(kind="rating", value=1, idempotency_key="k"), say(kind="rating", value=1, idempotency_key="k")
    expect("twice", (first[0], again[0], first[1]["id"] == again[1]["id"]), (201, 200, True))
    expect("a key for something else", say(kind="rating", value=2, idempotency_key="k")[0], 409)
    expect("nothing there", server.ask("POST", "/api/feedback", {"generation": "x", "kind": "click"})[0], 404)
    for fields, param in [({"kind": "smell"}, "kind"), ({"kind": "rating"}, "value"), ({"kind": "rating", "value": 9}, "value"),
                          ({"kind": "click", "value": 1}, "value"), ({"kind": "comment"}, "text"), ({"kind": "edit"}, "output"),
                          ({"kind": "edit", "output": {"headline": 3}}, "output.headline"),
                          ({"kind": "comment", "text": "x" * 70000}, "text")]:
        status, said = say(**fields)
        expect(f"refused {str(fields)[:50]}", (status, said["error"]["param"]), (400, param))


def vanishing(server):
    """A client that goes in the middle of a run takes the run with it."""
    body = json.dumps({"records": [KETTLE | {"name": f"Kettle {i}"} for i in range(40)], "stream": True}).encode()
    one = socket.create_connection(("127.0.0.1", server.port))
    one.sendall(b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (RUN.encode(), len(body)) + body)
    until("it runs", lambda: server.metric("model_running") > 0)
    one.close()
    until("it is gone", lambda: server.metric("recipe_runs_running") == 0)
    expect("and its requests", server.metric("model_running") + server.metric("model_waiting"), 0)


def send(server, records, key):
    """A connection on which a run was asked for and nothing read."""
    body = json.dumps({"records": [KETTLE | {"name": f"Kettle {i}"} for i in range(records)], "stream": True}).encode()
    one = socket.create_connection(("127.0.0.1", server.port))
    one.sendall(b"POST %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n"
                % (RUN.encode(), key.encode(), len(body)) + body)
    return one


def abandoned(atelier):
    """Who leaves while their run waits gets its place and what it reserved of the key's day back at once."""
    studio = studio_with(atelier, "smollm2")
    with open(f"{studio}/studio.toml", "a") as file:
        file.write("[serve]\nrecipe_runs = 1\nrecipe_queue = 2\n")
    keys = [json.loads(subprocess.run([atelier, "key", "create", name, "--scope", "recipes", "--scope", "metrics", "--tokens-per-day", tokens,
                                       "--studio", studio, "--json"], capture_output=True, check=True).stdout)["key"]
            for name, tokens in (("first", "100000"), ("second", "6000"))]
    server = Server(atelier, studio, "--require-keys")
    running = send(server, 40, keys[0])
    until("it runs", lambda: server.metric("recipe_runs_running", keys[0]) == 1)
    for _ in range(3):  # 5,000 tokens each
        waiting = send(server, 10, keys[1])
        until("it waits", lambda: server.metric("recipe_runs_waiting", keys[0]) == 1)
        waiting.close()
        until("its place is free", lambda: server.metric("recipe_runs_waiting", keys[0]) == 0)
    expect("the other run goes on", server.metric("recipe_runs_running", keys[0]), 1)
    running.close()
    expect("exit", server.stop(), 0)


def locked(server, studio):
    """Another process holds the database: what is made still comes, said to be unstored, and is stored later; feedback
    is refused rather than lost; models go on."""
    other = sqlite3.connect(f"{studio}/studio.db", isolation_level=None)
    seen = server.ask("POST", RUN, {"record": POT, "variant": "phrases"})[2]["records"][0]["chosen"]["id"]
    other.execute("BEGIN IMMEDIATE")
    got = {}

    def say(key):
        got[key] = server.ask("POST", "/api/feedback", {"generation": seen, "kind": "rating", "value": 5,
                                                        "idempotency_key": key})
    threads = [threading.Thread(target=say, args=(f"locked {i}",)) for i in range(16)]
    for thread in threads:
        thread.start()
    until("they wait", lambda: server.metric("ledger_waiting") >= 16)
    expect("and hold up nobody", len(got), 0)
    status, _, run = server.ask("POST", RUN, {"record": POT, "variant": "phrases"})
    expect("made while locked", (status, run["stored"], run["ready"]), (200, False, 1))
    made = run["records"][0]["chosen"]["id"]
    expect("not there yet", server.ask("GET", f"/api/generations/{made}")[0], 404)
    expect("readers do not wait", server.ask("GET", f"/api/generations/{seen}")[0], 200)
    expect("models go on", server.ask("POST", "/v1/completions", {"model": "smollm2", "prompt": "One", "max_tokens": 2})[0], 200)
    for thread in threads:
        thread.join()
    expect("all were told", [answer[0] for answer in got.values()], [503] * 16)
    status, headers, said = got["locked 3"]
    expect("feedback while locked", (status, "Retry-After" in headers, said["error"]["code"]), (503, True, "unavailable"))
    expect("what waits shows", server.metric("ledger_waiting") > 0)
    other.execute("ROLLBACK")
    until("stored in the end", lambda: server.ask("GET", f"/api/generations/{made}")[0] == 200)
    again = server.ask("POST", "/api/feedback", {"generation": seen, "kind": "rating", "value": 5, "idempotency_key": "locked 3"})
    expect("what was refused was not kept", again[0], 201)
    expect("nothing waits", server.metric("ledger_waiting"), 0)


def full(atelier):
    """A disk that is full, until somebody frees it: the same as with a held database. Needs the right to mount."""
    disk = pathlib.Path(tempfile.mkdtemp())
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], capture_output=True).returncode != 0:
        print("SKIPPED: a full disk, without the right to mount one")
        return
    try:
        server = Server(atelier, studio_with(atelier, "smollm2", folder=disk))
        seen = server.ask("POST", RUN, {"record": POT, "variant": "phrases"})[2]["records"][0]["chosen"]["id"]
        fill = open(disk / "fill", "wb", buffering=0)
        try:
            while True:
                fill.write(b"x" * 4096)
        except OSError:
            pass
        made, refused = [], None
        for seed in range(2, 60):  # the log still has some room in its last pages
            run = server.ask("POST", RUN, {"record": POT, "variant": "phrases", "seed": seed})[2]
            made.append(run["records"][0]["chosen"]["id"])
            if not run["stored"]:
                refused = server.ask("POST", "/api/feedback", {"generation": seen, "kind": "comment", "text": "x" * 60000})
                break
        expect("made on a full disk", (refused is not None, refused and refused[0]), (True, 503))
        expect("models go on", server.ask("POST", "/v1/completions", {"model": "smollm2", "prompt": "One", "max_tokens": 2})[0], 200)
        expect("what was stored is there", server.ask("GET", f"/api/generations/{seen}")[0], 200)
        fill.close()
        os.remove(disk / "fill")
        for id in made:
            until("stored once there is room", lambda: server.ask("GET", f"/api/generations/{id}")[0] == 200)
        expect("nothing waits", server.metric("ledger_waiting"), 0)
        expect("exit", server.stop(), 0)
        integrity = sqlite3.connect(disk / "studio/studio.db").execute("PRAGMA integrity_check").fetchone()
        expect("the database is sound", integrity, ("ok",))
    finally:
        subprocess.run(["umount", "-l", disk], check=False)


def asking(server, studio):
    """A recipe that searches the studio's indexes; one that was made or changed while the server runs is seen."""
    run = "/api/recipes/ask_docs/generations"
    record = {"question": "手冲壶的保修期是多久？"}
    expect("no index yet", server.ask("POST", run, {"record": record})[0], 404)
    manual = pathlib.Path(studio).parent / "manual.md"
    manual.write_text("# 手冲壶说明书\n\n## 保修\n\n手冲壶的保修期是两年，从购买之日算起。\n\n## 清洗\n\n壶身不能放进洗碗机。\n",
                      encoding="utf-8")
    subprocess.run([ATELIER, "index", "add", "debian", manual, "--base", manual.parent, "--model", "e5-small", "--studio", studio,
                    "--quiet"], check=True, stdout=subprocess.DEVNULL)
    status, _, said = server.ask("POST", run, {"record": record})
    expect("asked", (status, said["ready"] + said["needs_person"]), (200, 1))
    output = said["records"][0]["chosen"]["output"] if said["ready"] else said
    expect("answered from the passage", "两年" in str(output), True)
    again = [server.ask("POST", run, {"record": {"question": question}})[0] for question in ("洗碗机可以吗？", "🫖", "x" * 399)]
    expect("others", again, [200, 200, 200])
    # /v1/embeddings uses the weights that the search has loaded.
    expect("embedded", server.ask("POST", "/v1/embeddings", {"model": "e5-small", "input": "x"})[0], 200)
    maps = pathlib.Path(f"/proc/{server.process.pid}/maps").read_text()
    expect("maps of the embedder's file", maps.count("e5-small.gguf"), 1)


def mcp(server):
    def ask(message, **headers):
        return server.ask("POST", "/mcp", message, headers=headers)

    def call(id, method, params=None, **headers):
        return ask({"jsonrpc": "2.0", "id": id, "method": method} | ({"params": params} if params is not None else {}), **headers)
    began = call(1, "initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}})
    expect("initialize", (began[2]["id"], began[2]["result"]["protocolVersion"]), (1, "2025-06-18"))
    expect("a version of the future", call(1, "initialize", {"protocolVersion": "2999-01-01"})[2]["result"]["protocolVersion"],
           "2025-11-25")
    expect("initialized", ask({"jsonrpc": "2.0", "method": "notifications/initialized"})[0], 202)
    expect("ping", call("p", "ping")[2], {"jsonrpc": "2.0", "id": "p", "result": {}})
    tools = call(2, "tools/list")[2]["result"]["tools"]
    expect("tools", [t["name"] for t in tools], ["ad_copy", "ask_docs", "judge_copy", "product_rows"])
    expect("a judge's numbers", tools[2]["outputSchema"]["properties"]["output"]["properties"]["clear"], {"type": "number"})
    said = call(3, "tools/call", {"name": "ad_copy", "arguments": THIN})[2]["result"]
    expect("needs a person", (said["isError"], said["structuredContent"]["state"]), (False, "needs_person"))
    status, headers, text = call(4, "tools/call", {"name": "ad_copy", "arguments": KETTLE, "_meta": {"progressToken": "t"}},
                                 Accept="application/json, text/event-stream")
    expect("streamed", (status, headers["Content-Type"]), (200, "text/event-stream"))
    messages = [json.loads(data) for data in (line.split("data: ", 1)[1] for line in text.split("\n\n") if line)]
    expect("progress", all(m["method"] == "notifications/progress" for m in messages[:-1]) and len(messages) > 5)
    steps = [m["params"]["progress"] for m in messages[:-1]]
    expect("it grows", steps, sorted(set(steps)))
    made = messages[-1]["result"]["structuredContent"]
    expect("the tool's answer", (messages[-1]["id"], made["state"]), (4, "ready"))
    expect("stored", server.ask("GET", f"/api/generations/{made['generation']}")[2]["output"], made["output"])
    bad = call(5, "tools/call", {"name": "ad_copy", "arguments": {"nme": "x"}})[2]["result"]
    expect("a wrong argument", (bad["isError"], "nme" in bad["content"][0]["text"]), (True, True))
    for params, code in [({"name": "nobody"}, -32602), ({"name": "../ad_copy"}, -32602), ({}, -32602), ([], -32602)]:
        expect(f"call {params}", call(6, "tools/call", params)[2]["error"]["code"], code)
    expect("no method", call(7, "resources/list")[2]["error"]["code"], -32601)
    for body, code in [(b"{", -32700), (b"[]", -32600), (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600),
                       ({"jsonrpc": "2.0", "id": None, "method": "ping"}, -32600), ({"jsonrpc": "2.0", "id": 1}, -32600)]:
        status, _, said = ask(body)
        expect(f"message {str(body)[:40]}", (status, said["error"]["code"]), (400, code))
    expect("an old version", call(9, "ping", **{"MCP-Protocol-Version": "2024-11-05"})[0], 400)
    expect("GET", server.ask("GET", "/mcp")[0], 405)


def main():
    studio = studio_with(ATELIER, "smollm2", "e5-small")
    server = Server(ATELIER, studio)
    asking(server, studio)
    for part in (recipes, runs, large, origins, refusals, feedback, mcp, vanishing):
        part(server)
    locked(server, studio)
    expect("exit", server.stop(), 0)
    full(ATELIER)
    abandoned(ATELIER)
    if FAULTS:
        sys.exit("\n".join(FAULTS))


if __name__ == "__main__":
    main()
