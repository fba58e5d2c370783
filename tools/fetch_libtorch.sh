#!/usr/bin/env bash
# fetch_libtorch.sh FOLDER: LibTorch for this machine out of PyTorch's wheel: the headers, the CPU libraries, and the two
# small CUDA libraries that they name. FOLDER/include, FOLDER/lib and FOLDER/version are there afterwards. Nothing is fetched
# when they already are.
set -euo pipefail
folder=${1:?fetch_libtorch.sh FOLDER}
version=2.15.0
[[ -f $folder/version && $(<"$folder/version") == "$version" ]] && exit
mkdir -p "$folder"
work=$(mktemp -d "$folder/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
python3 -m pip download -q --no-deps --dest "$work" --python-version 3.11 --implementation cp --abi cp311 \
  --platform manylinux_2_28_x86_64 "torch==$version"
python3 -m pip download -q --no-deps --dest "$work" nvidia-cuda-cupti==13.2.86 nvidia-cuda-runtime==13.2.86
python3 - "$work" <<'PY'
import pathlib
import sys
import zipfile

work = pathlib.Path(sys.argv[1])
wanted = {"libtorch_cpu.so", "libc10.so", "libgomp.so.1", "libcupti.so.13", "libcudart.so.13"}
(work / "lib").mkdir()
for wheel in sorted(work.glob("*.whl")):
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            path = pathlib.PurePosixPath(entry.filename)
            if path.name in wanted and "lib" in path.parts:
                (work / "lib" / path.name).write_bytes(archive.read(entry))
            elif path.parts[:2] == ("torch", "include") and not entry.is_dir():
                target = work / "include" / pathlib.Path(*path.parts[2:])
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(entry))
missing = wanted - {p.name for p in (work / "lib").iterdir()}
if missing:
    sys.exit(f"fetch_libtorch.sh: the wheels hold no {', '.join(sorted(missing))}")
PY
rm -rf "$folder/include" "$folder/lib"
mv "$work/include" "$work/lib" "$folder/"
echo "$version" >"$folder/version"
