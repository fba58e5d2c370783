"""What `evaluate bleu|chrf|ter` promise: shapes, signatures, resampling that can be repeated, one clear line for what is
wrong. The scores themselves are held against sacrebleu's goldens. Usage: evaluate_commands_test.py ATELIER."""
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

    run("bleu", "--hyp", hyp, "--ref", write("short", REF[:3]), code=1, says="line 4 of")
    run("bleu", "--hyp", write("three", HYP[:3]), "--ref", ref, code=1, says="line 4 of")
    run("ter", "--hyp", hyp, "--ref", ref, "--baseline", write("four", BASE[:4]), code=1, says="line 5 of")
    run("chrf", "--hyp", hyp, "--ref", write("latin", b"caf\xe9\n" * 5), code=1, says="latin:1: byte 4 of the line is not UTF-8")
    run("bleu", "--hyp", write("nothing", b""), "--ref", ref, code=1, says="nothing: is empty")
    run("bleu", "--hyp", hyp, "--ref", write("blank", [""] * 5), code=1, says="every reference is empty")
    run("bleu", "--hyp", hyp, "--ref", str(root / "absent"), code=1, says="absent")
    run("bleu", "--hyp", hyp, "--ref", ref, "--tokenize", "14a", code=2, says="13a, intl, zh, char, none")
    run("bleu", "--hyp", hyp, "--ref", ref, "--smooth", "more", code=2, says="add-k")
    run("bleu", "--hyp", hyp, code=2, says="--ref")
    run("chrf", "--hyp", hyp, "--ref", ref, "--char-order", "0", code=2, says="whole number")
    gaps = write("gaps", [REF[0], "", REF[2], "", REF[4]])
    run("bleu", "--hyp", hyp, "--ref", gaps, says="2 lines have no reference, the first is line 2")
    run("bleu", "--hyp", write("tokenized", ["a b ."] * 100), "--ref", write("plain", ["a b."] * 100), says="100 lines end in ' .'")

    end("scores against references: as promised")


if __name__ == "__main__":
    main()
