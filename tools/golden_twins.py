"""Goldens of training: losses and gradients of PyTorch twins over ten steps. tests/golden/twins/NAME.safetensors.

Usage: golden_twins.py [NAME...]   (tools/golden.sh twins [NAME...])

A twin is a file of tools/twins/ with TWINS, a list of tools/twins/twin.py's Twin: an independent implementation of one
architecture, its tiny configuration and its batches. docs/formats/twins.md says what the files hold.
"""
import importlib
import os
import pathlib
import sys

sys.setdlopenflags(os.RTLD_LAZY)  # CUDA libraries may be empty stand-ins: tools/golden.sh
HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE / "twins"))
FILES = sorted(p.stem for p in (HERE / "twins").glob("*.py") if p.stem != "twin")


def main():
    wanted = set(sys.argv[1:])
    for file in FILES:
        for twin in importlib.import_module(file).TWINS:
            if not wanted or twin.name in wanted:
                path = HERE.parent / "tests/golden/twins" / f"{twin.name}.safetensors"
                twin.write(path)
                print(f"{path.relative_to(HERE.parent)}: {path.stat().st_size} bytes, loss {twin.losses[0]} -> {twin.losses[-1]}")


main()
