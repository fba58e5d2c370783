"""What tests of the command line share: commands that are held to what they promise, and the list of what was broken."""
import os
import subprocess
import sys

ATELIER = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else ""
FAULTS = []


def run(*args, cwd=None, code=0, says="", text="", stdin=None, env=None, timeout=120):
    """Runs atelier; a fault where it ends with another code or does not say `says`. Returns standard output."""
    fed = {"stdin": stdin} if stdin is not None else {"input": text.encode()}
    done = subprocess.run([ATELIER, *args], cwd=cwd, capture_output=True, timeout=timeout,
                          env={**os.environ, **(env or {})}, **fed)
    out, err = done.stdout.decode(), done.stderr.decode()
    if done.returncode != code or says not in out + err or (code != 0 and err.count("\n") > 4):
        FAULTS.append(f"{args}: exit {done.returncode}, wanted {code} and {says!r}\n{out[-2000:]}{err[-2000:]}")
    return out


def expect(what, got, wanted=True):
    if got != wanted:
        FAULTS.append(f"{what}: {got!r}, wanted {wanted!r}")


def end(done):
    """Ends the test: with the faults, or by saying what is done."""
    if FAULTS:
        sys.exit("\n".join(FAULTS))
    print(done)
