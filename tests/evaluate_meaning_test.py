"""What `evaluate bertscore|style|faithful` promise: shapes, numbers that make sense, one clear line for what is wrong. The
arithmetic is held elsewhere. Needs the model e5-small, which ./dev test fetches. Usage: evaluate_meaning_test.py ATELIER."""
import json
import os
import pathlib
import subprocess
import tempfile

from promises import ATELIER, FAULTS, end, expect

REF = ["The kettle pours slowly.", "我们今天去公园散步。", "A warm pair of socks.", "手冲壶，600毫升，不锈钢。", "Ready in five minutes ☕"]
HYP = ["The pot pours at a slow pace.", "今天我们到公园走走。", "Socks that keep you warm.", "600毫升的不锈钢手冲壶。", "It takes five minutes."]
BASE = ["Shares fell on Friday.", "股市大跌，投资者不安。", "The parliament voted.", "公司发布年报。", "Rain is expected."]
HOUSE = ["慢火煮茶，一口暖。", "清晨一杯，慢慢醒来。", "山里的水，泡今年的茶。", "坐下来，茶正好。", "一壶好茶，等一个人。", "茶香慢慢散开。",
         "窗边一坐，茶一杯。", "不急，先喝口茶。", "雨天，茶更香。", "新茶到了，尝一口。"] * 3
SOURCE = ["手冲壶，600毫升，杭州制造，88元", "Kettle, 600 ml, steel, designed by Anna in Lisbon, $18", "一盒四杯", "soap"]
COPY = ["杭州造，0.6升，88元。", "It holds 700 ml. Anna Keller made it in Rome.", "👍 产自云南，一盒五杯。", ""]


