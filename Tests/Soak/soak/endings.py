"""Processes that start and end in thousands: by themselves, by kill -9 of the server or its launcher, by a client's leaving."""

import asyncio
import os
import random
import signal
import tempfile
import time
from pathlib import Path

from soak import machine
from soak.clients import Failed, Stateless
from soak.target import Target, marker
from soak.wire import Closed

WIDTH, PATIENCE = 16, 2.0


async def run(count, seed):
    """Whether all went well."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-soak-") as folder:
        target = Target(Path(folder), {"once": marker("modern", isolation="call")}, level="error")
        target.start()
        watch = Watch(target)
        try:
            tallies = await asyncio.gather(
                watch.run(), *(visit(target, count // WIDTH, random.Random(seed * 100 + n), watch) for n in range(WIDTH))
            )
            await asyncio.sleep(PATIENCE)
            held, left = machine.descriptors(target.pid), target.zombies()
        finally:
            wrong = target.end()
    total = {name: sum(tally[name] for tally in tallies[1:]) for name in tallies[1]}
    print(f"  {total}; longest time as a zombie: {watch.longest:.2f} s; {held} descriptors afterwards")
    wrong += [f"zombies that nobody collected in {PATIENCE} s: {sorted(watch.stuck)}"] if watch.stuck else []
    wrong += [f"zombies afterwards: {left}"] if left else []
    wrong += [f"{total['wrong']} wrong answers"] if total["wrong"] else []
    for line in wrong:
        print(f"  {line}")
    return not wrong


class Watch:
    """Looks for zombies all the time, and for how long each is one."""

    def __init__(self, target):
        self.target, self.stuck, self.longest, self.running = target, set(), 0.0, WIDTH

    async def run(self):
        seen = {}
        while self.running:
            now, zombies = time.monotonic(), set(await asyncio.to_thread(self.target.zombies))
            seen = {pid: seen.get(pid, now) for pid in zombies}
            for pid, since in seen.items():
                self.longest = max(self.longest, now - since)
                if now - since > PATIENCE:
                    self.stuck.add(pid)
            await asyncio.sleep(0.05)


async def visit(target, count, chance, watch):
    """Calls that each have a process of their own."""
    tally = {"answered": 0, "killed": 0, "dropped": 0, "failed": 0, "wrong": 0}
    client = Stateless(target.port, "once")
    for number in range(count):
        call = None
        nonce, way = f"z{id(client)}-{number}", chance.random()
        try:
            if way < 0.8:
                answer = await client.work("die" if way < 0.05 else "echo", nonce)
                tally["answered" if answer.nonce == nonce else "wrong"] += 1
            elif way < 0.9:
                call = asyncio.ensure_future(client.work("sleep", nonce, ms=300))
                await asyncio.sleep(chance.random() * 0.05)
                launchers = await asyncio.to_thread(target.launchers)
                if launchers:
                    victim = chance.choice(launchers)
                    if chance.random() < 0.5:
                        victim = next(iter(machine.children_of(victim)), victim)
                    os.kill(victim, signal.SIGKILL)
                tally["killed"] += 1
                await call
            else:
                call = asyncio.ensure_future(client.work("sleep", nonce, ms=300))
                await asyncio.sleep(chance.random() * 0.02)
                client.close(reset=chance.random() < 0.5)
                tally["dropped"] += 1
                await call
        except (Failed, Closed, ProcessLookupError):
            tally["failed"] += 1
        finally:
            if call is not None:
                await asyncio.gather(call, return_exceptions=True)
    client.close()
    watch.running -= 1
    return tally
