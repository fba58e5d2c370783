"""What nobody asks who means well: for each, what a server must answer. For tools/load_serve.py and
tests/serve_hostile_test.py.

A case is (name, send, wanted): `send(port)` is a coroutine that comes back with a status (0: the connection was closed
without one), `wanted` the statuses that will do. Every one of them is the client's fault: a 5xx is always wrong.
"""
import asyncio
import json
import random
import struct
import time

from serve_client import MODEL, ask, chat_body, raw

BAD = {400}
BODY_LIMIT = 8 << 20  # net::ReadLimits::body_bytes


def posted(body, path="/v1/chat/completions", headers=""):
    async def send(port):
        return (await ask(port, "POST", path, body() if callable(body) else body, timeout=120, headers=headers)).status
    return send


def with_schema(make, **fields):
    def body():
        schema = make()
        if isinstance(schema, str):  # JSON that Python's own writer would fall over
            plain = json.dumps(chat_body("x", response_format={
                "type": "json_schema", "json_schema": {"name": "x", "schema": {"here": 0}}}, **fields))
            return plain.replace('{"here": 0}', schema).encode()
        return chat_body("x", response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": schema}},
                         **fields)
    return posted(body)


def pattern(text):
    return with_schema(lambda: {"type": "string", "pattern": text})


def nested_schema(depth):
    return '{"type":"array","minItems":1,"items":' * depth + "{}" + "}" * depth


def chain(length):
    definitions = {f"d{i}": {"$ref": f"#/$defs/d{i + 1}"} for i in range(length)}
    definitions[f"d{length}"] = {"type": "integer"}
    return {"$ref": "#/$defs/d0", "$defs": definitions}


def doubled(depth):
    """Each definition holds the one below twice: small to write, huge when written out."""
    definitions = {f"d{i}": {"type": "object", "required": ["a", "b"], "properties": {
        "a": {"$ref": f"#/$defs/d{i + 1}"}, "b": {"$ref": f"#/$defs/d{i + 1}"}}} for i in range(depth)}
    definitions[f"d{depth}"] = {"type": "integer"}
    return {"$ref": "#/$defs/d0", "$defs": definitions}


def ways(depth):
    """allOf of anyOf: 3^depth alternatives when multiplied out."""
    return {"allOf": [{"anyOf": [{"type": "object", "required": [f"{name}{i}"], "properties": {f"{name}{i}": {}}}
                                 for name in "abc"]} for i in range(depth)]}


def long_strings(count):
    return {"type": "object", "properties": {
        f"p{i}": {"type": "string", "pattern": f"^[{chr(97 + i % 20)}-z0-9]{{0,{9000 - i}}}$"} for i in range(count)}}


def many_names(count, **more):
    return {"type": "object", "properties": {f"p{i}": {} for i in range(count)}, **more}


def alike(depth, width):
    """Arrays in arrays, each in ways that only their ends tell apart."""
    schema = {"type": "null"}
    for _ in range(depth):
        schema = {"anyOf": [{"type": "array", "prefixItems": [schema], "items": {"const": i}, "minItems": 1}
                            for i in range(width)]}
    return schema


