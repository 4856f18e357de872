"""R24: a thousand reloads under load, some of them of a broken file."""

import asyncio
import signal

from soak.figures import Figure
from soak.reliability.common import Closed, Failed, Session, Stateless, machine, marker
from soak.target import Target

RELOADS, CLIENTS = 1000, 8


async def measure(folder, scale):
    count = int(RELOADS * scale)
    servers = {"legacy": marker("legacy"), "modern": marker("modern")}
    target = Target(folder, servers, {"limits": {"sessions": 500}})
    target.start()
    try:
        target.signal(signal.SIGHUP)
        await asyncio.sleep(0.5)
        if not target.is_running:
            print("R24 is not measured: SIGHUP ends this gateway", flush=True)
            return []
        return await measured(target, count)
    finally:
        if target.is_running and (wrong := target.end()):
            raise AssertionError("; ".join(wrong))


async def measured(target, count):
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
    broken = 0
    for number in range(count):
        if number % 50 == 49:
            target.config.write_text("{ this is no configuration")
            broken += 1
        else:
            target.write_configuration({"limits": {"sessions": 500 + number % 7}})
        target.signal(signal.SIGHUP)
        await asyncio.sleep(0.01)
    target.write_configuration()
    target.signal(signal.SIGHUP)
    await asyncio.sleep(1)
    stop.set()
    await asyncio.gather(*clients)
    fresh = await Session(target.port, "legacy").open()
    works = (await fresh.work("echo", "after")).nonce == "after"
    await fresh.delete()
    fresh.close()
    await asyncio.sleep(0.5)
    return [
        Figure("R24", "reloads", count, ""),
        Figure("R24", "of them of a broken file", broken, ""),
        Figure("R24", "calls meanwhile", answered, "", least=count / 10),
        Figure("R24", "of them failed", failed, "", most=0),
        Figure("R24", "clients that lost their process", strangers, "", most=0),
        Figure("R24", "descriptors more than before", max(0, machine.descriptors(target.pid) - before), "", most=1),
        Figure("R24", "memory more than before", (machine.memory(target.pid)[1] - memory) / 1024, "KiB"),
        Figure("R24", "a new session works afterwards", int(works), "", least=1),
    ]
