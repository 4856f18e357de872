"""R7: SIGTERM with a thousand calls in flight."""

import asyncio
import signal
import time

from soak.figures import Figure
from soak.reliability.common import LOTS, Closed, Failed, Session, Stateless, marker
from soak.target import Target
from soak.wire import Connection

COUNT, CALL = 1000, 4000


async def measure(folder, scale):
    count = int(COUNT * scale)
    servers = {"modern": marker("modern", isolation="principal"), "legacy": marker("legacy")}
    settings = {"limits": {**LOTS, "inFlight": 5000}}
    target = Target(folder, servers, settings)
    target.start()
    try:
        clients = [Stateless(target.port, "modern") for _ in range(count)]
        session = await Session(target.port, "legacy").open()
        stream, reply = await session.stream()
        await Stateless(target.port, "modern").work("echo", "first")
        calls = [asyncio.ensure_future(client.work("sleep", f"c{n}", ms=CALL)) for n, client in enumerate(clients)]
        await asyncio.sleep(1.5)
        begun = time.monotonic()
        target.signal(signal.SIGTERM)
        await asyncio.sleep(0.2)
        refused = 0
        try:
            await Connection.open(target.port)
        except Closed:
            refused = 1
        ended_stream = 0
        try:
            async with asyncio.timeout(10):
                async for _ in reply.events():
                    pass
                ended_stream = 1
        except (Closed, TimeoutError):
            pass
        results = await asyncio.gather(*calls, return_exceptions=True)
        wrong = [r for r in results if isinstance(r, (Failed, Closed, Exception))]
        own = sum(1 for n, r in enumerate(results) if not isinstance(r, Exception) and r.nonce == f"c{n}")
        status = await asyncio.to_thread(target.process.wait, 40)
        took = time.monotonic() - begun
        left = target.leftovers(10)
    finally:
        if target.is_running:
            target.kill()
    second = await twice(folder)
    return [
        Figure("R7", "calls in flight at SIGTERM", count, ""),
        Figure("R7", "of them answered", own, "", least=count),
        Figure("R7", "of them failed", len(wrong), "", most=0),
        Figure("R7", "new connections are refused 0.2 s later", refused, "", least=1),
        Figure("R7", "event streams end in order", ended_stream, "", least=1),
        Figure("R7", "exit status", status, "", most=0),
        Figure("R7", "until the end (calls take 4 s)", took, "s", most=30),
        Figure("R7", "processes left", len(left), "", most=0),
        Figure("R7", "until the end after a second SIGTERM", second, "s", most=2),
    ]


async def twice(folder):
    """How long the gateway lives after a second SIGTERM while a call is in flight."""
    target = Target(folder / "twice", {"legacy": marker("legacy")})
    target.start()
    session = await Session(target.port, "legacy").open()
    call = asyncio.ensure_future(session.work("sleep", "x", ms=60_000))
    await asyncio.sleep(0.3)
    target.signal(signal.SIGTERM)
    await asyncio.sleep(0.3)
    begun = time.monotonic()
    target.signal(signal.SIGTERM)
    await asyncio.to_thread(target.process.wait, 30)
    took = time.monotonic() - begun
    await asyncio.gather(call, return_exceptions=True)
    if target.leftovers(10):
        took = 999.0
    return took
