"""/v1/embeddings of `atelier serve` over real sockets. Usage: serve_embeddings_test.py ATELIER. Needs the models e5-small
and smollm2 in the user's store, which ./dev test fetches."""
import base64
import json
import math
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading

from promises import FAULTS, expect
from serving import Server, register, studio_with, until, weights

ATELIER = sys.argv[1]
MODEL = "e5-small"
PATH = "/v1/embeddings"


def embed(server, input, key=None, **fields):
    return server.ask("POST", PATH, {"model": MODEL, "input": input, **fields}, key)


def dot(a, b):
    return sum(x * y for x, y in zip(a, b))


def vectors(reply):
    return [item["embedding"] for item in reply["data"]]


def answers(server):
    texts = ["手冲咖啡壶", "a kettle to brew coffee by hand", "the stock market fell"]
    status, _, reply = embed(server, texts)
    expect("status", status, 200)
    expect("shape", (reply["object"], reply["model"], [d["index"] for d in reply["data"]]), ("list", MODEL, [0, 1, 2]))
    expect("sizes", {len(v) for v in vectors(reply)}, {384})
    expect("lengths", all(abs(math.sqrt(dot(v, v)) - 1) < 1e-4 for v in vectors(reply)))
    kettle, english, stocks = vectors(reply)
    expect("near across languages", dot(kettle, english) > dot(kettle, stocks) + 0.03)
    expect("usage", reply["usage"], {"prompt_tokens": reply["usage"]["total_tokens"],
                                     "total_tokens": reply["usage"]["total_tokens"]})
    told = subprocess.run([ATELIER, "embed", "-m", str(weights(MODEL)), "--json", *texts], check=True,
                          stdout=subprocess.PIPE)
    told = json.loads(told.stdout)
    expect("the command's vectors", told["embeddings"], vectors(reply))
    expect("usage is exact", reply["usage"]["total_tokens"], sum(told["tokens"]))
    packed = embed(server, texts, encoding_format="base64")[2]
    for floats, text in zip(vectors(reply), vectors(packed)):
        expect("base64", list(struct.unpack("<384f", base64.b64decode(text))),
               [struct.unpack("<f", struct.pack("<f", x))[0] for x in floats])
    one = embed(server, texts[0], dimensions=384, user="somebody", encoding_format=None)[2]
    expect("a single text, whatever stood beside it", vectors(one), [kettle])
    query = embed(server, texts[0], input_type="query")[2]
    expect("a query is another vector", vectors(query)[0] != kettle)
    passage = embed(server, texts[0], input_type="passage")[2]
    expect("passage is the default", vectors(passage)[0], kettle)
    expect("nothing was cut", "truncated" not in reply["data"][0])
    long = embed(server, ["很长的文字。" * 400, "short"])[2]
    expect("what was cut says so", [d.get("truncated") for d in long["data"]], [True, None])
    expect("usage of what was read", 512 < long["usage"]["total_tokens"] < 520)
    expect("it is in the list", MODEL in [m["id"] for m in server.ask("GET", "/v1/models")[2]["data"]])
    status, _, reply = embed(server, [f"text {i}" for i in range(2048)], encoding_format="base64")
    expect("as many as may be", (status, len(reply["data"])), (200, 2048))


