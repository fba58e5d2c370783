"""What `segment` and `evaluate segmentation` promise, with ICU and with the model segmenter-zh, which `./dev test` pulls.
The scores are held against tools/segmentation_score.py. Usage: segment_commands_test.py ATELIER SOURCE_DIR."""
import json
import pathlib
import sys
import tempfile

from promises import FAULTS, end, expect, run

SOURCE = pathlib.Path(sys.argv[2])
sys.path.insert(0, str(SOURCE / "tools"))
import segmentation_score as reference  # noqa: E402

# Written for this test, words as the People's Daily marks them.
GOLD = """本报 记者 昨天 从 市政府 了解 到 ， 今年 全市 将 新建 １２ 所 小学 。
研究 生命 的 起源 ， 是 科学家 们 的 共同 愿望 。
我 在 北京 工作 了 ２０ 年 ， 去年 ３月 才 回到 上海 。
他 说 ， 改革 开放 以来 ， 人民 的 生活 水平 有 了 很 大 提高 。
中国 经济 继续 保持 稳定 增长 的 势头 。
这 家 企业 去年 的 利润 比 前年 增长 １５．８％ 。
有关 部门 负责人 表示 ， 要 加强 领导 ， 落实 责任 。
她 买 了 一 本 新 书 ， 送给 自己 的 女儿 。
图书馆 每天 上午 九时 开门 ， 下午 五时 关门 。
群众 反映 的 问题 已经 得到 解决 。"""
TRAIN = "中国 经济 的 问题 ， 。 我 他 说 了 在 有 是"


def main():
    root = pathlib.Path(tempfile.mkdtemp())
    gold, train, words = root / "gold.txt", root / "train.txt", root / "words.txt"
    gold.write_text(GOLD, encoding="utf-8")
    train.write_text(TRAIN, encoding="utf-8")
    words.write_text("# ours\n全市将\n", encoding="utf-8")
    plain = "\n".join("".join(line.split()) for line in GOLD.split("\n"))

    f1 = {}
    for which in ("icu", "zh"):
        lines = json.loads(run("--json", "segment", "--segmenter", which, "--text", "-", text=plain))["lines"]
        expect("lines join to the text", "\n".join("".join(line) for line in lines), plain)
        found = [[w for w in line if not w.isspace()] for line in lines]
        wanted = reference.score([line.split() for line in GOLD.split("\n")], found, set(TRAIN.split()))
        told = json.loads(run("--json", "evaluate", "segmentation", "--segmenter", which, "--gold", str(gold), "--train",
                              str(train)))
        for key, value in wanted.items():
            expect(f"{which}: {key}", round(told[key], 12), round(value, 12))
        without = json.loads(run("--json", "evaluate", "segmentation", "--segmenter", which, "--gold", str(gold)))
        expect("no training text, no vocabulary", without["oov_recall"], None)
        f1[which] = told["f1"]
        shown = run("segment", "--segmenter", which, "--text", "-", "--user-dict", str(words), text=plain)
        expect(f"{which}: the dictionary's word", shown.split("\n")[0].count(" 全市将 "), 1)
    if f1["zh"] < 0.95 or f1["zh"] <= f1["icu"]:
        FAULTS.append(f"F1 on the small text: {f1}")

    nothing = {"ATELIER_HOME": str(root / "home")}
    shown = json.loads(run("--json", "segment", "--text", "-", text="好", env=nothing))
    expect("without a model", shown, {"segmenter": "icu", "lines": [["好"]]})
    run("segment", "--segmenter", "zh", "--text", "-", env=nothing, code=1, says="atelier model pull segmenter-zh")
    run("segment", "--segmenter", str(gold), "--text", "-", code=1, says="gold.txt")
    words.write_text("好\t-1\n", encoding="utf-8")
    run("segment", "--segmenter", "icu", "--user-dict", str(words), "--text", "-", code=1, says="words.txt:1")
    run("evaluate", "segmentation", "--segmenter", "icu", code=2, says="--gold")
    broken = root / "broken.seg"
    broken.write_bytes(b"ATLRSEG\n\x01\0\0\0" + b"\0" * 100)
    run("segment", "--segmenter", str(broken), "--text", "-", code=1, says="checksum")

    end(f"segmentation commands: as promised; F1 {f1}")


if __name__ == "__main__":
    main()