SCHEMAS = [  # name, schema, statuses; 200 where the schema is fair and only large
    ("60,000 nested groups", pattern("(" * 60000 + "a" + ")" * 60000), BAD),
    ("4,000 nested groups", pattern("(" * 2000 + ")" * 2000), BAD),
    ("(a{1000}){1000}", pattern("^(a{1000}){1000}$"), BAD),
    ("((a{100}){100}){100}", pattern("^((a{100}){100}){100}$"), BAD),
    ("(.*a){20} reversed", pattern("^(.*a.{200}){3}$"), BAD),
    ("(a|b)*a(a|b){40}", pattern("^(a|b)*a(a|b){40}$"), BAD),
    ("a pattern of many classes", pattern("^[一-龥\\w]{0,5000}[^\\W\\d]{0,5000}x{5000}$"), BAD | {200}),
    ("a schema that is itself", with_schema(lambda: {"$ref": "#"}), BAD),
    ("a schema that needs itself", with_schema(lambda: {"type": "object", "required": ["a"],
                                                       "properties": {"a": {"$ref": "#"}}}), BAD),
    ("two that need each other", with_schema(lambda: {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"},
                                                                                   "b": {"$ref": "#/$defs/a"}}}), BAD),
    ("itself through anyOf", with_schema(lambda: {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}), BAD),
    ("10,000 references in a row", with_schema(lambda: chain(10000)), BAD | {200}),
    ("2^60 when written out", with_schema(lambda: doubled(60)), BAD | {200}),
    ("3^20 alternatives", with_schema(lambda: ways(20)), BAD),
    ("300 heavy patterns", with_schema(lambda: long_strings(300)), BAD),
    ("a schema nested 200 deep", with_schema(lambda: nested_schema(200)), BAD),
    ("a schema nested 3,000 deep", with_schema(lambda: nested_schema(3000)), BAD),
    ("an enum of 100,000", with_schema(lambda: {"enum": [f"choice {i} 选" for i in range(100000)]}), BAD),
    ("100,000 properties", with_schema(lambda: {"type": "object",
                                               "properties": {f"p{i}": {} for i in range(100000)}}), BAD),
    ("minItems of a billion", with_schema(lambda: {"type": "array", "minItems": 10 ** 9, "items": {}}), BAD | {200}),
    ("multipleOf a large prime", with_schema(lambda: {"type": "integer", "multipleOf": 10007}), BAD),
    ("uniqueItems of multiples", with_schema(lambda: {"type": "array", "uniqueItems": True,
                                                      "items": {"type": "integer", "multipleOf": 7}}), BAD),
    ("an enum of 100,000 lists", with_schema(lambda: {"enum": [[i] for i in range(100000)]}, max_tokens=4), {200}),
    ("a constant list of 100,000", with_schema(lambda: {"const": list(range(100000)), "uniqueItems": True},
                                               max_tokens=4), {200}),
    ("values by names, 40,000 each", with_schema(lambda: {"enum": [{"n": i} for i in range(40000)],
                                                          "required": ["n"] * 40000}), BAD),
    ("anyOf of 200,000", with_schema(lambda: {"anyOf": [{}] * 200000}), BAD),
    ("allOf of 200,000", with_schema(lambda: {"allOf": [{}] * 200000}), BAD),
    ("unevaluatedProperties 3,000 times", with_schema(
        lambda: many_names(1000, allOf=[{"unevaluatedProperties": {}}] * 3000)), BAD),
    ("5,000 patterns beside 1,000 names", with_schema(
        lambda: many_names(1000, patternProperties={f"^x{i}": {} for i in range(5000)})), BAD),
    ("20,000 long names that begin alike", with_schema(
        lambda: {"properties": {"k" * 390 + str(10000 + i): {} for i in range(20000)}}), BAD),
    ("five objects of 1,000 names", with_schema(
        lambda: {"anyOf": [many_names(1000, maxProperties=most) for most in range(1, 6)]}, max_tokens=40), BAD),
    ("five sets of 1,000 values", with_schema(lambda: {"anyOf": [
        {"type": "array", "uniqueItems": True, "maxItems": most, "items": {"enum": [f"v{i}" for i in range(1000)]}}
        for most in range(2, 7)]}, max_tokens=40), BAD),
    ("100 x 100 arrays that begin alike", with_schema(lambda: alike(2, 100), max_tokens=40), BAD),
    ("1,024 patterns that begin alike", with_schema(lambda: {"anyOf": [
        {"type": "string", "pattern": f"^(.{{7}})*q{i:04}$"} for i in range(1024)]}, max_tokens=40), BAD),
]


def fields(**values):
    return posted(lambda: chat_body("x", **values))


def messages(count):
    return [{"role": "user", "content": f"{i}"} for i in range(count)]