def main():
    root = pathlib.Path(tempfile.mkdtemp())

    def write(name, lines):
        path = root / name
        path.write_bytes(lines if isinstance(lines, bytes) else "".join(line + "\n" for line in lines).encode())
        return str(path)

    def run(*args, code=0, says="", text="", home=None):
        environment = dict(os.environ, **({"ATELIER_HOME": home} if home else {}))
        done = subprocess.run([ATELIER, "evaluate", *args, "--quiet"], capture_output=True, text=True, input=text, env=environment)
        if done.returncode != code or says not in done.stdout + done.stderr:
            FAULTS.append(f"{args}: exit {done.returncode}, wanted {code} and {says!r}\n{done.stdout}{done.stderr}")
        if code and len(done.stderr.splitlines()) != 1:
            FAULTS.append(f"{args}: not one line: {done.stderr!r}")
        return done.stdout

    def asked(*args, **more):
        return json.loads(run(*args, "--json", **more) or "{}")

    def holds(what, condition):
        if not condition:
            FAULTS.append(what)

    hyp, ref, base = write("hyp", HYP), write("ref", REF), write("base", BASE)

    # --- bertscore
    plain = asked("bertscore", "--hyp", hyp, "--ref", ref, "--sentence")
    holds(f"bertscore {plain}", 0.85 < plain["f1"] < 0.99 and 0.8 < plain["precision"] < 1 and 0.8 < plain["recall"] < 1)
    holds(f"bertscore's signature {plain['signature']}",
          plain["signature"].startswith("nrefs:1|model:e5-small|sha256:d1ef172dcb597c1b|layer:12|idf:no|rescaled:no"))
    expect("a line's scores", [sorted(line) for line in plain["sentences"]], [["f1", "precision", "recall"]] * 5)
    holds("scores of lines", abs(sum(line["f1"] for line in plain["sentences"]) / 5 - plain["f1"]) < 1e-9)
    same = asked("bertscore", "--hyp", ref, "--ref", ref, "--ref", base)
    holds(f"the references themselves {same}", abs(same["f1"] - 1) < 1e-6 and abs(same["recall"] - 1) < 1e-6)
    again = asked("bertscore", "--hyp", "-", "--ref", ref, text="\n".join(HYP))
    expect("from a pipe", again["f1"], plain["f1"])
    compared = asked("bertscore", "--hyp", hyp, "--ref", ref, "--baseline", base, "--idf", "--layer", "9", "--trials", "200")
    holds(f"comparison {compared['comparison']}", compared["comparison"]["f1"]["difference"] > 0.02 and
          compared["comparison"]["f1"]["p_randomisation"] < 0.15)
    holds("layer and idf in the signature", "|layer:9|idf:yes|" in compared["signature"])
    scaled = asked("bertscore", "--hyp", hyp, "--ref", ref, "--rescale-precision", "0.76", "--rescale-recall", "0.76",
                   "--rescale-f1", "0.75")
    holds("rescaling", abs(scaled["f1"] - (plain["f1"] - 0.75) / 0.25) < 1e-9)
    run("bertscore", "--hyp", hyp, "--ref", ref, "--layer", "13", code=1, says="its layers are 1 to 12")
    run("bertscore", "--hyp", hyp, "--ref", ref, "--rescale-f1", "0.7", code=2, says="all three")
    run("bertscore", "--hyp", hyp, "--ref", write("short", REF[:3]), code=1, says=":4: has no counterpart")
    run("bertscore", "--hyp", write("broken", b"good\n\xff\xfe\n"), "--ref", ref, code=1, says="broken:2")
    run("bertscore", "--hyp", hyp, "--ref", ref, code=1, says="atelier model pull e5-small", home=str(root / "nobody"))
    run("bertscore", "--hyp", hyp, "--ref", ref, "-m", "none-such", code=1, says="none-such")
    long = asked("bertscore", "--hyp", write("long", ["word " * 3000, ""]), "--ref", write("two", ["word", "a"]))
    expect("what is cut, and empty", (long["truncated"], long["lines"]), (1, 2))

    # --- style
    house = write("house", HOUSE)
    like = asked("style", "--hyp", write("like", ["秋天，茶更暖。", "一口茶，慢慢喝。", "山茶一杯，正好。"]), "--ref", house, "--sentence")
    unlike = asked("style", "--hyp", write("unlike", ["LIMITED OFFER!!! Buy 2, get 1 free!!!", "本公司2026年度财务报告显示，营业收入同比增长15.3%；详见附件（第12页）。"]),
                   "--ref", house)
    for measure in ("middle", "nearest"):
        holds(f"style by {measure}", like["meaning"][measure]["score"] > unlike["meaning"][measure]["score"] and
              unlike["meaning"][measure]["score"] < 0.2)
    holds("style by the surface", like["surface"]["delta"]["score"] > unlike["surface"]["delta"]["score"])
    expect("outliers of the unlike", sorted(o["line"] for o in unlike["outliers"]), [1, 2])
    expect("lines", [row["line"] for row in like["per_line"]], [1, 2, 3])
    expect("differs", len(unlike["surface"]["differs"]), 5)
    surface = asked("style", "--hyp", house, "--ref", house, "--surface", home=str(root / "nobody"))
    holds("no model, no meaning", "meaning" not in surface and surface["signature"].startswith("model:none"))
    run("style", "--hyp", hyp, "--ref", write("one", ["一"]), code=1, says="1 texts are no house style")
    run("style", "--hyp", write("blank", ["", " "]), "--ref", house, code=1, says="every text is empty")
    run("style", "--hyp", hyp, "--ref", house, code=1, says="atelier model pull e5-small", home=str(root / "nobody"))

    # --- faithful
    copy, source = write("copy", COPY), write("source", SOURCE)
    told = asked("faithful", "--hyp", copy, "--source", source)
    expect("what is not in the source", [[(u["kind"], u["what"], u["text"], u["begin"], u["end"]) for u in row["unsupported"]]
                                         for row in told["per_line"]],
           [[], [("number", "volume", "700 ml", 9, 15), ("name", "name", "Keller", 22, 28), ("name", "name", "Rome", 40, 44)],
            [("name", "place", "云南", 4, 6), ("number", "count", "五杯", 9, 11)], []])
    expect("spans are characters", COPY[2][4:6], "云南")
    expect("shares", (told["score"], told["faithful"], told["unsupported_numbers"], told["unsupported_names"], told["empty"]),
           (0.5, 2, 2, 3, 1))
    expect("an empty line's support", told["per_line"][3]["least_support"], None)
    holds("support", 0.7 < told["mean_least_support"] < 1 and 0 < told["interval"]["low"] < 0.5 < told["interval"]["high"] < 1)
    strict = asked("faithful", "--hyp", copy, "--source", source, "--least-support", "0.999")
    expect("with a least support", (strict["faithful"], strict["below_least_support"]), (1, 3))
    bare = asked("faithful", "--hyp", copy, "--source", source, "--surface", home=str(root / "nobody"))
    expect("without a model", (bare["faithful"], "mean_least_support" in bare), (2, False))
    run("faithful", "--hyp", copy, "--source", write("three", SOURCE[:3]), code=1, says=":4: has no counterpart")
    run("faithful", "--hyp", copy, "--source", write("nothing", ["", "", "", ""]), code=1, says="every reference is empty")
    run("faithful", "--hyp", copy, "--source", source, "--surface", "--least-support", "0.5", code=2, says="--surface has none")
    end("texts by meaning: as promised")


if __name__ == "__main__":
    main()
