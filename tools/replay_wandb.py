#!/usr/bin/env python3
"""replay_wandb.py RUN_DIR [--out FOLDER] [--project NAME] [--name NAME]: a run's metrics.jsonl through the wandb client.

The client works offline (WANDB_MODE=offline): nothing is sent. It leaves FOLDER/wandb/offline-run-.../, which `wandb sync`
uploads when its owner wants that. Numbers keep their names and steps; NaN and infinities stay what they are; texts become
HTML, pictures and histograms wandb's. Needs the Python package wandb, with pillow for pictures (tried: 0.28.2;
tools/fetch_tracking_peers.sh makes an environment). Prints the folder of the run.
Example: build/peer/venv-wandb/bin/python tools/replay_wandb.py runs/poems --project poems
"""
import argparse
import collections
import html
import json
import math
import os
import pathlib
import sys

NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def rows(path):
    """The rows of metrics.jsonl; half a line at the end, of a process that died, is passed over."""
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith("\n"):
                return
            try:
                row = json.loads(line)
                kind = row["kind"]
            except (ValueError, KeyError, TypeError):
                sys.exit(f"{path}:{number}: not a row of metrics.jsonl")
            if (kind == "run") != (number == 1) or row.get("format", 1) != 1:
                sys.exit(f"{path}:{number}: not a metrics.jsonl of format 1")
            yield row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--out", default=".", help="where the client makes its folder wandb (default: here)")
    parser.add_argument("--project", default="atelier")
    parser.add_argument("--name", help="of the run (default: its folder's)")
    arguments = parser.parse_args()
    folder = pathlib.Path(arguments.run)
    if not (folder / "metrics.jsonl").is_file():
        sys.exit(f"{folder}/metrics.jsonl: no such file; name the folder of a run")
    os.environ["WANDB_MODE"] = "offline"
    try:
        import wandb
    except ImportError:
        sys.exit("the Python package wandb is not installed (pip install wandb pillow)")

    told = list(rows(folder / "metrics.jsonl"))
    config, steps, finish = {}, collections.defaultdict(dict), None
    for row in told:
        kind = row["kind"]
        if kind in ("run", "resume"):
            config = row.get("config", config)
        elif kind == "finish":
            finish = row
        else:
            logged = steps[row["step"]]
            logged["_timestamp"] = row["time"]
            if kind == "scalars":
                logged.update({name: NUMBERS.get(value, value) for name, value in row["values"].items()})
            elif kind == "text":
                logged[row["name"]] = wandb.Html(f"<pre>{html.escape(row['text'])}</pre>", inject=False)
            elif kind == "image":
                logged[row["name"]] = wandb.Image(str(folder / row["file"]))
            elif kind == "histogram":
                logged[row["name"]] = wandb.Histogram(np_histogram=(row["counts"], row["edges"]))
    run = wandb.init(dir=arguments.out, project=arguments.project, name=arguments.name or folder.resolve().name, config=config,
                     settings=wandb.Settings(silent=True, console="off", x_disable_stats=True, disable_git=True,
                                             save_code=False))
    for step in sorted(steps):
        run.log(steps[step], step=step)
    if finish:
        run.summary.update(finish["summary"])
    place = pathlib.Path(run.dir).parent
    run.finish(exit_code=0 if finish is None or finish["status"] == "done" else 1)
    print(place)


if __name__ == "__main__":
    main()
