"""Holds `atelier evaluate retrieval` against ir_measures (PyPI), from the lists that it writes.

Usage: check_retrieval.py ATELIER STUDIO INDEX. Needs ir_measures in the Python that runs it.
"""
import importlib.metadata
import json
import pathlib
import subprocess
import sys
import tempfile

import ir_measures
from ir_measures import RR, R, nDCG

ROOT = pathlib.Path(__file__).resolve().parent.parent
QUESTIONS = ROOT / "recipes/ask_docs/tests/questions.jsonl"


def main():
    atelier, studio, index = sys.argv[1:]
    questions = [json.loads(line) for line in QUESTIONS.read_text().splitlines()]
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for half in ("tuning", "held-out"):
            out = json.loads(subprocess.run([atelier, "evaluate", "retrieval", index, "--studio", studio, "--questions", QUESTIONS,
                                             "--half", half, "--run", f"{folder}/run", "--json"], check=True,
                                            stdout=subprocess.PIPE).stdout)
            chosen = [q for q in questions if q["half"] == half and "section" in q]
            for row in out["results"]:
                if row["questions"] != "all":
                    continue
                run = list(ir_measures.read_trec_run(f"{folder}/run.{row['mode']}"))
                # The documents' names carry an edition and an ending that the questions leave out.
                qrels = []
                for q in chosen:
                    lang = {"zh": "zh-cn", "en": "en"}[q["passage_lang"]]
                    named = f"{q['document']}.{lang}.html#{q['section']}"
                    qrels.append(ir_measures.Qrel(q["id"], named, 1))
                peer = ir_measures.calc_aggregate([R @ 5, RR, nDCG @ 10], qrels, run)
                for name, measure in (("recall@5", R @ 5), ("mrr", RR), ("ndcg@10", nDCG @ 10)):
                    difference = abs(peer[measure] - row[name])
                    worst = max(worst, difference)
                    if difference > 1e-9:
                        sys.exit(f"{half} {row['mode']} {name}: {row[name]} here, {peer[measure]} by ir_measures")
    version = importlib.metadata.version("ir_measures")
    print(f"recall@5, MRR and nDCG@10 of all modes and halves agree with ir_measures {version}: largest difference {worst:.1e}")


if __name__ == "__main__":
    main()
