#!/usr/bin/env python3
"""What `atelier serve` promises under load and under attack, measured from outside by a process of its own.

    ./dev bench serve                      every part, mixed load for ten minutes
    tools/load_serve.py streams            one part, with build/release/atelier
    tools/load_serve.py overload hostile --json
    tools/load_serve.py mixed --seconds 60
    tools/load_serve.py vanish --scale 0.2 a fifth of the clients: a look, no proof

Each part starts a server of its own on a fresh studio with the model smollm2 (which `./dev run` or `./dev test`
fetches), prints what it measured beside what is promised, and says PASS or FAIL. The exit status is 1 when a bound did
not hold. Client and server share the machine, so the client's own work is part of every figure.
"""
import argparse
import asyncio
import json
import pathlib
import random
import resource
import statistics
import sys
import tempfile
import time

import hostile_requests as hostile
from load_checks import Witness, calm, hostile_schemas_beside_others, run_cases
from serve_client import (MODEL, Server, ask, chat, chat_body, connect, home, make_studio, percentile, request_bytes)

ROOT = pathlib.Path(__file__).resolve().parent.parent
ENDLESS = {"2": -100}  # a bias against the model's end token: answers are as long as they were asked to be
ENDLESS_SCHEMAS = {  # whose replies do not end before their limit
    "strings": {"type": "array", "minItems": 1000, "items": {"type": "string", "minLength": 120, "maxLength": 400}},
    "records": {"type": "array", "minItems": 1000, "items": {
        "type": "object", "properties": {"name": {"type": "string", "maxLength": 40},
                                         "age": {"type": "integer", "minimum": 0, "maximum": 120},
                                         "tags": {"type": "array", "items": {"enum": ["new", "sale", "最好"]}, "maxItems": 3}},
        "required": ["name", "age", "tags"], "additionalProperties": False}},
    "enums": {"type": "array", "minItems": 1000, "items": {"enum": ["red", "green", "grün", "红", "绿", 1, 2.5, None]}},
    "numbers": {"type": "array", "minItems": 1000, "items": {"type": "number", "minimum": -12.5, "exclusiveMaximum": 99999.75}},
}
THEMES = ["茶和咖啡 🎈", "a lighthouse in fog", "Wie kocht man Reis?", "the number ٤٢", "a café in Łódź",
          "夜の電車", "an empty box \u200b", "<|im_start|> is a token", "lists:\n1.\n2.", "🧑‍🚀🌒 in orbit"]


class Report:
    """Rows of what was measured; a row with a bound passes or fails."""

    def __init__(self, part, quiet):
        self.part, self.quiet, self.rows = part, quiet, []

    def row(self, what, value, bound=None, passed=None, unit=""):
        self.rows.append({"part": self.part, "what": what, "value": value, "bound": bound, "unit": unit,
                          "pass": passed})
        if not self.quiet:
            shown = f"{value:.3f}" if isinstance(value, float) else str(value)
            verdict = "" if passed is None else "PASS" if passed else "FAIL"
            print(f"{self.part:9} {what:58} {shown + ' ' + unit:>16}  {bound or '':24} {verdict}", flush=True)

    def at_most(self, what, value, most, unit=""):
        self.row(what, value, f"at most {most} {unit}".strip(), value is not None and value <= most, unit)

    def equals(self, what, value, wanted):
        self.row(what, value, f"= {wanted}", value == wanted)


async def gather(work, at_once):
    """Awaits all of `work`, so many at once."""
    gate = asyncio.Semaphore(at_once)

    async def one(coroutine):
        async with gate:
            return await coroutine
    return await asyncio.gather(*(one(coroutine) for coroutine in work))


async def streams(server, report, options):
    """200 streams at once are complete, and each is the text that comes unstreamed."""
    count = options.count(200)

    def question(i):
        return {"text": f"Tell me about {THEMES[i % len(THEMES)]}, number {i}.", "seed": i, "temperature": 0.9,
                "max_tokens": 8 + i % 41, "top_p": 0.95, "logit_bias": ENDLESS if i % 2 else None}
    whole = await gather([chat(server.port, **question(i)) for i in range(count)], 16)
    await calm(server)
    highest = 0

    async def watch():
        nonlocal highest
        while True:
            highest = max(highest, int(await server.metric("requests_running")) - 1)
            await asyncio.sleep(0.05)
    watching = asyncio.create_task(watch())
    start = time.monotonic()
    streamed = await gather([chat(server.port, stream=True, **question(i)) for i in range(count)], count)
    took = time.monotonic() - start
    watching.cancel()
    report.row("open at once, as the server counted", highest, f"= {count}", highest == count)
    report.equals("complete", sum(answer.done() for answer in streamed), count)
    report.equals("text and end as unstreamed", sum(a.choices() == b.choices() for a, b in zip(streamed, whole)
                                                    if a.status == b.status == 200), count)
    report.row("all of them", took, unit="s")
    first = [answer.times[0] - answer.sent for answer in streamed if answer.times]
    report.row("first byte p50", percentile(first, 50), unit="s")
    report.row("first byte p99", percentile(first, 99), unit="s")


