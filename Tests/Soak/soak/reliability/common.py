"""What the measurements share."""

import asyncio
import contextlib
import time

from soak import machine
from soak.clients import Failed, Session, Stateless
from soak.target import Target, marker
from soak.wire import Closed, once

LOTS = {"connections": 20000, "sessions": 20000, "children": 20000}


@contextlib.asynccontextmanager
async def running(folder, servers=None, settings=None, prefix=(), environment=None):
    """A gateway with marker servers, and its orderly end."""
    servers = servers or {"legacy": marker("legacy")}
    target = Target(folder, servers, settings or {"limits": LOTS}, environment, prefix)
    target.start()
    try:
        yield target
    finally:
        wrong = target.end(60)
        if wrong:
            raise AssertionError("; ".join(wrong))


async def latencies(client, count, pause=0.0, **arguments):
    """The times of calls one after the other, in milliseconds, and how many failed."""
    times, failed = [], 0
    for number in range(count):
        begun = time.monotonic()
        try:
            await client.work("echo", f"n{number}", **arguments)
            times.append((time.monotonic() - begun) * 1000)
        except (Failed, Closed, OSError):
            failed += 1
        await asyncio.sleep(pause)
    return times, failed


async def latencies_until(client, stop, pause=0.0):
    """The same until an event."""
    times, failed = [], 0
    while not stop.is_set():
        more, wrong = await latencies(client, 1, pause)
        times += more
        failed += wrong
    return times, failed


# The gateway, the load client, and a server on each side of a comparison, none of which shall wait for another.
PROCESSORS = 4


def crowded():
    """Why times are not compared here; None if they are."""
    if machine.cores() >= PROCESSORS:
        return None
    return (
        f"the gateway, the load client and the servers share {machine.cores()} processors, so that it does not show "
        f"for which of them a call waits; it is judged where there are {PROCESSORS}"
    )


def by_chance(one, other, limit):
    """Why nothing is compared with two quiet times, of which one is more than `limit` times the other; None if not."""
    times = max(one, other) / min(one, other)
    return f"here chance alone makes one quiet time {times:.1f} times as long as another" if times > limit else None


async def in_waves(count, width, make):
    """Runs `make(number)` for each number, so many at a time; the results in order."""
    gate = asyncio.Semaphore(width)

    async def one(number):
        async with gate:
            return await make(number)

    return await asyncio.gather(*(one(number) for number in range(count)))


async def healthy(port, timeout=2.0):
    """How long /healthz took in seconds; None if it did not answer."""
    begun = time.monotonic()
    try:
        async with asyncio.timeout(timeout):
            status, _, _ = await once(port, "GET", "/healthz")
    except (Closed, OSError, TimeoutError):
        return None
    return time.monotonic() - begun if status == 200 else None


__all__ = [
    "LOTS",
    "Closed",
    "Failed",
    "Session",
    "Stateless",
    "by_chance",
    "crowded",
    "healthy",
    "in_waves",
    "latencies",
    "latencies_until",
    "machine",
    "marker",
    "running",
]
