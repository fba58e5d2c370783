"""What `atelier serve` promises to clients, over real sockets. Usage: serve_test.py ATELIER. Needs the model smollm2 in
the user's store, which ./dev test fetches."""
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time

from promises import FAULTS, expect
from serving import Server, events, studio_with, until

ATELIER = sys.argv[1]
MODEL = "smollm2"


def answers(server):
    expect("health", server.ask("GET", "/healthz")[2], "ok\n")
    expect("models", [m["id"] for m in server.ask("GET", "/v1/models")[2]["data"]], ["gemma3-270m", MODEL])
    status, _, whole = server.chat(n=2, logprobs=True, top_logprobs=3)
    expect("status", status, 200)
    expect("choices", [c["index"] for c in whole["choices"]], [0, 1])
    tokens = [c["logprobs"]["content"] for c in whole["choices"]]
    expect("usage", whole["usage"]["completion_tokens"], sum(map(len, tokens)))
    for choice, said in zip(whole["choices"], tokens):
        text = b"".join(bytes(t["bytes"]) for t in said).decode(errors="replace")
        expect("the tokens are the text", text.startswith(choice["message"]["content"]))
        expect("tops", all(len(t["top_logprobs"]) == 3 for t in said))
    status, headers, text = server.chat(n=2, stream=True, stream_options={"include_usage": True}, logprobs=True,
                                        top_logprobs=3)
    expect("stream", (status, headers["Content-Type"]), (200, "text/event-stream"))
    chunks = events(text)
    expect("the stream's end", chunks.pop(), "[DONE]")
    chunks = [json.loads(chunk) for chunk in chunks]
    expect("usage in the stream", chunks[-1]["usage"]["total_tokens"], whole["usage"]["total_tokens"])
    for index in range(2):
        mine = [c["choices"][0] for c in chunks if c["choices"] and c["choices"][0]["index"] == index]
        expect("streamed text", "".join(c["delta"].get("content", "") for c in mine),
               whole["choices"][index]["message"]["content"])
        expect("finish", mine[-1]["finish_reason"], whole["choices"][index]["finish_reason"])
        expect("streamed logprobs", [t for c in mine for t in (c["logprobs"] or {"content": []})["content"]],
               tokens[index])
    status, _, text = server.ask("POST", "/v1/completions", {"model": MODEL, "prompt": ["One, two,", "Red, green,"],
                                                           "max_tokens": 6, "temperature": 0, "echo": True})
    expect("prompts", [c["text"].split(",")[0] for c in text["choices"]], ["One", "Red"])
    expect("length", [c["finish_reason"] for c in text["choices"]], ["length", "length"])
    # Stop texts and characters of several tokens hold tokens back: they come later, and none is lost.
    ask = {"model": MODEL, "prompt": "The emoji 😀🎈 and 你好,", "max_tokens": 40, "temperature": 1.2, "logprobs": 2, "n": 3,
           "seed": 8}
    free = server.ask("POST", "/v1/completions", ask)[2]["choices"][0]["text"]
    for stop in ([], [free[len(free) // 2:][:4]]):
        whole = server.ask("POST", "/v1/completions", ask | {"stop": stop})[2]
        chunks = [json.loads(e) for e in events(server.ask("POST", "/v1/completions",
                                                           ask | {"stop": stop, "stream": True})[2])[:-1]]
        for choice in whole["choices"]:
            mine = [c["choices"][0] for c in chunks if c["choices"][0]["index"] == choice["index"]]
            expect("streamed text", "".join(c["text"] for c in mine), choice["text"])
            for field, value in choice["logprobs"].items():
                expect(f"streamed {field}", [v for c in mine if c["logprobs"] for v in c["logprobs"][field]], value)
    unasked = events(server.chat(stream=True, max_tokens=2)[2])
    expect("unasked", {json.dumps(json.loads(e)["choices"][0]["logprobs"]) for e in unasked[:-1]}, {"null"})
    expect("it stops", whole["choices"][0]["finish_reason"], "stop")


def structured(server):
    schema = {"type": "object", "required": ["name", "tags"], "additionalProperties": False, "properties": {
        "name": {"enum": ["茶", "kettle"]}, "tags": {"type": "array", "items": {"type": "integer", "minimum": 10},
                                                     "minItems": 1, "maxItems": 3}}}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema, "strict": True}}
    status, _, said = server.chat(response_format=form, n=8, temperature=1.5, max_tokens=200)
    expect("structured", status, 200)
    for choice in said["choices"]:
        if choice["finish_reason"] == "length":
            continue
        value = json.loads(choice["message"]["content"])
        expect("fields", sorted(value), ["name", "tags"])
        expect("name", value["name"] in ("茶", "kettle"))
        expect("tags", 1 <= len(value["tags"]) <= 3 and all(type(t) is int and t >= 10 for t in value["tags"]))
    status, _, said = server.chat(response_format={"type": "json_object"}, max_tokens=400, temperature=0.5)
    if said["choices"][0]["finish_reason"] == "stop":
        expect("an object", type(json.loads(said["choices"][0]["message"]["content"])), dict)
    for bad, says in [({"not": {}}, "/not"), ({"$ref": "#"}, "contains itself"), ({"type": "string", "pattern": "(" * 60000}, "pattern"),
                      ({"type": "object", "properties": {"a": {"contains": 1}}}, "/properties/a/contains")]:
        form["json_schema"]["schema"] = bad
        status, _, said = server.chat(response_format=form)
        expect(f"schema {str(bad)[:40]}", (status, says in said["error"]["message"]), (400, True))
    for _ in range(3):
        answer = server.chat(response_format={"type": "regex", "regex": "(红|green 🎈)-[0-9]{3}"}, n=4, seed=None)[2]
        expect("regex", all(re.fullmatch("(红|green 🎈)-[0-9]{3}", c["message"]["content"]) for c in answer["choices"]))
        answer = server.chat(response_format={"type": "choice", "choices": ["红\n", "greener", "green"]}, n=4)[2]
        expect("choice", {c["message"]["content"] for c in answer["choices"]} <= {"红\n", "greener", "green"})
    for form_, param in [({"type": "regex"}, "response_format.regex"), ({"type": "choice"}, "response_format.choices"),
                         ({"type": "choice", "choices": "x"}, "response_format.choices"),
                         ({"type": "choice", "choices": [1]}, "response_format.choices"),
                         ({"type": "regex", "regex": "a", "choices": ["a"]}, "response_format.choices"),
                         ({"type": "regex", "regex": "(?=a)"}, None)]:
        status, _, said = server.chat(response_format=form_)
        expect(f"{form_}", (status, said["error"]["param"]), (400, param))
    nested = {}
    for _ in range(150):
        nested = {"type": "array", "items": nested, "minItems": 1}
    form["json_schema"]["schema"] = nested
    expect("nested", server.chat(response_format=form)[0], 400)


def refusals(server):
    for field, value, param in [("tools", [], "tools"), ("n", 0, "n"), ("temperature", "hot", "temperature"),
                                ("messages", [], "messages"), ("messages", [{"role": "cat", "content": ""}],
                                                               "messages[0].role"),
                                ("logit_bias", {"-1": 1}, "logit_bias"), ("stream_options", {}, "stream_options"),
                                ("response_format", {"type": "xml"}, "response_format.type"),
                                ("stop", [""], "stop"), ("max_tokens", 2 ** 70, "max_tokens"),
                                ("temprature", 1, "temprature")]:
        status, _, said = server.chat(**{field: value})
        expect(f"{field}={value!r}", (status, said["error"]["param"]), (400, param))
    for name in ["nobody", "../smollm2", "/etc/passwd", "http://127.0.0.1/x", "smollm2.gguf", ""]:
        status, _, said = server.chat(model=name)
        expect(f"model {name!r}", (status, said["error"]["code"]), (404, "model_not_found"))
    for body in [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 3000, b'{"model":1}', b"\x00"]:
        status, _, said = server.ask("POST", "/v1/chat/completions", body)
        expect(f"body {body[:9]!r}", status, 400)
    status, _, said = server.chat(messages=[{"role": "user", "content": "long " * 20000}])
    expect("a prompt longer than the context", (status, "context" in said["error"]["message"]), (400, True))
    status, _, said = server.chat(model="gemma3-270m")
    expect("a model that only continues", (status, "/v1/completions" in said["error"]["message"]), (400, True))
    status, _, said = server.ask("POST", "/v1/completions", {"model": MODEL, "prompt": "x" * 4000, "n": 64, "echo": True,
                                                              "stream": True, "max_tokens": 1})
    expect("too much to echo", (status, said["error"]["param"]), (400, "echo"))
    expect("no such path", server.ask("GET", "/v1/nothing")[0], 404)
    status, headers, _ = server.ask("DELETE", "/v1/models")
    expect("no such method", (status, headers["Allow"]), (405, "GET, HEAD, OPTIONS"))


def vanishing_clients(server):
    """Clients that go while they wait, and while they are written to, free the model within a second or so."""
    body = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": "A long story."}], "stream": True,
                       "max_tokens": 4000, "logit_bias": {"2": -100}}).encode()
    sockets = []
    for _ in range(100):
        one = socket.create_connection(("127.0.0.1", server.port))
        one.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        sockets.append(one)
    sockets[0].recv(100)
    time.sleep(0.5)
    busy = server.metric("model_running") + server.metric("model_waiting")
    expect("they are there", busy > 50)
    for one in sockets:
        one.close()
    until("they are gone", lambda: server.metric("model_running") + server.metric("model_waiting") == 0)


