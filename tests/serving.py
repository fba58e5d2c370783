"""A running `atelier serve` for tests over real sockets, and what they share."""
import http.client
import json
import os
import pathlib
import signal
import struct
import subprocess
import tempfile
import time

from promises import FAULTS

def until(what, true, seconds=30):
    """Waits for something that must come; the time is generous, since the machine may be busy."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return
        time.sleep(0.05)
    FAULTS.append(f"{what}: not within {seconds} s")


def studio_with(atelier, *models, folder=None):
    """A new studio that has registered these models of the user's store."""
    studio = str(pathlib.Path(folder or tempfile.mkdtemp()) / "studio")
    subprocess.run([atelier, "init", studio, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    for model in models:
        register(atelier, studio, weights(model), model)
    return studio


def weights(model):
    """The file of a model in the user's store, which ./dev test fetches."""
    return pathlib.Path(os.environ.get("ATELIER_HOME", pathlib.Path.home() / ".atelier")) / f"models/{model}.gguf"


def register(atelier, studio, path, name):
    subprocess.run([atelier, "model", "pull", str(path), "--name", name, "--studio", studio, "--quiet"], check=True,
                   stdout=subprocess.DEVNULL)


def events(text):
    """The data of a stream's events."""
    return [line[len("data: "):] for line in text.split("\n\n") if line]


def with_chat_template(source, target, template):
    """A copy of a GGUF file with another chat template."""
    data = source.read_bytes()
    at = 8
    tensors, pairs = struct.unpack_from("<QQ", data, at)
    at += 16
    sizes = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}

    def text(at):
        size = struct.unpack_from("<Q", data, at)[0]
        return data[at + 8:at + 8 + size], at + 8 + size

    def skip(kind, at):
        if kind == 8:
            return text(at)[1]
        if kind == 9:
            kind, count = struct.unpack_from("<IQ", data, at)
            at += 12
            if kind in sizes:
                return at + count * sizes[kind]
            for _ in range(count):
                at = skip(kind, at)
            return at
        return at + sizes[kind]
    out, alignment = [], 32
    for _ in range(pairs):
        begin = at
        key, at = text(at)
        kind = struct.unpack_from("<I", data, at)[0]
        at = skip(kind, at + 4)
        if key == b"general.alignment":
            alignment = struct.unpack_from("<I", data, at - 4)[0]
        if key != b"tokenizer.chat_template":
            out.append(data[begin:at])
    key, value = b"tokenizer.chat_template", template.encode()
    out.append(struct.pack("<Q", len(key)) + key + struct.pack("<IQ", 8, len(value)) + value)
    begin = at
    for _ in range(tensors):
        _, at = text(at)
        at += 4 + 8 * struct.unpack_from("<I", data, at)[0] + 12
    head = data[:8] + struct.pack("<QQ", tensors, len(out)) + b"".join(out) + data[begin:at]
    body = data[-(-at // alignment) * alignment:]
    target.write_bytes(head + b"\0" * (-len(head) % alignment) + body)


class Server:
    def __init__(self, atelier, studio, *options):
        self.log = pathlib.Path(studio).parent / "serve.log"  # a pipe that nobody reads would hold it up
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([atelier, "serve", "--studio", studio, "--listen", "127.0.0.1:0", "--json",
                                             *options], stdout=subprocess.PIPE, stderr=log, text=True)
        said = json.loads(self.process.stdout.readline())
        self.port = int(said["url"].rsplit(":", 1)[1])

    def ask(self, method, path, body=None, key=None, headers=None):
        """(status, headers, body as JSON or text)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        headers = dict(headers or {})
        if key:
            headers["Authorization"] = f"Bearer {key}"
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body, ensure_ascii=False).encode()
        connection.request(method, path, data, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        is_json = answer.getheader("Content-Type", "") == "application/json"
        return answer.status, answer.headers, json.loads(text) if is_json else text

    def chat(self, key=None, **fields):
        body = {"model": "smollm2", "messages": [{"role": "user", "content": "Name two colours. 你好 🎈"}],
                "max_tokens": 24, "seed": 5}
        return self.ask("POST", "/v1/chat/completions", body | fields, key)

    def metric(self, name, key=None):
        text = self.ask("GET", "/metrics", key=key)[2]
        return sum(int(line.split()[-1]) for line in text.splitlines() if line.startswith(f"atelier_{name}"))

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(150)
