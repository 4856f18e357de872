"""R24: a thousand reloads under load, some of them of a broken file."""

import asyncio
import signal
import time

from soak.figures import Figure
from soak.reliability.common import Closed, Failed, Session, Stateless, machine, marker
from soak.target import Target

RELOADS, CLIENTS = 1000, 8
# One of so many is of a broken file; seconds in which the log must say what came of each.
BROKEN, PATIENCE = 50, 10


async def measure(folder, scale):
    count = int(RELOADS * scale)
    servers = {"legacy": marker("legacy"), "modern": marker("modern")}
    target = Target(folder, servers, {"limits": {"sessions": 500}})
    target.start()
    try:
        with target.reading() as reading:
            target.signal(signal.SIGHUP)
            if await reading.outcome(PATIENCE) != "used":
                raise AssertionError(f"SIGHUP did not make the gateway read its configuration again:\n{target.tail()}")
            return await measured(target, reading, count)
    finally:
        if wrong := target.end():
            raise AssertionError("; ".join(wrong))


async def measured(target, reading, count):
    stop, failed, answered, strangers = asyncio.Event(), 0, 0, 0

    async def client(number):
        nonlocal failed, answered, strangers
        caller = await Session(target.port, "legacy").open() if number % 2 else Stateless(target.port, "modern")
        marker_of = None
        while not stop.is_set():
            try:
                answer = await caller.work("echo", f"r{number}")
                answered += 1
                strangers += marker_of not in (None, answer.marker)
                marker_of = answer.marker
            except (Failed, Closed, OSError):
                failed += 1
            await asyncio.sleep(0.005)

    clients = [asyncio.ensure_future(client(number)) for number in range(CLIENTS)]
    await asyncio.sleep(1)
    before = machine.descriptors(target.pid)
    memory = machine.memory(target.pid)[1]
    first = reading.used
    broken = wrong = unsaid = 0
    begun = time.monotonic()
    for number in range(count):
        is_broken = number % BROKEN == BROKEN - 1
        broken += is_broken
        if is_broken:
            target.replace_configuration("{ this is no configuration")
        else:
            target.write_configuration({"limits": {"sessions": 500 + number % 7}})
        target.signal(signal.SIGHUP)
        said = await reading.outcome(PATIENCE)
        unsaid += said is None
        wrong += said == ("used" if is_broken else "refused")
        if said is None and not target.is_running:
            raise AssertionError(f"the gateway ended after {number} reloads:\n{target.tail()}")
        await asyncio.sleep(0.005)
    took = time.monotonic() - begun
    used, refused = reading.used, reading.refused
    target.write_configuration()
    target.signal(signal.SIGHUP)
    await reading.outcome(PATIENCE)
    await asyncio.sleep(0.5)
    stop.set()
    await asyncio.gather(*clients)
    fresh = await Session(target.port, "legacy").open()
    works = (await fresh.work("echo", "after")).nonce == "after"
    await fresh.delete()
    fresh.close()
    await asyncio.sleep(0.5)
    return [
        Figure("R24", "reloads", count, ""),
        Figure("R24", "in all", took, "s"),
        Figure("R24", "of them used, as the log says", used - first, "", least=count - broken),
        Figure("R24", "of a broken file, and refused", refused, "", least=broken),
        Figure("R24", "of which the log says the contrary, or nothing", wrong + unsaid, "", most=0),
        Figure("R24", "calls meanwhile", answered, "", least=count / 10),
        Figure("R24", "of them failed", failed, "", most=0),
        Figure("R24", "clients that lost their process", strangers, "", most=0),
        Figure("R24", "descriptors more than before", max(0, machine.descriptors(target.pid) - before), "", most=1),
        Figure("R24", "memory more than before", (machine.memory(target.pid)[1] - memory) / 1024, "KiB"),
        Figure("R24", "a new session works afterwards", int(works), "", least=1),
    ]
