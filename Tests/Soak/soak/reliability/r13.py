"""R13: a thousand clients that ask for 10 MiB each and hardly read."""

import asyncio
import time

from soak.clients import TYPES, encoded
from soak.figures import Figure
from soak.reliability.common import LOTS, Closed, Stateless, in_waves, latencies, machine, marker, running
from soak.wire import Connection

COUNT, BYTES, QUEUE = 1000, 10 << 20, 256 << 10


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


async def measure(folder, scale):
    count = int(COUNT * scale)
    servers = {"flood": marker("modern", isolation="call"), "calm": marker("modern")}
    settings = {"limits": {**LOTS, "streamQueue": QUEUE}}
    async with running(folder, servers, settings) as target:
        calm = Stateless(target.port, "calm")
        await latencies(calm, 100)
        alone, _ = await latencies(calm, 300)
        base = machine.memory(target.pid)[0]
        peak, stop = 0, asyncio.Event()

        async def watch():
            nonlocal peak
            while not stop.is_set():
                peak = max(peak, machine.memory(target.pid)[0])
                await asyncio.sleep(0.05)

        watching, begun = asyncio.ensure_future(watch()), time.monotonic()
        connections = await in_waves(count, 50, lambda number: slow(target.port, number))
        # Every stream is behind once no process of the server is at work any more, or all are held back.
        await asyncio.sleep(5)
        loaded, failed = await latencies(calm, 300, pause=0.01)
        stop.set()
        await watching
        took = time.monotonic() - begun
        for connection in connections:
            connection.reset()
        end = time.monotonic() + 60
        while len(target.launchers()) > 1 and time.monotonic() < end:
            await asyncio.sleep(0.1)
        left = len(target.launchers()) - 1
    return [
        Figure("R13", "streams that nobody reads, 10 MiB each", count, ""),
        Figure("R13", "memory of the gateway at most", peak / (1 << 20), "MiB", most=300),
        Figure("R13", "more than before, for each stream", (peak - base) / count / 1024, "KiB"),
        Figure("R13", "calls of others meanwhile, 99 of 100", machine.percentile(loaded, 0.99), "ms"),
        Figure("R13", "half of them", machine.percentile(loaded, 0.5), "ms"),
        Figure("R13", "half of them without the streams", machine.percentile(alone, 0.5), "ms"),
        Figure("R13", "calls of others that failed", failed, "", most=0),
        Figure("R13", "processes left when the clients have gone", left, "", most=0),
        Figure("R13", "all in all", took, "s"),
    ]