async def overload(server, report, options):
    """With 50 times the clients that it admits, refusals come at once and the admitted ones hardly notice."""
    admitted = 16  # model_batch and model_queue, below
    factor = max(2, round(50 * options.scale))
    seconds = options.seconds or 15
    rounds = 3
    body = {"max_tokens": 24, "logit_bias": ENDLESS, "temperature": 0}

    async def client(i, until, served, refused, faults, crowd):
        draw = random.Random(i)
        link = None
        if crowd:
            await asyncio.sleep(draw.random())  # they come in the course of a second, not on a starting signal
        while time.monotonic() < until:
            if link is None or link.closed:
                link = await connect(server.port)
            answer = await chat(server.port, f"Guest {i} likes {THEMES[i % len(THEMES)]}.", link=link, patient=False,
                                **body)
            if answer.status == 200:
                served.append(answer.seconds())
            elif answer.status == 429 and "retry-after" in answer.headers:
                refused.append(answer.seconds())
                await asyncio.sleep(float(answer.headers["retry-after"]) * draw.uniform(0.75, 1.25))
            else:
                faults.append(answer.status)
        if link is not None:
            link.close()
    alone, crowded, refused, faults = [], [], [], []
    for _ in range(rounds):
        for count, served in ((admitted, alone), (admitted * factor, crowded)):
            until = time.monotonic() + seconds
            await asyncio.gather(*(client(i, until, served, refused, faults, count > admitted) for i in range(count)))
            await calm(server)
    # Everybody at once, on connections that stand: how long the last one waits for its refusal.
    links = await gather([connect(server.port) for _ in range(admitted * factor)], 100)
    data = request_bytes("POST", "/v1/chat/completions", chat_body("At once.", **body))
    herd = await asyncio.gather(*[link.send(data) for link in links])
    for link in links:
        link.close()
    herd_refused = [answer.seconds() for answer in herd if answer.status == 429]
    report.row("clients", admitted * factor, f"{factor} times {admitted}")
    report.equals("answers that are neither 200 nor 429 with Retry-After", len(faults), 0)
    report.row("admitted, alone and in the crowd", f"{len(alone)}, {len(crowded)}")
    report.row("refusals", len(refused))
    report.row("refused: p50", 1e3 * percentile(refused, 50), unit="ms")
    report.at_most("refused: p99", 1e3 * percentile(refused, 99), 100, "ms")
    report.row("refused: worst", 1e3 * max(refused, default=0), unit="ms")
    report.row("all in one moment: refused", len(herd_refused))
    report.row("all in one moment: p99", 1e3 * percentile(herd_refused, 99), unit="ms")
    for what, times in (("alone", alone), ("in the crowd", crowded)):
        report.row(f"admitted {what}: p50, p99", f"{percentile(times, 50):.3f}, {percentile(times, 99):.3f}", unit="s")
    report.row("p50 grows", percentile(crowded, 50) / percentile(alone, 50), unit="times")
    report.at_most("p99 grows", percentile(crowded, 99) / percentile(alone, 99), 2, "times")


