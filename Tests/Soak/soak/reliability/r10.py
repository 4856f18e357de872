"""R10: a server that eats memory, and one that multiplies."""

import asyncio

from soak.figures import Figure
from soak.reliability.common import Closed, Failed, Session, latencies, machine, marker, running

MEMORY, PROCESSES = 64 << 20, 32


async def attempt(session, do, **arguments):
    """What a rude call got: its answer's words, or the words of its error."""
    try:
        return (await asyncio.wait_for(session.work(do, "rude", **arguments), 20)).more
    except Failed as failure:
        return str(failure)
    except (Closed, TimeoutError):
        return ""


async def measure(folder, scale):
    box = {"level": "strict", "memory": MEMORY, "processes": PROCESSES, "readable": [str(marker("legacy")["command"])]}
    servers = {"boxed": marker("legacy", sandbox=box), "calm": marker("legacy")}
    try:
        return await measured(folder, servers)
    except (AssertionError, Failed, Closed) as failure:
        print(f"R10 is not measured: {str(failure)[-400:]}", flush=True)
        return []


async def measured(folder, servers):
    async with running(folder, servers) as target:
        calm = await Session(target.port, "calm").open()
        await latencies(calm, 50)
        before, _ = await latencies(calm, 300)
        rude = await Session(target.port, "boxed").open()
        neighbour = await Session(target.port, "boxed").open()
        during = asyncio.ensure_future(latencies(calm, 300, pause=0.005))
        eaten = await attempt(rude, "eat", bytes=MEMORY * 4)
        rude = await Session(target.port, "boxed").open()
        multiplied = await attempt(rude, "multiply", count=500)
        after, failed = await during
        words = (await neighbour.work("echo", "there")).nonce
        await rude.delete()
        await neighbour.delete()
    made = int(multiplied) if multiplied.isdigit() else 0
    return [
        Figure("R10", "four times the memory it may have: refused or ended", int(eaten != "eaten"), "", least=1),
        Figure("R10", "processes it could start", made, "", most=PROCESSES),
        Figure("R10", "another session of the same server goes on", int(words == "there"), "", least=1),
        Figure("R10", "errors of other servers' sessions", failed, "", most=0),
        Figure("R10", "their calls meanwhile, half of them", machine.percentile(after, 0.5), "ms"),
        Figure("R10", "the same before", machine.percentile(before, 0.5), "ms"),
        Figure("R10", "their calls meanwhile, 99 of 100", machine.percentile(after, 0.99), "ms"),
        Figure("R10", "the same before", machine.percentile(before, 0.99), "ms"),
    ]
