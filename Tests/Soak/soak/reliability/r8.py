"""R8: no descriptors left."""

import asyncio
import time

from soak.figures import Figure
from soak.reliability.common import Closed, Failed, Session, healthy, machine, running
from soak.wire import Connection

LIMIT = 256


async def measure(folder, scale):
    async with running(folder, prefix=["prlimit", f"--nofile={LIMIT}:{LIMIT}"]) as target:
        kept = await Session(target.port, "legacy").open()
        await kept.work("echo", "before")
        held, dropped = [], 0
        for _ in range(LIMIT + 100):
            try:
                held.append(await Connection.open(target.port))
            except Closed:
                dropped += 1
        await asyncio.sleep(0.5)
        processor, looks, answers, slowest = machine.Processor(target.pid), 20, 0, 0.0
        for _ in range(looks):
            took = await healthy(target.port)
            answers += took is not None
            slowest = max(slowest, took or 0)
            await asyncio.sleep(0.2)
        share = processor.share
        try:
            alive = (await asyncio.wait_for(kept.work("echo", "amid"), 5)).nonce == "amid"
        except (Failed, Closed, TimeoutError):
            alive = False
        # A session needs a process, for which there are no descriptors: an error, soon, in words.
        begun = time.monotonic()
        try:
            async with asyncio.timeout(10):
                await Session(target.port, "legacy").open()
            told = 0
        except (Failed, Closed):
            told = 1
        except TimeoutError:
            told = 0
        told_after = time.monotonic() - begun
        for connection in held:
            connection.reset()
        begun, resumed = time.monotonic(), None
        while time.monotonic() < begun + 10 and resumed is None:
            if await healthy(target.port, 0.5) is not None:
                resumed = time.monotonic() - begun
        opened = await asyncio.wait_for(Session(target.port, "legacy").open(), 10)
        answer = await opened.work("echo", "after")
    return [
        Figure("R8", "connections held at most, of descriptors", LIMIT, ""),
        Figure("R8", "/healthz answers meanwhile, of 20", answers, "", least=looks),
        Figure("R8", "the slowest of them", slowest * 1000, "ms"),
        Figure("R8", "processor while there are none", share * 100, "%", most=10),
        Figure("R8", "a session that was there goes on", int(alive), "", least=1),
        Figure("R8", "a new one is refused", told, "", least=1),
        Figure("R8", "and that after", told_after, "s", most=2),
        Figure("R8", "until connections are taken again", resumed if resumed is not None else 99, "s", most=1),
        Figure("R8", "a new session works then", int(answer.nonce == "after"), "", least=1),
    ]
