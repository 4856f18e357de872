"""R15: five thousand clients come back at once and go on where they were."""

import asyncio
import time

from soak.figures import Figure
from soak.reliability.common import LOTS, Closed, Failed, Session, Stateless, in_waves, latencies, machine, marker, running

SESSIONS, STREAMS = 100, 50


async def listen(session):
    """A stream and the id of its first event."""
    connection, reply = await session.stream()
    async for name, _ in reply.events():
        return connection, name
    raise Closed("a stream without an event")


async def come_back(session, name, begun):
    """How long it takes until a stream is taken up again; with patience if the gateway asks for it."""
    for turn in range(20):
        try:
            connection, reply = await session.stream(last=name)
            if reply.status == 200:
                return connection, time.monotonic() - begun, turn
            await asyncio.sleep(float(reply.fields.get("retry-after", 1)))
        except Closed:
            await asyncio.sleep(0.2)
    return None, None, 20


async def measure(folder, scale):
    count = int(SESSIONS * scale)
    settings = {"limits": {**LOTS, "streams": STREAMS * 4}}
    servers = {"legacy": marker("legacy"), "calm": marker("modern")}
    async with running(folder, servers, settings) as target:
        calm = Stateless(target.port, "calm")
        await latencies(calm, 50)
        sessions = await in_waves(
            count, 4, lambda number: Session(target.port, "legacy", source=f"127.0.0.{2 + number % 8}").open()
        )
        everybody = [session for session in sessions for _ in range(STREAMS)]
        opened = await in_waves(len(everybody), 100, lambda number: listen(everybody[number]))
        for session in sessions:
            session.close(reset=True)
        during = asyncio.ensure_future(latencies(calm, 100, pause=0.02))
        begun = time.monotonic()
        back = await asyncio.gather(*(come_back(s, name, begun) for s, (_, name) in zip(everybody, opened)))
        took = time.monotonic() - begun
        loaded, failed = await during
        served = [entry for entry in back if entry[0] is not None]
        works = 0
        for session in sessions:
            try:
                works += (await session.work("echo", "after")).nonce == "after"
            except (Failed, Closed):
                pass
        for session in sessions:
            session.close(reset=True)
            await session.delete()
    return [
        Figure("R15", "streams that were lost at once", len(everybody), ""),
        Figure("R15", "of them taken up again", len(served), "", least=len(everybody)),
        Figure("R15", "until the last was", took, "s", most=15),
        Figure("R15", "of them at the first attempt", sum(1 for e in served if e[2] == 0), ""),
        Figure("R15", "sessions that work afterwards", works, "", least=count),
        Figure("R15", "calls of others meanwhile, half of them", machine.percentile(loaded or [0], 0.5), "ms"),
        Figure("R15", "calls of others that failed", failed, "", most=0),
    ]