START = b'{"model":"%s","messages":' % MODEL.encode()
BODIES = [
    ("3,000 nested arrays", posted(b"[" * 3000 + b"]" * 3000), BAD),
    ("3,000 nested arrays in a field", posted(START + b"[" * 3000 + b"]" * 3000 + b"}"), BAD),
    ("a million empty objects", posted(START + b"[" + b"{}," * 1000000 + b"{}]}"), BAD),
    ("objects of very many keys", posted(lambda: START + b"[" + b",".join(
        [b"{" + b",".join(b'"%x":0' % i for i in range(19000)) + b"}"] * 40) + b"]}"), BAD),
    ("a million opening brackets", posted(b"[" * 1000000), BAD),
    ("a million opening braces", posted(b'{"a":' * 200000), BAD),
    ("a number of 100,000 digits", posted(b'{"model":"x","n":' + b"9" * 100000 + b"}"), BAD),
    ("a key twice", posted(b'{"model":"x","model":"y","messages":[]}'), {400, 404}),
    ("200,000 tokens", posted(lambda: chat_body("tea " * 200000)), BAD),
    ("200,000 tokens in one word", posted(lambda: chat_body("x" * 1000000)), BAD),
    ("a megabyte of emoji", posted(lambda: chat_body("🎈茶" * 150000)), BAD),
    ("100,000 messages", posted(lambda: chat_body("x", messages=messages(100000))), BAD),
    ("invalid UTF-8", posted(START + b'[{"role":"user","content":"\xff\xfe\xc3("}]}'), BAD),
    ("a lone surrogate", posted(START + b'[{"role":"user","content":"\\ud800"}]}'), BAD),
    ("NUL in the model's name", fields(model="smollm2\0"), {404}),
    ("NUL between tokens", posted(b'{"model":\0"x"}'), BAD),
    ("a path as the model", fields(model="../../etc/passwd"), {404}),
    ("an address as the model", fields(model="http://127.0.0.1:1/x.gguf"), {404}),
    ("a device as the model", fields(model="/dev/zero"), {404}),
    ("a model's name of a megabyte", fields(model="x" * 1000000), {404}),
    ("100,000 biases", fields(logit_bias={str(i): 1 for i in range(100000)}), BAD),
    ("a bias beyond the vocabulary", fields(logit_bias={"2147483647": 1}), BAD),
    ("a bias that is no number", posted(b'{"model":"x","messages":[],"logit_bias":{"1":NaN}}'), BAD),
    ("100,000 stop texts", fields(stop=[f"stop{i}" for i in range(100000)]), BAD),
    ("a stop text of nothing", fields(stop=["", "a"]), BAD),
    ("n = 64 and a million tokens", fields(n=64, max_tokens=2 ** 40), BAD),
    ("n of a billion", fields(n=10 ** 9), BAD),
    ("infinite temperature", posted(b'{"model":"x","messages":[],"temperature":1e999}'), BAD),
    ("a body of the limit and one byte", posted(lambda: b" " * (BODY_LIMIT + 1)), {413}),
    ("65 prompts", posted({"model": MODEL, "prompt": ["x"] * 65}, "/v1/completions"), BAD),
    ("64 prompts, echoed 64 times, of 100 kB", posted(lambda: {
        "model": MODEL, "prompt": ["tea " * 25000] * 64, "n": 64, "echo": True, "stream": True, "max_tokens": 0},
        "/v1/completions"), BAD),
]

HOST = b"Host: localhost\r\n"
PATH = b"/v1/chat/completions"
BODY = json.dumps(chat_body("x", max_tokens=1)).encode()


def wire(data, end=False):
    """Raw bytes; the status of the first answer. The rest of what came must be no second answer of 200."""
    async def send(port):
        got, _ = await raw(port, data, timeout=15, end=end)
        if got.count(b"HTTP/1.1 200") > 1 and b"smuggled" in data:
            return 200
        return int(got.split()[1]) if got.startswith(b"HTTP/1.1 ") else 0
    return send


def head(*lines, start=b"POST " + PATH + b" HTTP/1.1", body=BODY):
    return start + b"\r\n" + b"".join(line + b"\r\n" for line in (b"Host: localhost", *lines)) + b"\r\n" + body


