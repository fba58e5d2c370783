"""What `atelier serve` promises to whoever runs it: settings, reloading, logs, the audit trail, a database that cannot be
written. Usage: serve_operations_test.py ATELIER. Needs the model smollm2 in the user's store, and the openssl program."""
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

from promises import ATELIER, FAULTS, end, expect

STARTED = []
MODEL = "smollm2"
HEAD = 'format = 1\nname = "店"\n'
ROOT = pathlib.Path(tempfile.mkdtemp())


def soon(holds, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.02)
    return False


def run(*args):
    return subprocess.run([ATELIER, *args], capture_output=True, text=True, check=True).stdout


def make_studio(name, with_model=True):
    studio = ROOT / name
    run("init", str(studio))
    if with_model:
        home = pathlib.Path(os.environ.get("ATELIER_HOME", pathlib.Path.home() / ".atelier"))
        run("model", "pull", str(home / "models/smollm2.gguf"), "--name", MODEL, "--studio", str(studio), "--quiet")
    return studio


def events(studio, subject=None):
    rows = json.loads(run("audit", "--studio", str(studio), "--json", *(["--subject", subject] if subject else [])))
    return [row for row in rows["events"] if row["event"] != "model.pulled" and row["event"] != "model.registered"]


class Server:
    """A server whose log is collected."""
    def __init__(self, studio, *options, listen="127.0.0.1:0", log=None, user=None):
        environment = {key: value for key, value in os.environ.items() if key != "ATELIER_LOG"}
        if log:
            environment["ATELIER_LOG"] = log
        listening = ["--listen", listen] if listen else []
        self.process = subprocess.Popen([ATELIER, "serve", "--studio", str(studio), "--json", *listening, *options],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
                                        user=user)
        self.log = []
        STARTED.append(self.process)
        self.reader = threading.Thread(target=lambda: self.log.extend(iter(self.process.stderr.readline, "")), daemon=True)
        self.reader.start()
        said = self.process.stdout.readline()
        self.said = json.loads(said) if said else None
        self.port = int(self.said["url"].rsplit(":", 1)[1]) if said and "url" in self.said else 0

    def ask(self, method, path, body=None, key=None, headers=None, connection=None):
        ours = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body, ensure_ascii=False).encode()
        ours.request(method, path, data, (headers or {}) | ({"Authorization": f"Bearer {key}"} if key else {}))
        answer = ours.getresponse()
        text = answer.read().decode()
        if connection is None:
            ours.close()
        return answer.status, text

    def chat(self, text, **fields):
        return self.ask("POST", "/v1/chat/completions",
                        {"model": MODEL, "messages": [{"role": "user", "content": text}], "max_tokens": 8} | fields)

    def lines(self, event):
        return [line for line in list(self.log) if re.match(rf"\S+ \w+ {re.escape(event)}( |$)", line)]

    def reload(self):
        before = len(self.lines("serve.reloaded"))
        self.process.send_signal(signal.SIGHUP)
        expect("reloaded", soon(lambda: len(self.lines("serve.reloaded")) > before))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self.reader.join()
        return code


def settings(studio):
    """The file is read strictly, and the command line goes before it."""
    file = studio / "studio.toml"
    for text, says in [("[serve]\nlissten = ':0'\n", "studio.toml:4: [serve] lissten: unknown key (did you mean 'listen'?)"),
                       ("[serve.limits]\nbody_bytes = 3\n", "studio.toml:4"), ("[serve\n", "studio.toml:3"),
                       ("[serve.tls]\ncertificate = 'none.pem'\nkey = 'none.pem'\n", "none.pem")]:
        file.write_text(HEAD + text)
        server = Server(studio)
        code = server.process.wait(60)
        server.reader.join()
        expect(f"refused {text!r}", (code != 0, any(says in line for line in server.log)), (True, True))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    file.write_text(HEAD + f"[serve]\nlisten = '127.0.0.1:{port}'\nrequire_keys = true\n[serve.limits]\nbody_bytes = 1024\n"
                    "json_depth = 8\n")
    server = Server(studio, listen=None)
    expect("the file's address", (server.port, server.said["keys_required"]), (port, True))
    expect("key", server.ask("GET", "/v1/models")[0], 401)
    key = json.loads(run("key", "create", "k", "--scope", "generate", "--studio", str(studio), "--json"))["key"]
    server.reload()
    expect("body", server.ask("POST", "/v1/completions", b"x" * 1025, key)[0], 413)
    expect("depth", "nested beyond 8" in server.ask("POST", "/v1/completions", b"[" * 12 + b"]" * 12, key)[1])
    expect("stopped", server.stop(), 0)
    server = Server(studio)
    expect("the command line's", server.port != port)
    server.stop()
    file.write_text(HEAD)


