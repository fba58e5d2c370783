"""What `atelier serve` makes of hostile requests, of many streams and of clients that vanish, in small: the sizes and
the times that are promised are tools/load_serve.py's to measure. No time is asserted here but that things end at all.
Usage: serve_hostile_test.py ATELIER. Needs the model smollm2 in the user's store, which ./dev test fetches.
"""
import asyncio
import pathlib
import sys
import tempfile

from promises import FAULTS, end, expect

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
import hostile_requests as hostile  # noqa: E402
from load_checks import Witness, costly, run_cases  # noqa: E402
from serve_client import MODEL, Server, chat, chat_body, connect, home, make_studio, request_bytes  # noqa: E402

SLOW = {"a megabyte of emoji", "200,000 tokens", "300 heavy patterns", "10,000 pipelined requests, then gone"}


class Report:
    """Of what load_checks reports, what has nothing to do with time."""

    def row(self, *_, **__):
        pass

    at_most = row

    def equals(self, what, value, wanted):
        expect(what, value, wanted)


async def streams(server, count=24):
    def question(i):
        return {"text": f"Tell me about 茶 🎈, number {i}.", "seed": i, "temperature": 0.9, "max_tokens": 4 + i % 9}
    streamed = await asyncio.gather(*(chat(server.port, stream=True, **question(i)) for i in range(count)))
    whole = await asyncio.gather(*(chat(server.port, **question(i)) for i in range(count)))
    for i, (a, b) in enumerate(zip(streamed, whole)):
        expect(f"stream {i} is whole", a.done())
        expect(f"stream {i} is the text", a.choices(), b.choices())


async def vanish(server, count=60):
    links = [await connect(server.port) for _ in range(count)]
    for i, link in enumerate(links):
        text = f"{i} " + "tea " * (300 if i % 3 == 0 else 1)
        link.send(request_bytes("POST", "/v1/chat/completions", chat_body(text, stream=True, max_tokens=4000,
                                                                         logit_bias={"2": -100})))
    for _ in range(400):
        busy = await server.metric("model_running", "model_waiting")
        if busy == count:
            break
        await asyncio.sleep(0.05)
    expect("clients that the model has", busy, count)
    for i, link in enumerate(links):
        link.reset() if i % 2 else link.close()
    expect("their places are free", await server.idle(60) is not None)


async def attack(server):
    witness = await Witness.start(server.port)
    for cases in (hostile.SCHEMAS, hostile.BODIES, hostile.WIRE):
        _, faults = await run_cases(server.port, [case for case in cases if case[0] not in SLOW])
        FAULTS.extend(faults)
    # More costly schemas than are compiled at a time: each is refused, as costly or as too many.
    async def one(i):
        return await hostile.with_schema(lambda: costly(i))(server.port)
    statuses = await asyncio.gather(*(one(i) for i in range(6)))
    expect("costly schemas", set(statuses) <= {400, 429} and 400 in statuses)
    await witness.stop(Report())


async def full(server):
    """With model_batch = 2 and model_queue = 2: of twelve that come at once, some must come again, and do."""
    async def one(i, patient):
        return await chat(server.port, f"{i}", max_tokens=40, logit_bias={"2": -100}, patient=patient)
    hasty = await asyncio.gather(*(one(i, False) for i in range(12)))
    refused = [answer for answer in hasty if answer.status == 429]
    expect("answers", {answer.status for answer in hasty}, {200, 429})
    expect("Retry-After", all(int(answer.headers.get("retry-after", 0)) >= 1 for answer in refused))
    expect("its code", {answer.json()["error"]["code"] for answer in refused}, {"resource_exhausted"})
    patient = await asyncio.gather(*(one(i, True) for i in range(8)))
    expect("who comes again is served", {answer.status for answer in patient}, {200})


async def template(server):
    answer = await chat(server.port, "x", model="hostile", patient=False)
    expect("a model whose template never ends", answer.status, 400)
    expect("... is told so", "template" in answer.json()["error"]["message"])
    expect("others work", (await chat(server.port, "x")).status, 200)


async def first(server):
    for part in (streams, attack, vanish):
        await part(server)


async def second(server):
    for part in (template, full):
        await part(server)


def main():
    atelier = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        models = {MODEL: home() / "models/smollm2.gguf", "hostile": pathlib.Path(folder) / "hostile.gguf"}
        hostile.hostile_model(models[MODEL], models["hostile"])
        studio = make_studio(atelier, pathlib.Path(folder) / "studio", models)
        for part, settings in ((first, {}), (second, {"model_batch": 2, "model_queue": 2})):
            with Server(atelier, studio, **settings) as server:
                asyncio.run(part(server))
                expect("it lives", server.alive())
                expect("it ends when told to", server.stop(), 0)
    end("hostile requests: refused")


if __name__ == "__main__":
    main()