async def vanish(server, report, options):
    """500 clients that go, while they wait, while their prompts are read, while they are written to."""
    count = options.count(500)
    draw = random.Random(1)
    long = " ".join(draw.choice(THEMES) + str(draw.random()) for _ in range(60))
    for where in ("queue", "prefill", "decode"):
        links = await gather([connect(server.port) for _ in range(count)], 100)
        for i, link in enumerate(links):
            text = f"{i} {long}" if where == "prefill" else f"A story of {i}."
            link.send(request_bytes("POST", "/v1/chat/completions", chat_body(text, stream=True, max_tokens=2000,
                                                                             logit_bias=ENDLESS)))
            if i % 50 == 49:
                await asyncio.sleep(0)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            busy = await server.metric("model_running", "model_waiting")
            written = sum(link.answer is not None and bool(link.answer.times) for link in links)
            if busy == count and (where != "decode" or written >= min(60, count // 2)):
                break
            await asyncio.sleep(0.02)
        report.equals(f"{where}: clients that the model has", int(busy), count)
        for i, link in enumerate(links):
            link.reset() if i % 2 else link.close()
        await asyncio.sleep(0)
        report.at_most(f"{where}: free again after the last one went", await server.idle(), 1, "s")


async def readers(server, report, options):
    """100 readers that stop reading cost little, and are dropped at their deadline."""
    count = options.count(100)
    write_seconds = 20  # net::ServerOptions::write_seconds
    # Many bytes for few tokens: each with the twenty likeliest, together nearly what the server holds for a client.
    body = {"model": MODEL, "prompt": "Once upon a time", "n": 7, "stream": True, "max_tokens": 24, "seed": 1,
            "logprobs": 20, "logit_bias": ENDLESS}
    data = request_bytes("POST", "/v1/completions", body)
    # The same with readers that read: what the model needs for so many at once is there by then.
    good = await gather([ask(server.port, "POST", "/v1/completions", body) for _ in range(count)], count)
    report.equals("readers that read: complete", sum(answer.done() for answer in good), count)
    report.row("each is sent", sum(len(answer.body) for answer in good) / count / 1024, unit="KiB")
    del good
    await calm(server)
    before, dropped = server.memory()[0], await server.metric("readers_dropped_total")
    start = time.monotonic()
    sockets = await gather([connect(server.port, 4096) for _ in range(count)], 50)
    for link in sockets:
        link.transport.pause_reading()
        link.send(data)
    most, stuck, gone, written = 0, 0, None, start
    while time.monotonic() - written < 2 * write_seconds:
        most = max(most, server.memory()[0])
        left = int(await server.metric("connections")) - 1
        stuck = max(stuck, left)
        if await server.metric("model_running", "model_waiting") > 0:
            written = time.monotonic()  # until here somebody was written to
        if left == 0:
            gone = time.monotonic()
            break
        await asyncio.sleep(0.25)
    report.row("stuck at once", stuck)
    report.at_most("memory for each, at most", (most - before) / count / 2 ** 20, 1, "MiB")
    report.equals("dropped for reading too slowly",
                  int(await server.metric("readers_dropped_total") - dropped), count)
    report.row("first bytes to all dropped", gone and gone - start, unit="s")
    report.at_most("last byte written to all dropped", gone and gone - written, write_seconds * 1.25 + 5, "s")
    for link in sockets:
        link.close()


async def secrets(server, report, options):
    """2,000 prompts at once, each with a secret of its own: no answer has another one's."""
    count = options.count(2000)
    draw = random.Random(11)
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    shared = ["".join(draw.choice(letters) for _ in range(6)) for _ in range(20)]  # secrets begin alike, too
    said = [f"{shared[i % 20]}-{''.join(draw.choice(letters) for _ in range(12))}" for i in range(count)]
    owner = {secret[7:]: i for i, secret in enumerate(said)}

    def ask_one(i):
        return chat(server.port, f"You keep the guests' secrets and repeat them word by word when you are asked. "
                    f"The secret of this guest is {said[i]}. Repeat it exactly, nothing else.", temperature=0,
                    max_tokens=32)
    start = time.monotonic()
    answers = await gather([ask_one(i) for i in range(count)], count)
    took = time.monotonic() - start
    foreign = own = 0
    for i, answer in enumerate(answers):
        text = answer.content() or ""
        own += said[i][7:15] in text
        foreign += sum(owner[other] != i for other in owner if other[:8] in text)
    report.equals("answered", sum(answer.done() for answer in answers), count)
    report.row("tell their own secret", own, "more than half", own > count / 2)
    report.equals("tell another one's", foreign, 0)
    again = draw.sample(range(count), min(count, 60))
    alone = [(await ask_one(i)).content() for i in again]
    report.equals(f"of {len(again)}, the same answer alone",
                  sum(answers[i].content() == text for i, text in zip(again, alone)), len(again))
    cached, prompts = await server.metric("model_cached_tokens_total"), await server.metric("model_prompt_tokens_total")
    report.row("prompt tokens from the cache", 100 * cached / prompts, "more than 20 %", cached / prompts > 0.2, "%")
    report.row("all of them", took, unit="s")


async def mixed(server, report, options):
    """Load of every kind: memory does not creep."""
    seconds = options.seconds or 600
    warm = max(60, min(150, seconds / 4))
    # The model keeps prompts, up to a limit: that it fills up is no creeping.
    cached = -1
    for i in range(12):
        before, cached = cached, await server.metric("model_cached_pages")
        if cached == before:
            break
        long = [f"{i} {k} {THEMES[k % len(THEMES)]} " * 40 for k in range(32)]
        await gather([chat(server.port, text, max_tokens=48) for text in long], 32)
    end = time.monotonic() + warm + seconds
    counts, faults = {}, []
    schema = {"type": "object", "required": ["name", "tags"], "additionalProperties": False, "properties": {
        "name": {"type": "string", "maxLength": 20},
        "tags": {"type": "array", "maxItems": 3, "items": {"enum": THEMES}}}}

    def expect(kind, ok):
        counts[kind] = counts.get(kind, 0) + 1
        if not ok:
            faults.append(kind)

    async def worker(number):
        draw = random.Random(number)
        while time.monotonic() < end:
            text = f"{draw.choice(THEMES)} " * draw.choice([1, 1, 3, 40]) + str(draw.random())
            kind = draw.choice(["stream", "plain", "schema", "vanish", "bad", "list", "metrics", "many"])
            sampling = {"seed": draw.randrange(10 ** 6), "temperature": draw.choice([0, 0.7, 1.3]),
                        "max_tokens": draw.randint(1, 48)}
            if kind == "stream":
                expect(kind, (await chat(server.port, text, stream=True, **sampling)).done())
            elif kind == "plain":
                expect(kind, (await chat(server.port, text, **sampling)).done())
            elif kind == "schema":
                own = schema | {"title": str(draw.randrange(100))}  # a hundred, more than are kept
                form = {"type": "json_schema", "json_schema": {"name": "x", "schema": own}}
                expect(kind, (await chat(server.port, text, response_format=form, **sampling)).done())
            elif kind == "many":
                expect(kind, (await chat(server.port, text, n=4, **sampling)).done())
            elif kind == "vanish":
                link = await connect(server.port)
                link.send(request_bytes("POST", "/v1/chat/completions", chat_body(text, stream=True, max_tokens=400)))
                await asyncio.sleep(draw.random())
                link.reset() if draw.random() < 0.5 else link.close()
                expect(kind, True)
            elif kind == "bad":
                name, send, wanted = draw.choice(quick)
                expect(kind, await send(server.port) in wanted)
            elif kind == "list":
                expect(kind, (await ask(server.port, "GET", "/v1/models")).status == 200)
            else:
                expect(kind, (await ask(server.port, "GET", "/metrics")).status == 200)
            await asyncio.sleep(draw.random() * 0.2)
    quick = [case for case in hostile.BODIES + hostile.WIRE if case[0] not in (
        "64 prompts, echoed 64 times, of 100 kB", "200,000 tokens", "a megabyte of emoji",
        "10,000 pipelined requests, then gone")]
    workers = [asyncio.create_task(worker(i)) for i in range(24)]
    samples = []
    await asyncio.sleep(warm)
    while time.monotonic() < end:
        samples.append((time.monotonic(), *server.memory()))
        await asyncio.sleep(min(2.0, seconds / 30))
    await asyncio.gather(*workers)
    memory = [pss for _, pss, _ in samples]
    third = len(memory) // 3
    slope = statistics.linear_regression([when for when, *_ in samples], memory).slope * seconds
    report.row("requests", sum(counts.values()))
    report.row("of each kind", " ".join(f"{kind} {n}" for kind, n in sorted(counts.items())))
    report.equals("answered otherwise than they should be", len(faults), 0)
    report.row("memory after warming up", memory[0] / 2 ** 20, unit="MiB")
    report.row("memory at the end", memory[-1] / 2 ** 20, unit="MiB")
    report.row("drift by least squares", 100 * slope / memory[0], unit="%")
    report.at_most("drift, last third against first",
                   100 * (statistics.mean(memory[-third:]) / statistics.mean(memory[:third]) - 1), 2, "%")
    if options.samples:
        lines = [f"{when - samples[0][0]:.1f} {pss} {anon}\n" for when, pss, anon in samples]
        pathlib.Path(options.samples).write_text("".join(lines))


async def constrained(server, report, options):
    """Replies that are held to a schema come as fast as free ones: as many tokens by turns, one client and many."""
    for at_once in (1, 8, 32):
        for name, schema in ENDLESS_SCHEMAS.items():
            ratios, first = [], None
            for turn in range(5):
                took = []
                for format in (None, {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}):
                    start = time.monotonic()
                    answers = await gather(
                        [chat(server.port, f"An example as JSON, {turn}, {i}", seed=100 * turn + i, temperature=1, max_tokens=64,
                              **({"response_format": format} if format else {"logit_bias": ENDLESS}))
                         for i in range(at_once)], at_once)
                    tokens = sum(answer.json()["usage"]["completion_tokens"] for answer in answers)
                    took.append((time.monotonic() - start) / tokens)
                ratios.append(took[1] / took[0])
                first = first or ratios[0]
            report.at_most(f"{name}, {at_once} at once: time per token over free", statistics.median(ratios), 1.1)
            report.row(f"{name}, {at_once} at once: the first turn, nothing cached", first)


async def attack(server, report, options):
    """Hostile requests are refused at once and harm nobody beside them."""
    witness = await Witness.start(server.port)
    for kind, cases in (("schema", hostile.SCHEMAS), ("body", hostile.BODIES), ("wire", hostile.WIRE)):
        times, faults = await run_cases(server.port, cases)
        slowest = max(times, key=times.get)
        report.equals(f"{kind}: of {len(cases)} kinds answered otherwise", "; ".join(faults) or 0, 0)
        report.at_most(f"{kind}: slowest ({slowest})", times[slowest], 5, "s")
    await hostile_schemas_beside_others(server, report)
    count = options.count(200)
    for body in (False, True):
        let_go = await hostile.slow_loris(server.port, count, 50, body)
        what = "bodies" if body else "headers"
        report.equals(f"{what} at a byte a second: let go of", sum(one is not None for one in let_go), count)
        report.at_most(f"{what} at a byte a second: the last one",
                       max((one[0] for one in let_go if one), default=0), 45, "s")
    await witness.stop(report)
    report.equals("the server lives", server.alive(), True)


async def template(server, report, options):
    """A model whose own chat template would work for ever."""
    times = []
    for _ in range(3):
        answer = await chat(server.port, "x", model="hostile", patient=False)
        times.append(answer.seconds())
        report.row("refused", answer.status, "400", answer.status == 400)
    report.at_most("slowest", max(times), 5, "s")
    witness = await Witness.start(server.port)
    several = await gather([chat(server.port, "x", model="hostile", patient=False) for _ in range(20)], 20)
    report.equals("20 at once: refused", sum(answer.status == 400 for answer in several), 20)
    await witness.stop(report)


PARTS = {  # name: (coroutine, [serve] of its studio)
    "streams": (streams, {}),
    "overload": (overload, {"model_batch": 8, "model_queue": 8}),
    "vanish": (vanish, {"model_queue": 600, "worker_queue": 600}),
    "readers": (readers, {}),
    "secrets": (secrets, {"model_queue": 2500, "worker_queue": 2500}),
    "mixed": (mixed, {}),
    "constrained": (constrained, {}),
    "hostile": (attack, {}),
    "template": (template, {}),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="*", choices=[*PARTS, []], help=f"{', '.join(PARTS)}; all of them without one")
    parser.add_argument("--atelier", default=str(ROOT / "build/release/atelier"), help="the program")
    parser.add_argument("--scale", type=float, default=1, help="fewer clients than the bounds ask for")
    parser.add_argument("--seconds", type=float, help="of mixed load (600), of each round of overload (15)")
    parser.add_argument("--samples", help="a file for the memory over time of mixed load")
    parser.add_argument("--json", action="store_true", help="rows as a JSON array at the end")
    options = parser.parse_args()
    options.count = lambda most: max(2, round(most * options.scale))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    rows = []
    for name in options.part or PARTS:
        part, settings = PARTS[name]
        report = Report(name, options.json)
        with tempfile.TemporaryDirectory() as folder:
            models = {MODEL: home() / "models/smollm2.gguf"}
            if name == "template":
                models["hostile"] = pathlib.Path(folder) / "hostile.gguf"
                hostile.hostile_model(models[MODEL], models["hostile"])
            studio = make_studio(options.atelier, pathlib.Path(folder) / "studio", models)
            with Server(options.atelier, studio, **settings) as server:
                async def play():
                    await chat(server.port, "Hello.")  # loads the model
                    await part(server, report, options)
                asyncio.run(play())
                report.equals("ends when told to", server.stop(), 0)
        rows += report.rows
    failed = [row for row in rows if row["pass"] is False]
    if options.json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        print(f"{len([row for row in rows if row['pass']])} bounds hold, {len(failed)} do not")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