def reloading(studio):
    """SIGHUP: new limits for new requests, nothing that runs is cut; broken files change nothing."""
    file = studio / "studio.toml"
    server = Server(studio)
    waiting = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    expect("before", server.ask("POST", "/v1/completions", b"x" * 5000, connection=waiting)[0], 400)
    got = {}

    def stream():
        got["stream"] = server.chat("A long story.", stream=True, max_tokens=250, logit_bias={"2": -100})
    thread = threading.Thread(target=stream)
    thread.start()
    soon(lambda: "atelier_model_running{model=\"smollm2\"} 1" in server.ask("GET", "/metrics")[1])
    file.write_text(HEAD + "[serve]\nworkers = 9\nlisten = '127.0.0.1:1'\ndrain_seconds = 17\n[serve.limits]\nbody_bytes = 2048\n"
                    "stream_buffer_bytes = 16384\n")
    server.reload()
    running = "atelier_model_running{model=\"smollm2\"} 1" in server.ask("GET", "/metrics")[1]
    expect("the stream runs on", running)
    expect("new limit on an old connection", server.ask("POST", "/v1/completions", b"x" * 5000, connection=waiting)[0], 413)
    expect("and on a new one", server.ask("POST", "/v1/completions", b"x" * 5000)[0], 413)
    (restart,) = server.lines("serve.restart_needed")
    expect("restart", 'keys="listen, workers"' in restart or 'keys="workers"' in restart)
    key = json.loads(run("key", "create", "soon gone", "--studio", str(studio), "--json"))
    server.reload()
    expect("new key", server.ask("GET", "/v1/models", key=key["key"])[0], 200)
    run("key", "revoke", key["info"]["id"], "--studio", str(studio))
    file.write_text(HEAD + "[serve.limits]\nbody_bytes = 4096\nidle_second = 3\n")
    server.reload()
    (failed,) = server.lines("serve.reload_failed")
    expect("why", "studio.toml:5: [serve.limits] idle_second: unknown key" in failed)
    expect("the old limit", server.ask("POST", "/v1/completions", b"x" * 3000)[0], 413)
    expect("a revoked key all the same", server.ask("GET", "/v1/models", key=key["key"])[0], 401)
    file.unlink()
    server.reload()
    expect("no file", len(server.lines("serve.reload_failed")), 2)
    file.write_text(HEAD + "[serve.limits]\nbody_bytes = 4096\n")
    server.reload()
    expect("mended", server.ask("POST", "/v1/completions", b"x" * 3000)[0], 400)
    for _ in range(50):
        server.process.send_signal(signal.SIGHUP)
    thread.join()
    status, text = got["stream"]
    expect("the stream came whole", (status, text.endswith("data: [DONE]\n\n")), (200, True))
    expect("stopped", server.stop(), 0)
    trail = events(studio)
    kinds = [row["event"] for row in trail]
    expect("started and stopped", (kinds.count("serve.started") > 0, kinds[-1]), (True, "serve.stopped"))
    changes = [row["details"]["changed"] for row in trail if row["details"].get("changed")]
    expect("what changed", {"limits.body_bytes": [8388608, 2048], "drain_seconds": [30.0, 17.0],
                            "limits.stream_buffer_bytes": [262144, 16384]} in changes)
    expect("what failed", ["settings"] in [row["details"].get("failed") for row in trail])
    file.write_text(HEAD)