def refusals(server):
    def refused(what, body, param, status=400):
        got, _, reply = server.ask("POST", PATH, body)
        expect(what, (got, reply["error"]["param"] if isinstance(reply, dict) else reply), (status, param))
        return reply["error"]["message"]
    ask = {"model": MODEL, "input": "x"}
    refused("unknown field", ask | {"inputs": 1}, "inputs")
    refused("no input", {"model": MODEL}, "input")
    refused("null input", ask | {"input": None}, "input")
    refused("no model", {"input": "x"}, "model")
    refused("another model", ask | {"model": "nobody"}, "model", 404)
    refused("empty text", ask | {"input": ""}, "input")
    refused("one empty text", ask | {"input": ["a", ""]}, "input[1]")
    refused("no texts", ask | {"input": []}, "input")
    refused("too many", ask | {"input": ["a"] * 2049}, "input")
    refused("a long text", ask | {"input": "a" * (1 << 20) + "b"}, "input")
    expect("tokens", "token" in refused("token ids", ask | {"input": [1, 2, 3]}, "input"))
    expect("tokens", "token" in refused("lists of token ids", ask | {"input": [[1], [2]]}, "input"))
    refused("an object", ask | {"input": {"a": 1}}, "input")
    refused("mixed", ask | {"input": ["a", None]}, "input[1]")
    expect("dimensions", "384" in refused("dimensions", ask | {"dimensions": 256}, "dimensions"))
    refused("a format", ask | {"encoding_format": "int8"}, "encoding_format")
    refused("a role", ask | {"input_type": "document"}, "input_type")
    expect("a writer", "/v1/chat/completions" in refused("a writer", ask | {"model": "smollm2"}, "model"))
    for path, body in (("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}]}),
                       ("/v1/completions", {"prompt": "x"})):
        status, _, reply = server.ask("POST", path, {"model": MODEL, **body})
        expect(f"an encoder at {path}", (status, reply["error"]["param"]), (400, "model"))
        expect("it says where to go", PATH in reply["error"]["message"])
    schema = server.ask("GET", "/openapi.json")[2]["paths"][PATH]["post"]
    expect("the schema", sorted(schema["requestBody"]["content"]["application/json"]["schema"]["properties"]),
           ["dimensions", "encoding_format", "input", "input_type", "model", "user"])


def metric(server, name):
    found = re.search(rf'^atelier_embedding_{name}{{model="{MODEL}"}} (\d+)$', server.ask("GET", "/metrics")[2], re.M)
    return int(found.group(1)) if found else 0


LONG = "这是一段很长的文字，要读很久。" * 200  # cut at 512 tokens


def many_clients(server):
    """Texts of many requests go in common rounds, and a small one does not wait for a large one."""
    rounds, texts = metric(server, "rounds_total"), metric(server, "texts_total")
    wanted = [vectors(embed(server, f"文字 {i}")[2])[0] for i in range(24)]
    large = threading.Thread(target=lambda: embed(server, [LONG] * 60, encoding_format="base64"))
    large.start()
    until("the large one runs", lambda: metric(server, "waiting") > 0)
    got = {}

    def ask(i):
        got[i] = vectors(embed(server, f"文字 {i}")[2])[0]
    threads = [threading.Thread(target=ask, args=(i,)) for i in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect("the large one still runs", large.is_alive())
    expect("the same vectors", [got[i] for i in range(24)], wanted)
    large.join()
    expect("texts", metric(server, "texts_total") - texts, 24 + 60 + 24)
    expect("common rounds", metric(server, "rounds_total") - rounds < 24 + 60)


def gone(server):
    """A client that hangs up frees its place."""
    body = json.dumps({"model": MODEL, "input": [LONG] * 300}).encode()
    before = metric(server, "texts_total")
    client = socket.create_connection(("127.0.0.1", server.port))
    client.sendall(b"POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    until("it runs", lambda: metric(server, "texts_total") > before)
    client.close()
    until("its place is free", lambda: metric(server, "waiting") == 0, 10)
    expect("most of it was never computed", metric(server, "texts_total") - before < 200)


def full_queue(server, studio):
    """One request more than may wait is refused at once."""
    def post():
        try:
            statuses.append(embed(server, [LONG] * 30)[0])
        except OSError:
            statuses.append(0)
    statuses = []
    threads = [threading.Thread(target=post) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect("some wait, some are refused", set(statuses), {200, 429})
    expect("as many as may wait", statuses.count(200) >= 4)


def keys(studio):
    def key(name, *options):
        made = subprocess.run([ATELIER, "key", "create", name, "--studio", studio, "--json", *options], check=True,
                              stdout=subprocess.PIPE)
        return json.loads(made.stdout)["key"]
    may, may_not = key("may", "--scope", "generate", "--tokens-per-day", "40"), key("not", "--scope", "feedback")
    server = Server(ATELIER, studio, "--require-keys")
    expect("no key", embed(server, "x")[0], 401)
    expect("another scope", embed(server, "x", key=may_not)[0], 403)
    status, _, reply = embed(server, "hello", key=may)
    expect("a key", status, 200)
    used = reply["usage"]["total_tokens"]
    expect("beyond its tokens", embed(server, ["hello"] * (40 // used), key=may)[0], 429)
    expect("a refusal costs nothing", embed(server, ["hello"] * (40 // used - 1), key=may)[0], 200)
    stop(server)


def stop(server):
    server.process.send_signal(signal.SIGTERM)
    expect("it stops", server.process.wait(60), 0)


def main():
    studio = studio_with(ATELIER, MODEL, "smollm2")
    server = Server(ATELIER, studio)
    answers(server)
    refusals(server)
    many_clients(server)
    gone(server)
    stop(server)
    with open(os.path.join(studio, "studio.toml"), "a", encoding="utf-8") as file:
        file.write("\n[serve]\nmodel_queue = 4\n")
    server = Server(ATELIER, studio)
    embed(server, "load it")
    full_queue(server, studio)
    # A model that the studio lets go of is gone; what comes back is served again.
    subprocess.run([ATELIER, "model", "rm", MODEL, "--studio", studio], check=True, stdout=subprocess.DEVNULL)
    server.process.send_signal(signal.SIGHUP)
    until("the model is gone", lambda: embed(server, "x")[0] == 404)
    register(ATELIER, studio, weights(MODEL), MODEL)
    server.process.send_signal(signal.SIGHUP)
    until("the model is back", lambda: embed(server, "x")[0] == 200)
    stop(server)
    keys(studio)
    for fault in FAULTS:
        print(fault)
    print(f"{len(FAULTS)} faults")
    sys.exit(1 if FAULTS else 0)


if __name__ == "__main__":
    main()
