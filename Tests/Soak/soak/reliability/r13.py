"""R13: a thousand clients that ask for 10 MiB each and hardly read."""

import asyncio
import gc
import time

from soak.clients import TYPES, encoded
from soak.figures import Figure
from soak.reliability.common import (
    LOTS,
    Closed,
    Stateless,
    by_chance,
    in_waves,
    latencies,
    latencies_until,
    machine,
    marker,
    running,
)
from soak.wire import Connection

COUNT, BYTES, QUEUE = 1000, 10 << 20, 256 << 10
CALLS, PAUSE = 600, 0.01
# What a stream may take beside its queue, in KiB: a call with a process, as much as R2 allows a session.
BESIDE = 96
# How many times as long the slowest calls of others may take, and how often that is tried: what lasts shows each time.
SLOWER, TRIES = 2, 3
# The part of a processor below which the gateway is at rest, and how many seconds it may take to come there.
REST, PATIENCE = 0.1, 60


async def slow(port, number):
    """A call whose answer is read at one byte a second: the connection, which takes no more than a few KiB."""
    client, nonce = Stateless(port, "flood"), f"s{number}"
    params = {"name": "work", "arguments": {"do": "flood", "nonce": nonce, "bytes": BYTES}}
    params["_meta"] = client.meta(progressToken=nonce)
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    connection = await Connection.open(port, buffer=4096)
    connection.writer.transport.pause_reading()
    await connection.send("POST", client.path, TYPES + client.fields("tools/call", "work"), encoded(message))
    return connection


async def rest(target):
    """Waits until the gateway moves nothing: each stream is held back or has ended. How long it took; None if not."""
    begun = time.monotonic()
    while time.monotonic() < begun + PATIENCE:
        processor = machine.Processor(target.pid)
        await asyncio.sleep(1)
        if processor.share < REST:
            return time.monotonic() - begun
    return None


def slow_end(times):
    """The time that 99 of 100 take at most."""
    return machine.percentile(times, 0.99)


async def measure(folder, scale):
    # Looking for garbage among a thousand connections takes this client longer than a call does.
    gc.disable()
    try:
        return await measured(folder, scale)
    finally:
        gc.enable()


async def measured(folder, scale):
    count = int(COUNT * scale)
    servers = {"flood": marker("modern", isolation="call"), "calm": marker("modern")}
    # Nobody is cut off for not reading before all has been measured.
    settings = {"limits": {**LOTS, "streamQueue": QUEUE}, "timeouts": {"write": 2 * PATIENCE}}
    async with running(folder, servers, settings) as target:
        calm = Stateless(target.port, "calm")
        await latencies(calm, 100)
        first, _ = await latencies(calm, CALLS, PAUSE)
        alone, _ = await latencies(calm, CALLS, PAUSE)
        base = machine.memory(target.pid)[0]
        peak, stop, written = 0, asyncio.Event(), asyncio.Event()

        async def watch():
            nonlocal peak
            while not stop.is_set():
                peak = max(peak, machine.memory(target.pid)[0])
                await asyncio.sleep(0.05)

        watching, begun = asyncio.ensure_future(watch()), time.monotonic()
        during = asyncio.ensure_future(latencies_until(calm, written, PAUSE))
        connections = await in_waves(count, 50, lambda number: slow(target.port, number))
        rested = await rest(target)
        written.set()
        busy, failed = await during
        held = len(target.launchers()) - 1
        quiet, still, wrong = max(slow_end(first), slow_end(alone)), [], 0
        while len(still) < TRIES and not (still and slow_end(still[-1]) <= SLOWER * quiet):
            times, more = await latencies(calm, CALLS, PAUSE)
            still.append(times)
            wrong += more
        stop.set()
        await watching
        took = time.monotonic() - begun
        for connection in connections:
            connection.reset()
        end = time.monotonic() + 60
        while len(target.launchers()) > 1 and time.monotonic() < end:
            await asyncio.sleep(0.1)
        left = len(target.launchers()) - 1
    best = min(still, key=slow_end)
    slowest, then, before, earlier = (slow_end(times) for times in (busy, best, alone, first))
    writing = f"{count} servers write as fast as they can, and everybody waits for processors; see the time after that"
    chance = by_chance(before, earlier, SLOWER)
    few = "of fewer streams, what the gateway takes for itself is too large a part" if scale < 1 else None
    each = (peak - base) / count / 1024
    return [
        Figure("R13", "streams that nobody reads, 10 MiB each", count, ""),
        Figure("R13", "memory of the gateway at most", peak / (1 << 20), "MiB", most=300),
        Figure("R13", "more than before, for each stream", each, "KiB", most=QUEUE / 1024 + BESIDE, told=few),
        Figure("R13", "until no server writes any more", 999 if rested is None else rested, "s", most=PATIENCE),
        Figure("R13", "servers that wait then; the other streams have ended", held, ""),
        Figure("R13", "calls of others without the streams, half of them", machine.percentile(alone, 0.5), "ms"),
        Figure("R13", "99 of 100", before, "ms"),
        Figure("R13", "the same before that", earlier, "ms"),
        Figure("R13", "calls of others while the servers write, half of them", machine.percentile(busy, 0.5), "ms"),
        Figure("R13", "99 of 100", slowest, "ms"),
        Figure("R13", "so many times as long as without", slowest / quiet, "", most=SLOWER, told=writing),
        Figure("R13", "calls of others when none writes any more, half of them", machine.percentile(best, 0.5), "ms"),
        Figure("R13", "99 of 100", then, "ms"),
        Figure("R13", "so many times as long then", then / quiet, "", most=SLOWER, told=chance),
        Figure("R13", "times that this was tried", len(still), ""),
        Figure("R13", "calls of others that failed", failed + wrong, "", most=0),
        Figure("R13", "processes left when the clients have gone", left, "", most=0),
        Figure("R13", "all in all", took, "s"),
    ]
