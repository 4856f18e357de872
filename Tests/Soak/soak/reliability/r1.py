"""R1: ten thousand idle event streams."""

import asyncio
import gc

from soak.figures import Figure
from soak.reliability.common import LOTS, Session, Stateless, latencies, machine, marker, running

COUNT, ALONE = 10_000, 300


async def measure(folder, scale):
    count, server = int(COUNT * scale), {"legacy": marker("legacy"), "modern": marker("modern", isolation="shared")}
    settings = {"limits": {**LOTS, "inFlight": 20000, "streams": 10000}, "timeouts": {"heartbeat": 15}}
    async with running(folder, server, settings) as target:
        quiet = Stateless(target.port, "modern")
        await latencies(quiet, 50)
        alone, _ = await latencies(quiet, ALONE)
        before = machine.memory(target.pid)
        streams = Streams(target.port)
        # One session may have so many streams that each stands for an idle client; sources give enough ports.
        session = await Session(target.port, "legacy").open()
        await streams.open(session, count)
        await asyncio.sleep(16)
        after = machine.memory(target.pid)
        loaded, failed = await latencies(quiet, ALONE, pause=0.01)
        alive = streams.alive
        heartbeats = streams.heartbeats
        streams.close()
        each = (after[0] - before[0]) / count / 1024
    return [
        Figure("R1", "idle event streams that stay open", alive, "", least=count),
        Figure("R1", "of them with a heartbeat within 16 s", heartbeats, "", least=count),
        Figure("R1", "memory of the gateway for each", each, "KiB", most=24),
        Figure("R1", "memory of the gateway in all", after[0] / (1 << 20), "MiB", most=400),
        Figure("R1", "a call meanwhile, 99 of 100", machine.percentile(loaded, 0.99), "ms", most=50),
        Figure("R1", "the same without streams", machine.percentile(alone, 0.99), "ms"),
        Figure("R1", "calls that failed", failed, "", most=0),
    ]


class Stream(asyncio.Protocol):
    """One idle stream, as cheap as can be."""

    def __init__(self, owner, request):
        self.owner, self.request, self.has_begun, self.has_beaten = owner, request, False, False

    def connection_made(self, transport):
        transport.write(self.request)

    def data_received(self, data):
        if not self.has_begun:
            self.has_begun = data.startswith(b"HTTP/1.1 200")
            self.owner.begun(self.has_begun)
        elif not self.has_beaten:
            self.has_beaten = True
            self.owner.heartbeats += 1

    def connection_lost(self, error):
        self.owner.alive -= self.has_begun


class Streams:
    """Many of them."""

    def __init__(self, port):
        self.port, self.alive, self.heartbeats, self.refused = port, 0, 0, 0
        self._transports = []

    def begun(self, is_good):
        self.alive += is_good
        self.refused += not is_good

    async def open(self, session, count):
        loop, fields = asyncio.get_running_loop(), session.fields()
        lines = [f"GET {session.path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "Accept: text/event-stream"]
        request = "\r\n".join([*lines, *(f"{name}: {value}" for name, value in fields)]).encode() + b"\r\n\r\n"
        gc.disable()
        for number in range(count):
            source = (f"127.0.0.{2 + number % 8}", 0)
            transport, _ = await loop.create_connection(
                lambda: Stream(self, request), "127.0.0.1", self.port, local_addr=source
            )
            self._transports.append(transport)
        gc.enable()
        for _ in range(600):
            if self.alive + self.refused >= count:
                return
            await asyncio.sleep(0.1)

    def close(self):
        for transport in self._transports:
            transport.abort()
