"""R4: children that are killed in the middle of a call."""

import asyncio
import os
import random
import signal
import time

from soak.figures import Figure
from soak.reliability.common import Closed, Failed, Session, machine, marker, running

KILLS, BYSTANDERS = 200, 8
# Milliseconds before each restart in a row; by chance it is up to a quarter more.
DELAYS = [100, 200, 400, 800]
# What a wait that is measured here may be shorter by, since the caller is told of a death a little after it; and what
# it may be longer by, in which the server is started, greeted again, and dies.
TELLING, STARTING = 50, 500


async def measure(folder, scale):
    kills, chance = int(KILLS * scale), random.Random(4)
    servers = {"victim": marker("legacy", max_restarts=10), "calm": marker("legacy")}
    async with running(folder, servers) as target:
        stop, errors, answered = asyncio.Event(), 0, 0

        async def bystander():
            nonlocal errors, answered
            session = await Session(target.port, "calm").open()
            while not stop.is_set():
                try:
                    answer = await session.work("echo", f"b{answered}")
                    errors += not answer.nonce.startswith("b")
                    answered += 1
                except (Failed, Closed, OSError):
                    errors += 1
                await asyncio.sleep(0.02)

        others = [asyncio.ensure_future(bystander()) for _ in range(BYSTANDERS)]
        told, again, silent, silent_restart = [], [], 0, 0
        session = await Session(target.port, "victim").open()
        for number in range(kills):
            pid = (await session.work("echo", "who")).pid
            # Either the server or the launcher before it.
            victim = pid if chance.random() < 0.7 else machine.parents()[pid][0]
            call = asyncio.ensure_future(session.work("sleep", "long", ms=60_000))
            await asyncio.sleep(chance.random() * 0.03 + 0.01)
            begun = time.monotonic()
            os.kill(victim, signal.SIGKILL)
            try:
                await asyncio.wait_for(call, 10)
                silent += 1
            except Failed:
                told.append((time.monotonic() - begun) * 1000)
            except (TimeoutError, Closed):
                silent += 1
            begun = time.monotonic()
            try:
                await asyncio.wait_for(session.work("echo", "again"), 10)
                again.append((time.monotonic() - begun) * 1000)
            except (Failed, Closed, TimeoutError):
                silent_restart += 1
                session = await Session(target.port, "victim").open()
        stop.set()
        await asyncio.gather(*others)
        waits = await back_off(target)
    return [
        Figure("R4", "kills whose caller was told", len(told), "", least=kills),
        Figure("R4", "until it was told, the longest", max(told, default=0), "ms", most=1000),
        Figure("R4", "until it was told, half of them", machine.percentile(told or [0], 0.5), "ms"),
        Figure("R4", "kills after which the same session went on", len(again), "", least=kills),
        Figure("R4", "its next call, half of them", machine.percentile(again or [0], 0.5), "ms"),
        Figure("R4", "errors of other sessions", errors, "", most=0),
        Figure("R4", "answers of other sessions meanwhile", answered, "", least=1),
        Figure("R4", "a call whose server dies in it, the first", waits[0], "ms", most=1000),
        *(
            Figure(
                "R4",
                f"the next of them, with restart {number} in a row after {delay} ms",
                waits[number],
                "ms",
                least=delay - TELLING,
                most=delay * 1.25 + STARTING,
            )
            for number, delay in enumerate(DELAYS, 1)
        ),
    ]


async def back_off(target):
    """How long calls take that each find their server dead and then die with it; None for one that did not fail."""
    session, waits = await Session(target.port, "victim").open(), []
    for _ in range(1 + len(DELAYS)):
        begun = time.monotonic()
        try:
            await asyncio.wait_for(session.work("die", "x"), 30)
            waits.append(None)
        except Failed:
            waits.append((time.monotonic() - begun) * 1000)
        except (Closed, TimeoutError):
            waits.append(None)
    return waits