def certificates(studio):
    def make(number):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-subj", "/CN=localhost", "-days", "2", "-set_serial", str(number), "-keyout", str(studio / "tls/key.pem"),
                        "-out", str(studio / "tls/cert.pem")], check=True, capture_output=True)

    def connect(server):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(socket.create_connection(("127.0.0.1", server.port), 30))

    def serial(one):
        shown = subprocess.run(["openssl", "x509", "-inform", "der", "-noout", "-serial"], input=one.getpeercert(True),
                               capture_output=True, check=True).stdout.decode()
        return int(shown.split("=")[1], 16)

    def health(one):
        one.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return one.recv(4096).split(b"\r\n")[0]
    (studio / "tls").mkdir()
    make(11)
    (studio / "studio.toml").write_text(HEAD + "[serve.tls]\ncertificate = 'tls/cert.pem'\nkey = 'tls/key.pem'\n")
    server = Server(studio)
    expect("https", server.said["url"].startswith("https://"))
    old = connect(server)
    expect("first", serial(old), 11)
    make(22)
    server.reload()
    expect("second", serial(connect(server)), 22)
    expect("the old connection", health(old), b"HTTP/1.1 200 OK")
    (studio / "tls/cert.pem").write_text("-----BEGIN CERTIFICATE-----\nnot one\n")
    server.reload()
    expect("why", "tls/cert.pem: is no PEM certificate" in server.lines("serve.reload_failed")[0])
    fresh = connect(server)
    expect("the old one stays", (serial(fresh), health(fresh)), (22, b"HTTP/1.1 200 OK"))
    make(33)
    (studio / "studio.toml").write_text(HEAD)
    server.reload()
    expect("TLS goes on", health(connect(server)), b"HTTP/1.1 200 OK")
    expect("needs a restart", "tls.certificate, tls.key" in server.lines("serve.restart_needed")[0])
    expect("stopped", server.stop(), 0)


def logs(studio):
    """Nothing of a prompt is kept or logged unless it was asked for; a line is a line whatever is sent."""
    server = Server(studio)
    expect("info where nobody watches", soon(lambda: server.lines("serve.started")))
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    server.ask("GET", "/v1/%E2%80%AEforged%22?secret=1", headers={"traceparent": trace, "X-Request-Id": "mine-1"})
    expect("logged", soon(lambda: any("mine-1" in line for line in server.lines("request"))))
    (line,) = [line for line in server.lines("request") if "mine-1" in line]
    expect("fields", all(part in line for part in (f'traceparent="{trace}"', 'status="404"', 'path="/v1/%E2%80%AEforged%22"')))
    expect("no query", "secret" not in line)
    server.stop()

    secret = "Zwetschgenknödel🍑"
    (studio / "studio.toml").write_text(HEAD)
    server = Server(studio, log="debug")
    server.chat(f"Repeat: {secret}")
    server.chat(secret, stream=True)
    server.chat(secret, model=secret)
    server.chat(secret, user=secret, response_format={"type": secret})
    server.chat(secret + " long" * 20000)
    server.chat("x", messages=[{"role": secret, "content": secret}])
    server.ask("POST", "/v1/completions", {"model": MODEL, "prompt": [secret, f"{secret}\n"], "echo": True, "stop": secret})
    server.ask("POST", "/v1/chat/completions", f'{{"model": "{secret}'.encode())
    server.stop()
    needles = [secret, secret[:10], "Zwetschgenkn", json.dumps(secret)[1:-1]]
    text = "".join(server.log)
    expect("requests are logged", len(server.lines("request")), 8)
    expect("the secret in the log", [needle for needle in needles if needle in text], [])
    for path in studio.glob("studio.db*"):
        expect(f"the secret in {path.name}", [n for n in needles if n.encode() in path.read_bytes()], [])

    (studio / "studio.toml").write_text(HEAD + "[serve]\nlog_prompts = true\n")
    server = Server(studio)
    hostile = f"{secret}\n2026-11-28T00:00:00 error forged id=\"1\"\x1b[2J\u202e"
    status, text = server.ask("POST", "/v1/chat/completions", {"model": MODEL, "messages": [
        {"role": "user", "content": hostile}], "max_tokens": 8, "n": 2}, headers={"X-Request-Id": "mine-2"})
    expect("asked", status, 200)
    expect("two replies", soon(lambda: len(server.lines("reply")) == 2))
    (prompt,) = server.lines("prompt")
    expect("the prompt", all(part in prompt for part in (secret, 'id="mine-2"', '\\n2026', '\\u001b[2J\\u202e')))
    expect("nothing forged", [line for line in server.log if " error forged" in line and "prompt" not in line], [])
    replies = [json.loads(line.split(" text=")[1]) for line in server.lines("reply")]
    said = [choice["message"]["content"] for choice in json.loads(text)["choices"]]
    expect("the replies", sorted(replies), sorted(said))
    server.ask("POST", "/v1/completions", {"model": MODEL, "prompt": "long " * 40000})
    expect("cut", soon(lambda: len(server.lines("prompt")) == 2))
    expect("at 64 KiB", 60000 < len(server.lines("prompt")[1]) < 67000)
    (studio / "studio.toml").write_text(HEAD)
    server.reload()
    server.chat(secret)
    expect("off again", len(server.lines("prompt")), 2)
    server.stop()
    server = Server(studio, log="error")
    server.chat(secret)
    server.stop()
    expect("ATELIER_LOG goes first", server.log, [])


