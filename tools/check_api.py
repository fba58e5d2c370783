#!/usr/bin/env python3
"""Holds `atelier serve` against its own /openapi.json with schemathesis, in all its modes, NUL included.

    tools/check_api.py build/release/atelier [--examples 2000] [--seed 1]

Installs schemathesis into build/peer/schemathesis, makes a tiny model of four layers (tests/golden/archs) whose texts
take no time, starts a server that asks for keys, and fails at a 5xx, a hang, a crash, an answer that is not as it is
described, a wrong key that is let in, or a method that is taken where it should not be. What bodies are refused is this
server's own business beyond what JSON Schema can say, so acceptance is not judged.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
VERSION = "4.32.5"
CHECKS = ("not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
          "response_schema_conformance,unsupported_method,allow_header_conformance,ignored_auth")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("atelier")
    parser.add_argument("--examples", type=int, default=2000, help="for each operation")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    environment = ROOT / "build/peer/schemathesis"
    program = environment / "bin/schemathesis"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        subprocess.run([environment / "bin/pip", "install", "--quiet", f"schemathesis=={VERSION}"], check=True)
    sys.path.insert(0, str(ROOT / "tests"))
    from serving import Server, studio_with, with_chat_template
    atelier = str(pathlib.Path(args.atelier).resolve())
    work = pathlib.Path(tempfile.mkdtemp())
    subprocess.run(["zstd", "-dfq", ROOT / "tests/golden/archs/qwen2.gguf.zst", "-o", work / "bare.gguf"], check=True)
    with_chat_template(work / "bare.gguf", work / "tiny.gguf",
                       "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}<assistant>")
    studio = studio_with(atelier)
    subprocess.run([atelier, "model", "pull", work / "tiny.gguf", "--name", "tiny", "--studio", studio, "--quiet"],
                   check=True, stdout=subprocess.DEVNULL, env=os.environ | {"ATELIER_HOME": str(work / "home")})
    key = json.loads(subprocess.run([atelier, "key", "create", "all", "--scope", "admin", "--studio", studio, "--json"],
                                    check=True, capture_output=True, text=True).stdout)["key"]
    server = Server(atelier, studio, "--require-keys")
    print(f"schemathesis {VERSION}, {args.examples} examples an operation", flush=True)
    tested = subprocess.run(
        [program, "run", f"http://127.0.0.1:{server.port}/openapi.json", "--mode", "all", "--max-examples", str(args.examples),
         "--generation-allow-x00", "true", "--workers", "1", "--seed", str(args.seed), "--request-timeout", "60",
         "--continue-on-failure", "--checks", CHECKS, "-H", f"Authorization: Bearer {key}", "--warnings", "off",
         "--suppress-health-check", "all"], cwd=work)
    alive = server.process.poll() is None and server.ask("GET", "/healthz")[2] == "ok\n"
    print("the server is alive" if alive else "THE SERVER IS GONE")
    sys.exit(tested.returncode if alive and server.stop() == 0 else 1)


if __name__ == "__main__":
    main()
