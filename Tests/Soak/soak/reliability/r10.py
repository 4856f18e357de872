"""R10: a server that eats memory, and one that multiplies."""

import asyncio
import contextlib
import re
import time

from soak.figures import Figure
from soak.reliability.common import (
    Closed,
    Failed,
    Session,
    by_chance,
    crowded,
    latencies,
    latencies_until,
    machine,
    marker,
    running,
)

MEMORY, PROCESSES = 64 << 20, 32
CALLS, PAUSE = 600, 0.005
# Rude calls of each kind at least, and for how many seconds.
ROUNDS, SECONDS = 10, 5
# By how much the slowest calls of others may be slower meanwhile, in percent.
SLOWER = 20
# With these words the gateway does not start where bubblewrap is missing or may not work; anything else is a failure.
WITHOUT = re.compile("sandbox: .*(?:bubblewrap is missing|sandboxes need user namespaces).*")
REFUSED, ENDED = "refused", "more memory than its sandbox allows"


async def attempt(target, do, **arguments):
    """What a rude call of a new session got: its answer's words, or the words of its error."""
    session = await Session(target.port, "boxed").open()
    # A server that has answered once is not one that dies as soon as it is started.
    await session.work("echo", "polite")
    try:
        return (await asyncio.wait_for(session.work(do, "rude", **arguments), 20)).more
    except Failed as failure:
        return str(failure)
    except (Closed, TimeoutError) as failure:
        return repr(failure)
    finally:
        await session.delete()
        session.close()


async def measure(folder, scale):
    box = {"level": "strict", "memory": MEMORY, "processes": PROCESSES, "readable": [str(marker("legacy")["command"])]}
    servers = {"boxed": marker("legacy", sandbox=box), "calm": marker("legacy")}
    async with contextlib.AsyncExitStack() as stack:
        try:
            target = await stack.enter_async_context(running(folder, servers))
        except AssertionError as failure:
            reason = WITHOUT.search(str(failure))
            if reason is None:
                raise
            return [Figure("R10", "what a server does that takes too much", None, told=reason[0])]
        return await measured(target)


async def measured(target):
    calm = await Session(target.port, "calm").open()
    await latencies(calm, 50)
    first, _ = await latencies(calm, CALLS, PAUSE)
    base, _ = await latencies(calm, CALLS, PAUSE)
    neighbour = await Session(target.port, "boxed").open()
    stop, eaten, multiplied = asyncio.Event(), [], []
    during = asyncio.ensure_future(latencies_until(calm, stop, PAUSE))
    end = time.monotonic() + SECONDS
    while len(eaten) < ROUNDS or time.monotonic() < end:
        eaten.append(await attempt(target, "eat", bytes=MEMORY * 4))
        multiplied.append(await attempt(target, "multiply", count=500))
    stop.set()
    after, failed = await during
    words = (await neighbour.work("echo", "there")).nonce
    await neighbour.delete()
    await calm.delete()
    stopped = [text for text in eaten if text == REFUSED or ENDED in text]
    for text in set(eaten) - set(stopped):
        print(f"R10: four times the memory it may have: {text}", flush=True)
    made = [int(text) if text.isdigit() else 0 for text in multiplied]
    slowest, before, earlier = (machine.percentile(times, 0.99) for times in (after, base, first))
    told = crowded() or by_chance(before, earlier, 1 + SLOWER / 100)
    return [
        Figure("R10", "times it took four times its memory and was stopped", len(stopped), "", least=len(eaten)),
        Figure("R10", "processes it could start, at least", min(made), "", least=1),
        Figure("R10", "processes it could start, at most", max(made), "", most=PROCESSES),
        Figure("R10", "another session of the same server goes on", int(words == "there"), "", least=1),
        Figure("R10", "errors of other servers' sessions", failed, "", most=0),
        Figure("R10", "their calls meanwhile", len(after), "", least=CALLS / 6),
        Figure("R10", "half of them", machine.percentile(after, 0.5), "ms"),
        Figure("R10", "the same before", machine.percentile(base, 0.5), "ms"),
        Figure("R10", "99 of 100 of them", slowest, "ms"),
        Figure("R10", "the same before", before, "ms"),
        Figure("R10", "the same before that, also quiet", earlier, "ms"),
        Figure("R10", "99 of 100 take longer meanwhile by", (slowest / before - 1) * 100, "%", most=SLOWER, told=told),
    ]