def read_only(_):
    """As somebody who may read the studio and not write it, root may write anything."""
    nobody = 65534 if os.geteuid() == 0 else None
    studio = make_studio("read-only", with_model=False)
    weights = ROOT / "weights.gguf"
    home = pathlib.Path(os.environ.get("ATELIER_HOME", pathlib.Path.home() / ".atelier"))
    shutil.copy(home / "models/smollm2.gguf", weights)
    os.environ["ATELIER_HOME"] = str(ROOT / "home")  # that everybody may read
    run("model", "pull", str(weights), "--name", MODEL, "--studio", str(studio), "--quiet")
    key = json.loads(run("key", "create", "k", "--scope", "generate", "--tokens-per-day", "100000", "--studio", str(studio),
                         "--json"))["key"]
    os.chmod(ROOT, 0o755)
    for path in sorted(studio.rglob("*"), reverse=True):
        path.chmod(0o555 if path.is_dir() else 0o444)
        if path.name == "keys.secret":
            path.chmod(0o400)
            if nobody:
                os.chown(path, nobody, -1)
    studio.chmod(0o555)
    before = (studio / "studio.db").read_bytes()
    server = Server(studio, "--require-keys", user=nobody)
    expect("it starts", server.said is not None)
    if server.said is None:
        FAULTS.append("".join(server.log))
        return
    expect("served", server.ask("POST", "/v1/completions", {"model": MODEL, "prompt": "One, two,", "max_tokens": 2}, key)[0], 200)
    expect("denied", server.ask("GET", "/v1/models")[0], 401)
    expect("said", soon(lambda: server.lines("serve.not_stored")))
    server.reload()
    expect("served after SIGHUP", server.ask("GET", "/v1/models", key=key)[0], 200)
    expect("said once", len(server.lines("serve.not_stored")), 1)
    expect("stopped", server.stop(), 0)
    expect("not touched", (studio / "studio.db").read_bytes() == before)

    # Writable again while it runs: what was used meanwhile is stored.
    server = Server(studio, "--require-keys", user=nobody)
    server.ask("GET", "/v1/models")
    server.ask("POST", "/v1/completions", {"model": MODEL, "prompt": "One, two,", "max_tokens": 2}, key)
    for path in [studio, *studio.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)
        if nobody:
            os.chown(path, nobody, -1)
    server.reload()
    expect("stored again", soon(lambda: server.lines("serve.stored_again")))
    expect("stopped", server.stop(), 0)
    trail = {row["event"]: row for row in events(studio)}
    expect("the trail", [trail[kind]["subject"] for kind in ("serve.started", "serve.stopped", "key.denied")],
           ["127.0.0.1:0", "127.0.0.1:0", "missing"])
    keys = json.loads(run("key", "list", "--json", "--studio", str(studio)))["keys"]
    expect("last used", keys[0]["last_used_at"] is not None)


def main():
    studio = make_studio("shop")
    for part in (settings, reloading, certificates, logs, read_only):
        part(studio)
    end("serve's operations: as promised")


try:
    main()
finally:
    for started in STARTED:
        started.kill()
    subprocess.run(["chmod", "-R", "u+w", str(ROOT)])
    shutil.rmtree(ROOT, ignore_errors=True)
