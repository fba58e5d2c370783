"""What `evaluate bleu|chrf|ter|rouge|meteor|exact-match|diversity` promise: shapes, signatures, resampling that can be repeated, one clear line for what is
wrong. The scores themselves are held against the peers' goldens. Usage: evaluate_commands_test.py ATELIER."""
import json
import pathlib
import subprocess
import tempfile

from promises import ATELIER, FAULTS, end, expect

REF = ["The kettle pours slowly.", "我们今天去公园。", "A second, warmer pair of socks.", "Steel, 600 ml.", "It costs 1,000.50 now."]
HYP = ["The kettle pours fast.", "我们去公园。", "A second, warm pair of socks.", "Steel, 600 ml.", "Now it costs 1,000.50."]
BASE = ["Kettle pouring.", "公园我们。", "Socks.", "Steel.", "It was now 1,000."]


def main():
    root = pathlib.Path(tempfile.mkdtemp())

    def write(name, lines):
        path = root / name
        path.write_bytes(lines if isinstance(lines, bytes) else "".join(line + "\n" for line in lines).encode())
        return str(path)

    hyp, ref, base = write("hyp", HYP), write("ref", REF), write("base", BASE)

    def run(*args, code=0, says="", text=""):
        done = subprocess.run([ATELIER, "evaluate", *args], capture_output=True, text=True, input=text)
        if done.returncode != code or says not in done.stdout + done.stderr:
            FAULTS.append(f"{args}: exit {done.returncode}, wanted {code} and {says!r}\n{done.stdout}{done.stderr}")
        if code and len(done.stderr.splitlines()) != 1:
            FAULTS.append(f"{args}: not one line: {done.stderr!r}")
        return done.stdout

    def asked(metric, *args, **more):
        return json.loads(run(metric, *args, "--json", **more))

    bleu = asked("bleu", "--hyp", hyp, "--ref", ref)
    expect("bleu's signature", bleu["signature"], "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0")
    expect("bleu's lines", (bleu["lines"], bleu["empty_references"], len(bleu["precisions"])), (5, 0, 4))
    if not 40 < bleu["score"] < 80:
        FAULTS.append(f"bleu is {bleu['score']}")
    expect("chrf's signature", asked("chrf", "--hyp", hyp, "--ref", ref, "--ref", base, "--word-order", "2")["signature"],
           "nrefs:2|case:mixed|eff:yes|nc:6|nw:2|space:no|version:2.6.0")
    ter = asked("ter", "--hyp", hyp, "--ref", ref, "--normalized", "--asian-support")
    expect("ter's signature", ter["signature"], "nrefs:1|case:lc|tok:tercom|norm:yes|punct:yes|asian:yes|version:2.6.0")
    for metric, best in (("bleu", 100), ("chrf", 100), ("ter", 0)):
        expect(f"{metric} of the references", round(asked(metric, "--hyp", ref, "--ref", ref)["score"], 9), best)
        expect(f"{metric} from a pipe", asked(metric, "--hyp", "-", "--ref", ref, text="\n".join(HYP))["score"],
               asked(metric, "--hyp", hyp, "--ref", ref)["score"])
    lines = asked("bleu", "--hyp", hyp, "--ref", ref, "--sentence", "--tokenize", "zh")
    expect("sentences", (len(lines["sentences"]), round(lines["sentences"][3], 9), lines["sentence_signature"]),
           (5, 100, "nrefs:1|case:mixed|eff:yes|tok:zh|smooth:exp|version:2.6.0"))

    drawn = [asked("bleu", "--hyp", hyp, "--ref", ref, "--bootstrap", "500", "--seed", seed) for seed in ("7", "7", "8")]
    expect("the same seed", drawn[0], drawn[1])
    if drawn[0]["bootstrap"] == drawn[2]["bootstrap"]:
        FAULTS.append("another seed drew the same")
    expect("resampled signature", drawn[0]["signature"],
           "nrefs:1|bs:500|seed:7|rng:splitmix64|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0")
    if not drawn[0]["bootstrap"]["low"] <= drawn[0]["score"] <= drawn[0]["bootstrap"]["high"]:
        FAULTS.append(f"interval {drawn[0]}")
    many = [write(name, lines * 12) for name, lines in (("hyp12", HYP), ("ref12", REF), ("base12", BASE))]
    versus = asked("chrf", "--hyp", many[0], "--ref", many[1], "--baseline", many[2], "--trials", "999")
    expect("compared signature", versus["signature"][:46], "nrefs:1|bs:1000|ar:999|seed:12345|rng:splitmix")
    if versus["comparison"]["p_bootstrap"] > 0.01 or versus["comparison"]["p_randomisation"] != 0.001:
        FAULTS.append(f"a plain difference is not found: {versus['comparison']}")
    same = asked("chrf", "--hyp", many[0], "--ref", many[1], "--baseline", many[0])["comparison"]
    expect("the same texts twice", (same["difference"], same["p_bootstrap"], same["p_randomisation"]), (0, 1, 1))
    run("bleu", "--hyp", hyp, "--ref", ref, "--baseline", base, says="by exchange of lines p = ")

    hyp3, ref3 = write("hyp3", ["the cat sat", "", "好茶"]), write("ref3", ["the cat sat down", "x", "好茶叶"])
    rouge = asked("rouge", "--hyp", hyp3, "--ref", ref3)
    expect("rouge's shape", list(rouge), ["metric", "rouge1", "rouge2", "rougeL", "rougeLsum", "signature", "lines", "empty_hypotheses",
                                          "empty_references", "precision", "recall", "notes"])
    expect("the mean", round(rouge["rouge1"], 9), round(6 / 7 / 3, 9))
    expect("precision and recall", [round(rouge[k]["rouge1"], 9) for k in ("precision", "recall")], [round(1 / 3, 9), 0.25])
    expect("rouge's signature", rouge["signature"], "nrefs:1|case:lc|stem:no|tok:rouge|split:no|version:0.1.2")
    for metric in ("bleu", "ter", "rouge", "meteor", "exact-match"):
        said = asked(metric, "--hyp", hyp3, "--ref", ref3, *(["--tokenize", "zh"] if metric == "rouge" else []))
        expect(f"{metric} of an empty text", (said["empty_hypotheses"], [n.rpartition("/")[2] for n in said["notes"]]),
               (1, ["hyp3:2: 1 of 3 texts are empty, this first"]))
        run(metric, "--hyp", hyp3, "--ref", ref3, says="note: " + said["notes"][0])
    nothing = asked("bleu", "--hyp", write("silent", [""] * 3), "--ref", ref3)
    expect("a silent system", (nothing["score"], nothing["empty_hypotheses"], len(nothing["notes"])), (0, 3, 1))
    run("bleu", "--hyp", hyp3, "--ref", ref3, "--baseline", str(root / "silent"), says="silent:1: 3 of 3 texts are empty")
    zh = asked("rouge", "--hyp", hyp3, "--ref", ref3, "--tokenize", "zh", "--sentence")["sentences"]
    expect("a line's scores", {k: round(v, 9) for k, v in zh[2].items() if k[0] == "r" and k != "recall"},
           {"rouge1": 0.8, "rouge2": round(2 / 3, 9), "rougeL": 0.8, "rougeLsum": 0.8})
    expect("a line's precision and recall", [zh[2]["precision"]["rouge1"], round(zh[2]["recall"]["rouge1"], 9)], [1, round(2 / 3, 9)])
    words = asked("rouge", "--hyp", hyp3, "--ref", ref3, "--tokenize", "zh-words", "--segmenter", "icu")
    expect("zh-words", words["signature"].split("|")[3], "tok:zh-words-icu")
    own = asked("rouge", "--hyp", hyp3, "--ref", ref3, "--tokenize", "zh-words", "--segmenter", "icu", "--user-dict", write("dict", ["好茶"]))
    if not own["signature"].split("|")[3].startswith("tok:zh-words-icu+dict-") or own["rouge1"] == words["rouge1"]:
        FAULTS.append(f"a user's dictionary is not named, or not used: {own}")
    expect("rouge of Chinese by a-z", rouge["notes"][1], "1 of 3 texts have no token of a-z or 0-9 and score 0 (Chinese: --tokenize zh)")
    two = asked("rouge", "--hyp", hyp3, "--ref", ref3, "--ref", hyp3)
    expect("two references", [round(two["rouge1"], 9), two["signature"][:7]], [round(1 / 3, 9), "nrefs:2"])
    split = asked("rouge", "--hyp", write("h2", ["b c<n>a"]), "--ref", write("r2", ["a<n>b c"]), "--sentence-break", "<n>")
    expect("sentences", [round(split["rougeL"], 9), split["rougeLsum"]], [round(2 / 3, 9), 1])
    answers = asked("exact-match", "--hyp", write("a", ["The  Cat!", "a dog"]), "--ref", write("b", ["cat", "cat dog"]))
    expect("answers", [answers["exact_match"], round(answers["f1"], 9), answers["signature"]],
           [0.5, round((1 + 2 / 3) / 2, 9), "nrefs:1|case:lc|tok:squad|version:2.0"])
    zh = asked("exact-match", "--hyp", write("c", ["北京大学"]), "--ref", write("d", ["北京"]), "--tokenize", "zh")
    expect("answers in Chinese", [zh["exact_match"], round(zh["f1"], 9)], [0, round(2 / 3, 9)])
    cats = [write("e", ["the cats"]), write("f", ["the cat"])]
    meteor = asked("meteor", "--hyp", cats[0], "--ref", cats[1])
    expect("meteor", [round(meteor["meteor"], 9), meteor["signature"]],
           [0.9375, "nrefs:1|case:lc|tok:units|match:exact+stem|alpha:0.9|beta:3|gamma:0.5|version:3.10.4"])
    expect("meteor without a penalty", asked("meteor", "--hyp", cats[0], "--ref", cats[1], "--gamma", "0")["meteor"], 1)
    paired = asked("rouge", "--hyp", many[0], "--ref", many[1], "--baseline", many[2], "--tokenize", "zh", "--trials", "999")
    for name in ("rouge1", "rouge2", "rougeL", "rougeLsum"):
        if paired["comparison"][name]["p_bootstrap"] > 0.01 or paired["comparison"][name]["p_randomisation"] != 0.001:
            FAULTS.append(f"{name}: a plain difference is not found: {paired['comparison']}")
        if not paired["bootstrap"][name]["low"] < paired[name] < paired["bootstrap"][name]["high"]:
            FAULTS.append(f"{name}'s interval {paired}")
    run("exact-match", "--hyp", hyp3, "--ref", ref3, "--sentence", says="LINE  exact_match      f1")
    run("rouge", "--hyp", hyp, "--ref", ref, "--tokenize", "13a", code=2, says="rouge, zh, zh-words")
    run("exact-match", "--hyp", hyp, "--ref", ref, "--tokenize", "13a", code=2, says="squad, zh")
    run("meteor", "--hyp", hyp, "--ref", ref, "--alpha", "2", code=2, says="--alpha")

    many_hyps = write("varied", ["a b a b", "好茶", "", "a b a b", "..."])
    varied = asked("diversity", "--hyp", many_hyps, "--n", "2")
    expect("diversity's shape", list(varied), ["texts", "tokens", "without_tokens", "repeats", "distinct", "entropy", "self_bleu",
                                               "repetition", "ngrams", "different", "signature", "notes"])
    expect("diversity", [varied[k] for k in ("texts", "tokens", "without_tokens", "repeats", "distinct", "ngrams", "different")],
           [3, 10, 2, 1, [0.4, 3 / 7], [10, 7], [4, 3]])
    expect("self-BLEU", [round(x, 9) for x in varied["self_bleu"]], [round(200 / 3, 9)] * 2)
    expect("repetition", [round(x, 9) for x in varied["repetition"]], [round(1 / 3, 9), round(2 / 9, 9)])
    expect("diversity's notes", [n.rpartition("/")[2] for n in varied["notes"]],
           ["2 of 5 texts have no token and are left out", "varied:4: repeats line 1; 1 of 3 texts repeat an earlier one"])
    expect("diversity's signature", varied["signature"], "case:lc|tok:units|n:2|eff:yes|smooth:floor[0.10]|version:2.6.0")
    run("diversity", "--hyp", many_hyps, says="3 texts, 10 tokens, 1 repeats")
    expect("from a pipe", asked("diversity", "--hyp", "-", "--n", "2", text="a b a b\n好茶\n\na b a b\n...")["distinct"], varied["distinct"])
    alone = asked("diversity", "--hyp", write("alone", ["one two"]))
    expect("one text", [alone["self_bleu"], alone["distinct"], alone["entropy"][2]], [[None] * 4, [1, 1, None, None], None])
    if not any("self-BLEU is undefined" in note for note in alone["notes"]):
        FAULTS.append(f"one text's notes: {alone['notes']}")
    sampled = [asked("diversity", "--hyp", many[1], "--sample", "9", "--seed", seed) for seed in ("1", "1", "2")]
    expect("the same sample", sampled[0], sampled[1])
    expect("sampled signature", sampled[0]["signature"][:37], "sample:9|seed:1|rng:splitmix64|case:l")
    if sampled[0]["tokens"] == sampled[2]["tokens"] and sampled[0]["entropy"] == sampled[2]["entropy"]:
        FAULTS.append("another seed drew the same texts")
    words = asked("diversity", "--hyp", many_hyps, "--tokenize", "zh-words", "--segmenter", "icu")
    expect("a segmenter's words", words["signature"][:26], "case:lc|tok:zh-words-icu|n")
    run("diversity", "--hyp", write("points", ["...", "!"]), code=1, says="points: no text has a token")
    run("diversity", "--hyp", write("nothing", b""), code=1, says="nothing: is empty")
    run("diversity", "--hyp", write("latin", b"fine\ncaf\xe9\n"), code=1, says="latin:2: byte 4 of the line is not UTF-8")
    run("diversity", "--hyp", hyp, "--tokenize", "14a", code=2, says="units, zh-words, 13a, intl, zh, char, none")
    run("diversity", "--hyp", hyp, "--n", "0", code=2, says="--n")

    run("bleu", "--hyp", hyp, "--ref", write("short", REF[:3]), code=1, says="hyp:4: has no counterpart")
    run("bleu", "--hyp", write("three", HYP[:3]), "--ref", ref, code=1, says="ref:4: has no counterpart: ")
    run("ter", "--hyp", hyp, "--ref", ref, "--baseline", write("four", BASE[:4]), code=1, says="ref:5: has no counterpart: ")
    run("chrf", "--hyp", hyp, "--ref", write("latin", b"caf\xe9\n" * 5), code=1, says="latin:1: byte 4 of the line is not UTF-8")
    run("bleu", "--hyp", write("nothing", b""), "--ref", ref, code=1, says="nothing: is empty")
    run("bleu", "--hyp", hyp, "--ref", write("blank", [""] * 5), code=1, says="every reference is empty")
    run("bleu", "--hyp", hyp, "--ref", str(root / "absent"), code=1, says="absent")
    run("bleu", "--hyp", hyp, "--ref", ref, "--tokenize", "14a", code=2, says="13a, intl, zh, char, none")
    run("bleu", "--hyp", hyp, "--ref", ref, "--smooth", "more", code=2, says="add-k")
    for metric in ("bleu", "rouge", "meteor", "exact-match"):
        run(metric, "--hyp", hyp, code=2, says="--ref")
    run("chrf", "--hyp", hyp, "--ref", ref, "--char-order", "0", code=2, says="whole number")
    gaps = write("gaps", [REF[0], "", REF[2], "", REF[4]])
    run("bleu", "--hyp", hyp, "--ref", gaps, says="2 lines have no reference, the first is line 2")
    run("bleu", "--hyp", write("tokenized", ["a b ."] * 100), "--ref", write("plain", ["a b."] * 100), says="100 lines end in ' .'")

    end("scores against references: as promised")


if __name__ == "__main__":
    main()
