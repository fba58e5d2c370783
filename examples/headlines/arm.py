#!/usr/bin/env python3
"""arm.py FOLDER [--plain] [--samples N]: the recipe ad_copy in FOLDER, its variant `headlines` with one thing changed.

--plain: by the model as it came, which is shown three examples instead of being tuned; --samples: so many of each product.
"""

import argparse
import pathlib
import re
import shutil

import headline as h


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--samples", type=int, default=16)
    options = parser.parse_args()
    shutil.rmtree(options.folder, ignore_errors=True)
    shutil.copytree(h.RECIPE, options.folder)
    path = options.folder / "recipe.toml"
    before, mark, variant = path.read_text(encoding="utf-8").partition("[variants.headlines]\n")
    assert mark, "recipe.toml has no variant `headlines`"
    variant, count = re.subn(r"(?<=samples = )16\b", str(options.samples), variant, count=1)
    assert count == 1
    if options.plain:
        writer, mark_of_score, score = variant.partition("[variants.headlines.likelihood]\n")
        variant = writer.replace("templates/headline.", "templates/writer.") + mark_of_score + score.replace("templates/headline.", "templates/score.")
        variant = variant.replace("gemma3-270m+headlines", "gemma3-270m")
    path.write_text(before + mark + variant, encoding="utf-8")


if __name__ == "__main__":
    main()