LENGTH = b"Content-Length: %d" % len(BODY)
INNER = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
WIRE = [
    ("CL and TE", wire(head(LENGTH, b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + INNER)), BAD),
    ("TE and CL", wire(head(b"Transfer-Encoding: chunked", LENGTH, body=b"0\r\n\r\n" + INNER)), BAD),
    ("two lengths", wire(head(LENGTH, b"Content-Length: 3")), BAD),
    ("two equal lengths", wire(head(LENGTH, LENGTH)), BAD),
    ("a list of lengths", wire(head(b"Content-Length: 5, 5")), BAD),
    ("a signed length", wire(head(b"Content-Length: +5")), BAD),
    ("a hexadecimal length", wire(head(b"Content-Length: 0x10")), BAD),
    ("a length beyond 64 bits", wire(head(b"Content-Length: 18446744073709551617")), BAD | {413}),
    ("a space before the colon", wire(head(b"Content-Length : 5")), BAD),
    ("TE: xchunked", wire(head(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n" + INNER)), BAD | {501}),
    ("TE: chunked, identity", wire(head(b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n")), BAD | {501}),
    ("TE twice", wire(head(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=b"0\r\n\r\n")),
     BAD | {501}),
    ("TE with a tab", wire(head(b"Transfer-Encoding:\tchunked\x0b", body=b"0\r\n\r\n")), BAD | {501}),
    ("a folded header", wire(head(b"X-A: b", b" Content-Length: 5", LENGTH)), BAD),
    ("a bare line feed", wire(b"POST " + PATH + b" HTTP/1.1\nHost: localhost\n" + LENGTH + b"\n\n" + BODY), BAD),
    ("a bare carriage return", wire(head(b"X-A: b\rContent-Length: 3", LENGTH)), BAD),
    ("NUL in a header", wire(head(b"X-A: b\0c", LENGTH)), BAD),
    ("invalid UTF-8 in the path", wire(b"GET /v1/models/\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n"), BAD),
    ("invalid UTF-8, escaped", wire(b"GET /v1/models/%ff%fe HTTP/1.1\r\nHost: localhost\r\n\r\n"), BAD),
    ("invalid UTF-8 in a header", wire(b"GET /v1/models/x HTTP/1.1\r\nHost: localhost\r\nX-A: \xff\xfe\r\n\r\n", end=True),
     {400, 404}),
    ("%00 in the path", wire(b"GET /v1/models/a%00b HTTP/1.1\r\nHost: localhost\r\n\r\n"), BAD),
    ("dot segments", wire(b"GET /v1/../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n"), BAD),
    ("two hosts", wire(b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: y\r\n\r\n"), BAD),
    ("no host", wire(b"GET / HTTP/1.1\r\n\r\n"), BAD),
    ("HTTP/2's preface", wire(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), BAD | {505}),
    ("TLS to a plain port", wire(bytes.fromhex("16030100c8010000c40303") + bytes(200), end=True), BAD | {0}),
    ("garbage", wire(random.Random(7).randbytes(5000), end=True), BAD | {0, 431}),
    ("a chunk of nonsense", wire(head(b"Transfer-Encoding: chunked", body=b"zz\r\nhello\r\n0\r\n\r\n")), BAD),
    ("a chunk beyond 64 bits", wire(head(b"Transfer-Encoding: chunked", body=b"fffffffffffffffff\r\nx")), BAD | {413}),
    ("a chunk's endless extension", wire(head(b"Transfer-Encoding: chunked",
                                              body=b"1;" + b"x" * 100000 + b"\r\na\r\n0\r\n\r\n")), BAD | {413, 431}),
    ("a hundred thousand headers", wire(head(*[b"X-%d: y" % i for i in range(100000)])), {431}),
    ("a target of a megabyte", wire(b"GET /" + b"x" * 1000000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"), {414, 431}),
    ("pipelined garbage", wire(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n" + b"\x00\x01garbage\r\n\r\n" * 1000), {404}),
    ("10,000 pipelined requests, then gone", wire(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n" * 10000, end=True),
     {404}),
]


def hostile_model(source, target):
    """Copies a model file, with a chat template of the same length that would work for a very long time."""
    data = bytearray(open(source, "rb").read())
    at = data.index(b"tokenizer.chat_template") + len(b"tokenizer.chat_template")
    kind, length = struct.unpack_from("<IQ", data, at)
    assert kind == 8, "the template is no string"
    template = (b"{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}"
                b"{% set x = 'tea' * 99999 %}{% endfor %}{% endfor %}{% endfor %}")
    assert len(template) + 5 <= length, "no room for the template"
    data[at + 12:at + 12 + length] = template + b"{#" + b" " * (length - len(template) - 4) + b"#}"
    open(target, "wb").write(data)


async def slow_loris(port, sockets, seconds, body):
    """Sockets that send a byte a second; how many the server let go of, with 408 or without a word."""
    async def one(i):
        link_reader, link_writer = await asyncio.open_connection("127.0.0.1", port)
        text = b"POST " + PATH + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n" + (b"\r\n" if body else b"")
        first = len(text) if body else 1 + i % 5
        link_writer.write(text[:first])
        rest = iter(text[first:] + b"x" * 100000)
        start = time.monotonic()
        got = b""
        while time.monotonic() - start < seconds:
            try:
                got += (piece := await asyncio.wait_for(link_reader.read(4096), 1))
                if not piece or got:
                    break
            except asyncio.TimeoutError:
                link_writer.write(bytes([next(rest)]))
            except ConnectionError:
                break
        else:
            link_writer.close()
            return None
        link_writer.close()
        return time.monotonic() - start, int(got.split()[1]) if got.startswith(b"HTTP/1.1 ") else 0
    return await asyncio.gather(*(one(i) for i in range(sockets)))
