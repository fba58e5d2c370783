"""The arrows between rooms: every #include "room/..." must be declared by the room's room(... DEPS ...) line.

Usage: layers_test.py ROOT. Also runs itself on tests/fixtures/layers_broken and fails unless every planted fault there
is found: a check that cannot fail is no check.
"""
import pathlib
import re
import sys

ROOM = re.compile(r"room\((\w+)([^)]*)\)")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]', re.M)
TORCH_ROOMS = {"model", "train"}


def declared(root):
    rooms = {}
    for cmake in sorted(root.glob("src/*/CMakeLists.txt")):
        text = re.sub(r"#.*", "", cmake.read_text())
        for name, rest in ROOM.findall(text):
            words = rest.split()
            deps, on = set(), False
            for word in words:
                if word in ("DEPS", "LIBS"):
                    on = word == "DEPS"
                elif on:
                    deps.add(word)
            if name != cmake.parent.name:
                yield_error(rooms, f"{cmake.relative_to(root)}: room({name}) stands in the folder {cmake.parent.name}")
            rooms[name] = deps | {"base"}
    return rooms


ERRORS = []


def yield_error(_, text):
    ERRORS.append(text)


def cycle(rooms):
    done, path = set(), []

    def visit(room):
        if room in path:
            return path[path.index(room):] + [room]
        if room in done or room not in rooms:
            return None
        path.append(room)
        for dep in sorted(rooms[room] - {room}):
            if dep == "base" and room == "base":
                continue
            found = visit(dep)
            if found:
                return found
        path.pop()
        done.add(room)
        return None

    for room in sorted(rooms):
        found = visit(room)
        if found:
            return found
    return None


def check(root):
    ERRORS.clear()
    rooms = declared(root)
    rooms["base"] = {"base"}
    loop = cycle({name: deps - {name} for name, deps in rooms.items()})
    if loop:
        ERRORS.append("rooms in a circle: " + " -> ".join(loop))
    files = [p for p in sorted(root.glob("src/*/**/*")) + sorted(root.glob("app/**/*")) if p.suffix in (".cc", ".h")]
    for path in files:
        where = path.relative_to(root)
        room = where.parts[1] if where.parts[0] == "src" else None
        if room is not None and room not in rooms:
            ERRORS.append(f"{where}: the folder {room} has no room({room} ...) line")
            continue
        text = path.read_text(errors="replace")
        for match in INCLUDE.finditer(text):
            kind, target = match.groups()
            line = text.count("\n", 0, match.start()) + 1
            head = target.split("/")[0]
            if kind == "<" and (head in ("torch", "ATen", "c10")):
                if room not in TORCH_ROOMS and where.parts[:2] != ("app", "learn"):
                    ERRORS.append(f"{where}:{line}: <{target}>: LibTorch stays in model/, train/ and app/learn")
            elif kind == "<" and head in rooms and room is not None:
                ERRORS.append(f"{where}:{line}: <{target}>: our own headers are included with quotes")
            elif kind == '"':
                if head not in rooms:
                    if room is not None:
                        ERRORS.append(f"{where}:{line}: \"{target}\": write the path from src/, as \"room/file.h\"")
                elif room is not None and head != room and head not in rooms[room]:
                    ERRORS.append(f"{where}:{line}: {room} may not include {target}: "
                                  f"{head} is not in room({room} DEPS {' '.join(sorted(rooms[room] - {'base'}))})")
                elif not (root / "src" / target).exists():
                    ERRORS.append(f"{where}:{line}: {target} does not exist")
    return list(ERRORS)


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    fixture = root / "tests/fixtures/layers_broken"
    found = check(fixture)
    planted = (fixture / "expected.txt").read_text().split("\n")
    missed = [p for p in planted if p and not any(p in error for error in found)]
    extra = [e for e in found if not any(p and p in e for p in planted)]
    for text in missed:
        print(f"the check did not see the planted fault: {text}")
    for text in extra:
        print(f"the check sees a fault in the fixture that was not planted: {text}")
    errors = check(root)
    for error in errors:
        print(error)
    if missed or extra or errors:
        sys.exit(1)
    print("layers: every arrow is declared; all planted faults were found")


if __name__ == "__main__":
    main()
