"""What tools/load_serve.py and tests/serve_hostile_test.py both need: a stream that must not be disturbed, and the
hostile requests one after the other.
"""
import asyncio
import time

from hostile_requests import with_schema
from serve_client import chat, percentile

NEVER_ENDS = {"2": -100}


async def calm(server):
    """Until the model has nothing to do."""
    if await server.idle(300) is None:
        raise RuntimeError("the server does not become idle")


class Witness:
    """One stream after the other, all of the same seeded text, beside what else happens."""

    TEXT = "Count the lanterns of a harbour. 数灯笼 🏮"

    def __init__(self, port):
        self.port = port
        self.stopping = False
        self.streams, self.wrong, self.gaps, self.alone_gaps = 0, 0, [], []

    @classmethod
    async def start(cls, port):
        self = cls(port)
        first = await self._stream()
        self.wanted = first.choices()
        self.alone_gaps = cls._gaps(first)
        self.task = asyncio.create_task(self._run())
        return self

    @staticmethod
    def _gaps(answer):
        return [b - a for a, b in zip(answer.times, answer.times[1:])]

    def _stream(self):
        return chat(self.port, self.TEXT, stream=True, seed=77, temperature=0.9, max_tokens=120, logit_bias=NEVER_ENDS)

    async def _run(self):
        while not self.stopping:
            answer = await self._stream()
            self.streams += 1
            self.wrong += not answer.done() or answer.choices() != self.wanted
            self.gaps += self._gaps(answer)

    async def stop(self, report):
        self.stopping = True
        await self.task
        report.row("streams beside it, one after the other", self.streams)
        report.equals("a stream beside it: not the text that it must be", self.wrong, 0)
        report.row("its gaps between tokens alone: largest", 1e3 * max(self.alone_gaps), unit="ms")
        report.row("its gaps between tokens: p99", 1e3 * percentile(self.gaps, 99), unit="ms")
        report.at_most("its gaps between tokens: largest", max(self.gaps), 1, "s")


async def run_cases(port, cases):
    """({name: seconds}, what was answered otherwise than it should be)"""
    times, faults = {}, []
    for name, send, wanted in cases:
        start = time.monotonic()
        try:
            status = await send(port)
        except Exception as error:  # a client's own trouble is a finding, too
            status = repr(error)
        times[name] = time.monotonic() - start
        if status not in wanted:
            faults.append(f"{name}: {status}")
    return times, faults


def costly(i):
    """A schema that is refused only after its budget is spent, each another one."""
    return {"type": "object", "properties": {
        f"p{k}": {"type": "string", "pattern": f"^[{chr(97 + k % 20)}-z0-9]{{0,{9000 - k - i}}}$"} for k in range(300)}}


async def hostile_schemas_beside_others(server, report, count=32):
    """How long others wait for their first token, and the machine for its metrics, while many such schemas come."""
    async def plain():
        answer = await chat(server.port, "Hello.", stream=True, max_tokens=4)
        return answer.first - answer.sent

    async def constrained(i):
        form = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"enum": ["tea", f"coffee {i}"]}}}
        answer = await chat(server.port, "Tea or coffee?", response_format=form)
        return answer.seconds() if answer.done() else float("inf")

    async def metrics():
        start = time.monotonic()
        await server.metric("connections")
        return time.monotonic() - start
    alone = [await plain() for _ in range(5)]
    statuses = []

    async def attack(i):
        statuses.append(await with_schema(lambda: costly(i))(server.port))
    start = time.monotonic()
    attacking = asyncio.gather(*(attack(i) for i in range(count)))
    waits, fair, asked = [], [], []
    for i in range(200):
        if attacking.done() and i >= 3:
            break
        waits.append(await plain())
        fair.append(await constrained(i))
        asked.append(await metrics())
    await attacking
    took = time.monotonic() - start
    report.equals(f"{count} costly schemas at once: answered otherwise than 400, 429",
                  sum(status not in (400, 429) for status in statuses), 0)
    report.row("... refused as busy (429)", statuses.count(429))
    report.row("... all of them", took, unit="s")
    report.row("... a plain stream's first byte, alone: worst", max(alone), unit="s")
    report.at_most("... a plain stream's first byte: worst", max(waits), 1, "s")
    report.at_most("... an honest schema's answer: worst", max(fair), 5, "s")
    report.at_most("... /metrics: worst", max(asked), 1, "s")
