"""R2: five hundred children."""

import asyncio
import time

from soak.figures import Figure
from soak.reliability.common import LOTS, Session, in_waves, machine, running

COUNT = 500


async def measure(folder, scale):
    count = int(COUNT * scale)
    async with running(folder, settings={"limits": LOTS}) as target:
        first = await Session(target.port, "legacy").open()
        before, descriptors = machine.memory(target.pid), machine.descriptors(target.pid)

        async def open_one(_):
            begun = time.monotonic()
            session = await Session(target.port, "legacy").open()
            return session, (time.monotonic() - begun) * 1000

        opened = await in_waves(count, 1, open_one)
        for session, _ in opened:
            session.close()
        await asyncio.sleep(0.5)
        after, held = machine.memory(target.pid), machine.descriptors(target.pid)
        alive = len(target.launchers()) - 1
        times = [took for _, took in opened]
        launcher = machine.memory(target.launchers()[-1])
        begun = time.monotonic()
        storm = await in_waves(100, 100, open_one)
        together = (time.monotonic() - begun) * 1000 / len(storm)
        everybody = [session for session, _ in opened + storm] + [first]
        begun = time.monotonic()
        statuses = await in_waves(len(everybody), 50, lambda number: everybody[number].delete())
        while target.launchers() and time.monotonic() < begun + 60:
            await asyncio.sleep(0.02)
        ended = time.monotonic() - begun
        for session in everybody:
            session.close()
        await asyncio.sleep(0.5)
        left = machine.descriptors(target.pid)
    return [
        Figure("R2", "children that run", alive, "", least=count),
        Figure("R2", "memory of the gateway for each session", (after[0] - before[0]) / count / 1024, "KiB", most=96),
        Figure("R2", "memory of its launcher, of its own", launcher[1] / 1024, "KiB"),
        Figure("R2", "descriptors of the gateway for each", round((held - descriptors) / count, 2), "", most=5),
        Figure("R2", "starting a session, half of them", machine.percentile(times, 0.5), "ms"),
        Figure("R2", "starting a session, 99 of 100", machine.percentile(times, 0.99), "ms", most=50),
        Figure("R2", "starting 100 at once, for each", together, "ms"),
        Figure("R2", "sessions that were deleted", statuses.count(200), "", least=len(everybody)),
        Figure("R2", "all of them gone after", ended, "s", most=30),
        Figure("R2", "descriptors too many afterwards", max(0, left - descriptors - 8), "", most=0),
    ]
