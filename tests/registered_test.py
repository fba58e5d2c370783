"""Every *_test.cc on disk is registered with ctest, and asserts something. Usage: registered_test.py ROOT LIST."""
import pathlib
import re
import sys

root, listing = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
registered = {line for line in listing.read_text().splitlines() if line}
on_disk = {str(p.relative_to(root)) for folder in ("src", "app", "tests", "bench", "fuzz")
           for p in (root / folder).rglob("*_test.cc") if "fixtures" not in p.parts}
errors = [f"{p}: on disk, but no ctest runs it" for p in sorted(on_disk - registered)]
errors += [f"{p}: registered, but not on disk" for p in sorted(registered - on_disk)]
for p in sorted(on_disk):
    text = (root / p).read_text()
    if not re.search(r"EXPECT_|ASSERT_|FAIL\(", text):
        errors.append(f"{p}: asserts nothing")
    for name in re.findall(r"TEST(?:_F|_P)?\(\w+,\s*(DISABLED_\w+)", text):
        errors.append(f"{p}: {name} is switched off")
print("\n".join(errors) or f"registered: {len(on_disk)} test files, all run")
sys.exit(1 if errors else 0)