def secrets(server):
    """Many at once with the same beginning: each answer is that of the same question alone."""
    def question(i):
        return [{"role": "user", "content": f"The secret of reader {i} is {i * 7919 % 10007}. Repeat the secret."}]
    alone = {i: server.chat(messages=question(i), temperature=0)[2]["choices"][0]["message"]["content"] for i in range(4)}
    together = {}

    def one(i):
        together[i] = server.chat(messages=question(i), temperature=0)[2]["choices"][0]["message"]["content"]
    threads = [threading.Thread(target=one, args=(i,)) for i in range(24)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    for i, text in alone.items():
        expect(f"answer {i}", together[i], text)


def keys(studio):
    def key(*args):
        return json.loads(subprocess.run([ATELIER, "key", *args, "--studio", studio, "--json"], check=True,
                                         capture_output=True, text=True).stdout)
    made = key("create", "page", "--scope", "generate")
    server = Server(ATELIER, studio, "--require-keys")
    routes = server.ask("GET", "/openapi.json")[2]["paths"]
    open_routes = set()
    for path, methods in routes.items():
        for method in methods:
            status = server.ask(method.upper(), path.replace("{model}", "x"), b"{}" if method == "post" else None)[0]
            if status != 401:
                open_routes.add(path)
    expect("open without a key", open_routes, {"/healthz", "/readyz", "/openapi.json"})
    expect("with a key", server.chat(key=made["key"])[0], 200)
    expect("without its scope", server.ask("GET", "/metrics", key=made["key"])[0], 403)
    expect("a wrong key", server.chat(key=made["key"][:-1] + "x")[0], 401)
    later = key("create", "later", "--scope", "generate", "--requests-per-minute", "2")["key"]
    expect("before SIGHUP", server.chat(key=later)[0], 401)
    server.process.send_signal(signal.SIGHUP)
    for _ in range(100):
        status = server.ask("GET", "/v1/models", key=later)[0]
        if status == 200:
            break
        time.sleep(0.05)
    codes = [server.chat(key=later, max_tokens=1)[0] for _ in range(3)]
    expect("two a minute", codes, [200, 200, 429])
    key("revoke", made["info"]["id"])
    server.process.send_signal(signal.SIGHUP)
    for _ in range(100):
        if server.chat(key=made["key"], max_tokens=1)[0] == 401:
            break
        time.sleep(0.05)
    else:
        FAULTS.append("a revoked key still works")
    expect("stopped", server.stop(), 0)


def draining(studio):
    """SIGTERM: the running answer is written to its end, new ones are refused, the program ends with 0."""
    server = Server(ATELIER, studio, "--drain", "120")  # a slow machine may need more than the 30 s
    got = {}

    def slow():
        got["status"], _, got["text"] = server.chat(stream=True, max_tokens=100, logit_bias={"2": -100},
                                                    stream_options={"include_usage": True})
    thread = threading.Thread(target=slow)
    thread.start()
    while server.metric("model_output_tokens_total") < 5:
        time.sleep(0.02)
    expect("drained", server.stop(), 0)
    thread.join()
    expect("whole", events(got["text"])[-1], "[DONE]")
    expect("all of it", json.loads(events(got["text"])[-2])["usage"]["completion_tokens"], 100)


def main():
    studio = studio_with(ATELIER, MODEL, "gemma3-270m")
    server = Server(ATELIER, studio)
    for part in (answers, structured, refusals, secrets, vanishing_clients):
        part(server)
    expect("exit", server.stop(), 0)
    keys(studio)
    draining(studio)
    if FAULTS:
        sys.exit("\n".join(FAULTS))


if __name__ == "__main__":
    main()
