"""Clients of both eras that keep the gateway busy, each with random numbers of its own."""

import asyncio
import random

from soak.clients import Failed, Session, Stateless
from soak.wire import Closed

# How long the gateway lets a call wait (see `chaos.SERVER`).
REQUEST, START = 3.0, 5.0
KINDS = ["echo"] * 8 + ["sleep", "sleep", "steps", "steps", "ask", "ask", "noise", "flood", "mute", "hang up"]


class Actor:
    """One client that does one thing after another until it is told to stop."""

    def __init__(self, port, server, book, seed):
        self.port, self.server, self.book = port, server, book
        self.random = random.Random(seed)
        self.name = f"{type(self).__name__.lower()}-{seed}@{server}"
        self.client = None
        self.is_lenient = False

    async def run(self, stop):
        while not stop.is_set():
            try:
                await self.visit(stop)
            except (Failed, Closed, OSError, TimeoutError):
                await asyncio.sleep(0.05)
            finally:
                if self.client is not None:
                    self.client.close()

    async def step(self, owner):
        kind = self.random.choice(KINDS)
        mercy = {"expects_error": self.is_lenient}
        match kind:
            case "sleep":
                answer = await self.call(owner, kind, ms=self.random.randrange(150), **mercy)
            case "steps":
                answer = await self.call(owner, kind, steps=3, ms=self.random.randrange(1, 20), **mercy)
            case "flood":
                answer = await self.call(owner, kind, bytes=1 << self.random.randrange(14, 19), **mercy)
            case "mute":
                if self.random.random() < 0.8:
                    return
                await self.call(owner, kind, expects_error=True)
                return
            case "hang up":
                await self.hang_up()
                return
            case _:
                answer = await self.call(owner, kind, **mercy)
        if answer is not None:
            self.is_lenient = False
        await asyncio.sleep(self.random.random() * 0.03)

    def limit(self, kind):
        """Within how many seconds a call must end."""
        return REQUEST

    async def call(self, owner, kind, **more):
        return await self.book.call(self.client, owner, kind, self.limit(kind), **more)

    async def hang_up(self):
        """Leaves in the middle of a call, with or without a farewell."""
        task = asyncio.ensure_future(self.client.work("sleep", self.book.nonce(), ms=400))
        await asyncio.sleep(self.random.random() * 0.05)
        self.client.close(reset=self.random.random() < 0.5)
        await asyncio.wait({task}, timeout=5)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Sitting(Actor):
    """A client with sessions: opens one, uses it for a while, deletes it or forgets it."""

    async def visit(self, stop):
        client = self.client = Session(self.port, self.server)
        try:
            await self.book.ends(client.open(), START, f"initialize by {self.name}")
        except Failed as failure:
            self.book.errors[self.server, f"initialize {failure.status} {failure.code}"] += 1
            raise
        owner = f"session {client.id}"
        self.is_lenient = False
        for _ in range(self.random.randrange(4, 40)):
            if stop.is_set():
                break
            if self.random.random() < 0.02:
                # Its own process dies; the next call may have to wait for another.
                await self.book.call(client, owner, "die", REQUEST, expects_error=True)
                self.is_lenient = True
            await self.step(owner)
        if stop.is_set() or self.random.random() < 0.8:
            await self.book.ends(client.delete(), 2.0, f"DELETE by {self.name}")


class Passing(Actor):
    """A client without sessions."""

    def limit(self, kind):
        """A server of the other era answers such calls in turns: waiting for the turn has the same time again, and is looked
        at once a second. So has each round of questions."""
        return (2 * REQUEST + 1) * (2 if kind == "ask" else 1)

    async def visit(self, stop):
        self.client = Stateless(self.port, self.server)
        for _ in range(self.random.randrange(4, 40)):
            if stop.is_set():
                break
            await self.step(f"all without session at {self.server}")


def cast(port, servers, book, count, seed):
    """So many actors, spread over both eras and all servers."""
    return [
        (Sitting if number % 2 else Passing)(port, servers[number // 2 % len(servers)], book, seed * 1000 + number)
        for number in range(count)
    ]


async def run(actors, stop):
    """Runs all until they are told to stop, and have finished what they were doing."""
    await asyncio.gather(*(actor.run(stop) for actor in actors))
