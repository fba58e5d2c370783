"""A running `atelier serve` for tests over real sockets, and what they share."""
import http.client
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time

FAULTS = []


def expect(what, got, wanted=True):
    if got != wanted:
        FAULTS.append(f"{what}: {got!r}, wanted {wanted!r}")


def until(what, true, seconds=30):
    """Waits for something that must come; the time is generous, since the machine may be busy."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return
        time.sleep(0.05)
    FAULTS.append(f"{what}: not within {seconds} s")


def studio_with(atelier, *models):
    """A new studio that has registered these models of the user's store."""
    studio = str(pathlib.Path(tempfile.mkdtemp()) / "studio")
    subprocess.run([atelier, "init", studio, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    home = pathlib.Path(os.environ.get("ATELIER_HOME", pathlib.Path.home() / ".atelier"))
    for model in models:
        subprocess.run([atelier, "model", "pull", str(home / f"models/{model}.gguf"), "--name", model, "--studio", studio,
                        "--quiet"], check=True, stdout=subprocess.DEVNULL)
    return studio


def events(text):
    """The data of a stream's events."""
    return [line[len("data: "):] for line in text.split("\n\n") if line]


class Server:
    def __init__(self, atelier, studio, *options):
        self.process = subprocess.Popen([atelier, "serve", "--studio", studio, "--listen", "127.0.0.1:0", "--json",
                                         *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
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

    def metric(self, name, key=None):
        text = self.ask("GET", "/metrics", key=key)[2]
        return sum(int(line.split()[-1]) for line in text.splitlines() if line.startswith(f"atelier_{name}"))

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(60)
