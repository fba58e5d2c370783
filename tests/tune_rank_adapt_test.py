"""atelier tune rank --adapt as people use it: an encoder taught by half of the choices, a ranker learned on its vectors by the
other half, both the studio's; gone on with; without a studio; and what is refused.

Usage: tune_rank_adapt_test.py ATELIER ATELIER_LEARN ROOT
"""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

from promises import end, expect, run

SOURCE = pathlib.Path(sys.argv[3]).resolve()
ROOT = pathlib.Path(tempfile.mkdtemp())
os.environ |= {"ATELIER_HOME": str(ROOT / "home"), "ATELIER_LEARN": str(pathlib.Path(sys.argv[2]).resolve()),
               "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1"}
os.environ.pop("ATELIER_STUDIO", None)
LIKED, OTHER = ["很满意", "好评", "love it", "喜欢 茶"], ["退货", "差 评", "late again", "money back"]


def file(name, text):
    (ROOT / name).write_text(text)
    return str(ROOT / name)


def golden(folder, name):
    raw = subprocess.run(["zstd", "-dqc", f"{SOURCE}/tests/golden/{folder}/{name}.gguf.zst"], stdout=subprocess.PIPE, check=True)
    (ROOT / f"{name}.gguf").write_bytes(raw.stdout)
    return str(ROOT / f"{name}.gguf")


def choices(count, groups, seed):
    """What is liked is a matter of words, which no computed feature sees."""
    draw, lines = random.Random(seed), []
    for i in range(count):
        options = [{"text": f"{draw.choice(LIKED)} {draw.randrange(10)}", "clicked": True}]
        options += [{"text": f"{draw.choice(OTHER)} {draw.randrange(10)}"} for _ in range(draw.randint(1, 3))]
        draw.shuffle(options)
        lines.append({"context": {"name": "茶 🍵"}, "options": options, "group": f"{seed} 读者{i % groups}", "weight": draw.choice([1, 2])})
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


BERT, LLAMA = golden("encoder", "bert"), golden("archs", "llama")
STUDIO = str(ROOT / "studio")
run("init", STUDIO)
run("model", "pull", BERT, "--name", "tiny", cwd=STUDIO)
DATA, HELD = file("choices.jsonl", choices(160, 40, 1) + '{"options":[{"text":"一个"}]}\n'), file("held.jsonl", choices(60, 20, 2))
TUNE = ["tune", "rank", "--data", DATA, "--encoder", "tiny", "--features", "none", "--adapt", "--rank", "4", "--rate", "1e-2",
        "--epochs", "4"]

said = json.loads(run(*TUNE, "--validation", HELD, "--name", "taste", "--json", cwd=STUDIO, timeout=280))
expect("the encoder", said["encoder"], "taste-encoder")
expect("the other half learned the ranker", said["choices"], 80)
expect("left out", said["left_out"], 1)
expect("held out", said["held_out"]["choices"], 60)
expect("it learned", said["held_out"]["ranker"]["pair_accuracy"] > 0.95, True)
expect("its run", said["taught"]["ending"], "finished")
expect("its page", pathlib.Path(said["taught"]["report"]).stat().st_size > 1000)
taught = [json.loads(line) for part in ("choices", "held_out") for line in (ROOT / f"studio/runs/taste-encoder/{part}.jsonl").open()]
expect("half of the choices taught it", len(taught), 80)
listed = {one["name"]: one for one in json.loads(run("model", "list", "--json", cwd=STUDIO))["models"]}
expect("both are there", {name: listed[name]["architecture"] for name in ("taste", "taste-encoder")},
       {"taste": "ranker", "taste-encoder": "bert"})
expect("the encoder's licence", listed["taste-encoder"]["licence"], listed["tiny"]["licence"])
ranked = json.loads(run("rank", "-m", "taste", "退货 1", "好评 2", "late again 3", "--json", cwd=STUDIO))["choices"][0]
expect("the order", ranked["order"][0], 1)
untaught = json.loads(run("embed", "-m", "tiny", "好评", "--json", cwd=STUDIO))
expect("the encoder it came from is as it was", untaught != json.loads(run("embed", "-m", "taste-encoder", "好评", "--json", cwd=STUDIO)))

# A run that is there is not begun anew; gone on with, it ends where it ended.
run(*TUNE, "--name", "taste", cwd=STUDIO, code=1, says="holds a run already")
again = json.loads(run(*TUNE, "--validation", HELD, "--name", "taste", "--resume", "--json", cwd=STUDIO, timeout=280))
expect("the same", again["held_out"], said["held_out"])

# The ranker says the loss; contexts may have a say; and without a studio files do.
bare = ROOT / "bare"
bare.mkdir()
told = json.loads(run(*[BERT if word == "tiny" else word for word in TUNE], "--loss", "listwise", "--product", "--name", "words",
                      "--json", cwd=str(bare), timeout=280))
expect("listwise", (told["loss"], told["path"]), ("listwise", "words.ranker"))
expect("its configuration", 'loss = "listwise"' in (bare / "runs/words-encoder/run.toml").read_text())
order = json.loads(run("rank", "-m", "words.ranker", "--context", "茶 🍵", "money back 1", "love it 2", "--json", cwd=str(bare)))["choices"][0]["order"]
expect("the order of files", order[0], 1)

run("tune", "rank", "--data", DATA, "--encoder", "../bert.gguf", "--features", "none", "--name", "frozen", "--quiet", cwd=str(bare))
run("rank", "-m", str(bare / "frozen.ranker"), "money back 1", "love it 2", cwd=str(ROOT), says="love it")

# What is refused.
few = file("few.jsonl", choices(30, 7, 3))
run("model", "pull", LLAMA, "--name", "talker", cwd=STUDIO)
for args, says in ((["--data", few, "--encoder", "tiny"], "of 7 groups"),
                   (["--data", DATA, "--encoder", "talker"], "no encoder"),
                   (["--data", DATA, "--encoder", "tiny", "--validation", DATA], "learned from, too")):
    run("tune", "rank", *args, "--adapt", "--name", "other", cwd=STUDIO, code=1, says=says)
run("tune", "rank", "--data", DATA, "--adapt", "--name", "other", cwd=STUDIO, code=2, says="--encoder")
run("tune", "rank", "--data", DATA, "--encoder", "tiny", "--resume", "--name", "other", cwd=STUDIO, code=2, says="--adapt")
run("tune", "rank", "--data", DATA, "--encoder", "tiny", "--adapt", "--name", "n" * 60, cwd=STUDIO, code=1, says="shorter --name")
expect("nothing was left", (ROOT / "studio/runs/other-encoder").exists(), False)

end("tune rank --adapt keeps what it promises")
