#!/usr/bin/env python3
"""One peer of tools/bench_segment.py: reads lines, segments them, writes {"seconds", "lines"} as JSON. Loading the
peer's model is not timed. Run by the peers' own Python."""
import json
import sys
import time


def jieba():
    import logging

    import jieba as peer
    peer.setLogLevel(logging.ERROR)
    peer.initialize()
    return peer.lcut


def jieba_no_hmm():
    cut = jieba()
    return lambda line: cut(line, HMM=False)


def rjieba():
    import rjieba as peer
    peer.cut("热身")
    return peer.cut


def thulac():
    import time as clock
    if not hasattr(clock, "clock"):
        clock.clock = clock.perf_counter  # thulac was written for an older Python
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()):
        import thulac as peer
        model = peer.thulac(seg_only=True)
    return lambda line: [word for word, _ in model.cut(line)]


def snownlp():
    from snownlp import seg
    return lambda line: list(seg.seg(line))


def main():
    cut = globals()[sys.argv[1]]()
    lines = sys.stdin.buffer.read().decode("utf-8").split("\n")
    begin = time.perf_counter()
    out = [cut(line) if line else [] for line in lines]
    seconds = time.perf_counter() - begin
    json.dump({"seconds": seconds, "lines": out}, sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main()
