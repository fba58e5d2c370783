"""A small HTTP client and a server to talk to, for tools/load_serve.py and tests/serve_hostile_test.py.

    with Server(atelier, studio, model_queue=16) as server:
        answer = asyncio.run(ask(server.port, "GET", "/v1/models"))

Nothing but the standard library: thousands of sockets in one thread, every byte's time known. It is a measuring tool
and trusts the server's framing; what the server makes of bad framing is what tools/hostile_requests.py asks.
"""
import asyncio
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import time

MODEL = "smollm2"


def home():
    return pathlib.Path(os.environ.get("ATELIER_HOME", pathlib.Path.home() / ".atelier"))


def make_studio(atelier, folder, models=None):
    """A fresh studio with `models` ({name: file}), by default smollm2 as ./dev test fetches it."""
    folder = str(folder)
    subprocess.run([atelier, "init", folder, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    for name, path in (models or {MODEL: home() / "models/smollm2.gguf"}).items():
        subprocess.run([atelier, "model", "pull", str(path), "--name", name, "--studio", folder, "--quiet"], check=True,
                       stdout=subprocess.DEVNULL)
    return folder


class Server:
    """`settings` go to [serve] of the studio's file, which must not have that table yet."""

    def __init__(self, atelier, studio, **settings):
        if settings:
            with open(pathlib.Path(studio) / "studio.toml", "a") as file:
                lines = [f"{name} = {json.dumps(value)}\n" for name, value in settings.items()]
                file.write("\n[serve]\n" + "".join(lines))
        self.log = open(pathlib.Path(studio).parent / "serve.log", "ab")
        command = [atelier, "serve", "--studio", str(studio), "--listen", "127.0.0.1:0", "--json"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.port = int(json.loads(self.process.stdout.readline())["url"].rsplit(":", 1)[1])
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop(signal.SIGKILL)

    def alive(self):
        return self.process.poll() is None

    def stop(self, how=signal.SIGTERM):
        if self.alive():
            self.process.send_signal(how)
        code = self.process.wait(60)
        self.log.close()
        return code

    def memory(self):
        """Bytes of Pss, the process's fair share of what it maps; of that, what no file backs."""
        values = {}
        for line in open(f"/proc/{self.pid}/smaps_rollup"):
            name, _, rest = line.partition(":")
            if name in ("Pss", "Pss_Anon"):
                values[name] = int(rest.split()[0]) << 10
        return values["Pss"], values["Pss_Anon"]

    async def metric(self, *names):
        """The sum of these metrics over all models."""
        answer = await ask(self.port, "GET", "/metrics")
        wanted = tuple(f"atelier_{name}" for name in names)
        lines = (line.replace("{", " ").split() for line in answer.text().splitlines())
        return sum(float(line[-1]) for line in lines if line and line[0] in wanted)

    async def idle(self, seconds=60):
        """Waits until no model has anything to do; how long that took, None when it was not over in time."""
        start = time.monotonic()
        while time.monotonic() - start < seconds:
            if await self.metric("model_running", "model_waiting") == 0:
                return time.monotonic() - start
            await asyncio.sleep(0.01)
        return None


class Answer:
    """What came back, and when (time.monotonic()). Status 0: the connection ended before a whole head came."""

    def __init__(self):
        self.status = 0
        self.headers = {}
        self.body = bytearray()
        self.sent = self.first = self.ended = 0.0  # request sent; head read; last byte read
        self.times = []                            # of each piece of the body that came
        self.whole = False
        self.refused = False                       # no connection at all

    def text(self):
        return self.body.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.body)

    def seconds(self):
        return self.ended - self.sent

    def events(self):
        return [line[6:] for line in self.text().split("\n\n") if line.startswith("data: ")]

    def choices(self):
        """{index: (text, finish_reason)}, of a whole answer or of a stream."""
        found = {}
        whole = not self.headers.get("content-type", "").startswith("text/event-stream")
        for chunk in [self.json()] if whole else [json.loads(event) for event in self.events() if event != "[DONE]"]:
            for choice in chunk.get("choices", []):
                part = choice.get("message") or choice.get("delta") or choice
                before = found.get(choice["index"], ("", None))
                found[choice["index"]] = (before[0] + (part.get("content") or part.get("text") or ""),
                                          choice["finish_reason"] or before[1])
        return found

    def content(self):
        choices = self.choices() if self.status == 200 else {}
        return choices[0][0] if choices else None

    def done(self):
        return self.status == 200 and self.whole and (b"data: [DONE]" in self.body or b"data: " not in self.body[:6])


class Link(asyncio.Protocol):
    """One connection; one request at a time."""

    def __init__(self):
        self.transport = None
        self.buffer = bytearray()
        self.answer = None
        self.future = None
        self.head_only = False
        self.left = None  # bytes of the body still to come; None: chunked or until the end
        self.chunked = self.closed = False

    def connection_made(self, transport):
        self.transport = transport

    def connection_lost(self, error):
        self.closed = True
        self._finish(self.answer is not None and self.answer.status > 0 and self.left is None and not self.chunked)

    def data_received(self, data):
        if self.answer is None:
            return
        self.buffer += data
        if self.answer.status == 0 and not self._head():
            return
        if self.chunked:
            self._chunks()
        elif self.buffer:
            self.answer.times.append(time.monotonic())
            self.answer.body += self.buffer
            self.buffer.clear()
        if self.left is not None and len(self.answer.body) >= self.left:
            self._finish(True)

    def _head(self):
        while True:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return False
            lines = self.buffer[:end].decode("latin-1").split("\r\n")
            del self.buffer[:end + 4]
            if not lines[0].startswith("HTTP/1.1 100"):
                break
        self.answer.first = time.monotonic()
        self.answer.status = int(lines[0].split()[1])
        fields = (line.partition(":") for line in lines[1:])
        headers = self.answer.headers = {name.lower(): value.strip() for name, _, value in fields}
        self.chunked = headers.get("transfer-encoding") == "chunked"
        if self.head_only or self.answer.status in (204, 304):
            self.left = 0
        elif "content-length" in headers:
            self.left = int(headers["content-length"])
        return True

    def _chunks(self):
        while True:
            line = self.buffer.find(b"\r\n")
            if line < 0:
                return
            size = int(self.buffer[:line], 16)
            if len(self.buffer) < line + 2 + size + 2:
                return
            if size:
                self.answer.times.append(time.monotonic())
                self.answer.body += self.buffer[line + 2:line + 2 + size]
            del self.buffer[:line + 4 + size]
            if not size:
                return self._finish(True)

    def _finish(self, whole):
        answer, self.answer = self.answer, None
        if answer is None:
            return
        answer.whole = whole
        answer.ended = time.monotonic()
        if answer.headers.get("connection") == "close":
            self.close()
        if not self.future.done():
            self.future.set_result(answer)

    def send(self, data, head_only=False):
        """Sends a request as it is; the future of its answer."""
        self.answer, self.future = Answer(), asyncio.get_running_loop().create_future()
        self.left, self.chunked, self.head_only = None, False, head_only
        self.answer.sent = time.monotonic()
        self.transport.write(data)
        if self.closed:
            self._finish(False)
        return self.future

    def close(self):
        self.closed = True
        self.transport.close()

    def reset(self):
        """Closes so that the other side sees a reset instead of an end."""
        if not self.closed:
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                                               struct.pack("ii", 1, 0))
        self.transport.abort()


def request_bytes(method, path, body=None, headers=""):
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    length = f"Content-Length: {len(data)}\r\n" if body is not None else ""
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{length}{headers}\r\n".encode("utf-8", "surrogateescape") + data


async def connect(port, receive_buffer=None):
    for attempt in range(5):
        try:
            sock = socket.socket()
            sock.setblocking(False)
            if receive_buffer:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(sock, ("127.0.0.1", port))
            return (await loop.create_connection(Link, sock=sock))[1]
        except OSError:
            sock.close()
            if attempt == 4:
                raise
            await asyncio.sleep(0.05 * (attempt + 1))


async def ask(port, method, path, body=None, timeout=600, link=None, headers=""):
    """One request on its own connection, or on `link`."""
    mine = link is None
    if mine:
        link = await connect(port)
    try:
        future = link.send(request_bytes(method, path, body, headers), method == "HEAD")
        return await asyncio.wait_for(future, timeout)
    finally:
        if mine:
            link.close()


async def raw(port, data, timeout=30, end=False):
    """Bytes as they are; what came back until the server closed or `timeout` was over, and how long it took."""
    start = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    got = b""
    try:
        writer.write(data)
        if end:
            writer.write_eof()
        while True:
            piece = await asyncio.wait_for(reader.read(65536), timeout)
            if not piece:
                break
            got += piece
    except (asyncio.TimeoutError, ConnectionError):
        pass
    finally:
        writer.close()
    return got, time.monotonic() - start


def chat_body(text, **fields):
    return {"model": MODEL, "messages": [{"role": "user", "content": text}], "seed": 5, "max_tokens": 24} | fields


async def chat(port, text, link=None, timeout=600, patient=True, **fields):
    """A chat completion. When the server says 429 a patient client comes again after Retry-After, as it was told."""
    body = chat_body(text, **fields)
    while True:
        answer = await ask(port, "POST", "/v1/chat/completions", body, timeout, link)
        if answer.status != 429 or not patient:
            return answer
        await asyncio.sleep(float(answer.headers.get("retry-after", "1")))


def percentile(values, p):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(p / 100 * len(ordered)))] if ordered else float("nan")
