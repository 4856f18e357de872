"""A round: load, chaos, calm; then nothing may be left."""

import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from soak import chaos, load, machine
from soak.book import Book
from soak.clients import Failed, metrics
from soak.wire import Closed

# What memory may differ by between two times of rest, beside a tenth.
KEPT = 1 << 20


@dataclass
class Plan:
    """What a round is made of."""

    seed: int
    seconds: float
    gap: float
    actors: int
    names: list
    slack: float = 1.0
    # Whether memory is judged too, and lateness is nobody's fault but the gateway's: not on a machine that does much else.
    is_strict: bool = True

    @property
    def judges_memory(self):
        """One gateway must live through the round, and the machine be its own."""
        return self.is_strict and "kill gateway" not in self.names

    @property
    def mercy(self):
        """Why memory is not judged, in words."""
        if "kill gateway" in self.names:
            return "memory is not judged in this round, whose gateway is killed between the measurements"
        return "memory is not judged in this round: it is a short one, or the machine does much else (--lenient)"


@dataclass
class Level:
    """What the gateway holds when nobody asks anything of it."""

    descriptors: int
    threads: int
    rss: int
    own: int

    @classmethod
    def of(cls, pid):
        return cls(machine.descriptors(pid), machine.threads(pid), *machine.memory(pid))

    def __str__(self):
        return f"{self.descriptors} descriptors, {self.threads} threads, RSS {self.rss >> 10} KiB, {self.own >> 10} KiB of its own"


async def settled(target, book, patience):
    """Waits until no session, no process and no zombie is left; what stays is a violation."""
    end, said = time.monotonic() + patience, "nothing yet"
    while time.monotonic() < end:
        try:
            numbers = await metrics(target.port)
            zombies = target.zombies()
            said = f"{numbers}, zombies {zombies}"
            if numbers["active_sessions"] == 0 and numbers["total_processes"] == 0 and not zombies:
                if not [pid for pid in target.children() if chaos.is_alive(pid)]:
                    return
        except (Closed, OSError, Failed) as failure:
            said = repr(failure)
        await asyncio.sleep(0.25)
    book.violated(f"{patience:.0f} s after the load there is still: {said}, processes {target.children()}")


async def busy(actors, meanwhile):
    """Load for as long as something else takes."""
    stop = asyncio.Event()
    running = asyncio.ensure_future(load.run(actors, stop))
    await meanwhile
    stop.set()
    await running


async def play(plan, folder):
    """Plays a round; the book, and lines for the report."""
    disk = chaos.Disk(folder / "disk")
    target, book, lines = chaos.gateway(folder / "gateway", disk), Book(f"r{plan.seed}", plan.slack, not plan.is_strict), []
    patience = chaos.IDLE + 9 + plan.slack
    steps = chaos.schedule(plan.seed, plan.seconds, plan.gap, plan.names)
    events = None
    try:
        target.start()
        actors = load.cast(target.port, list(chaos.SERVERS), book, plan.actors, plan.seed)
        # The first use of everything is not what is measured. What bad times take once and keep is not lost either: where
        # memory is judged, there are bad times before.
        if plan.judges_memory:
            before = chaos.Chaos(target, book, actors, disk, plan.seed)
            await busy(actors, before.run(chaos.schedule(plan.seed + 1000, plan.seconds / 3, plan.gap / 2, plan.names)))
        else:
            await busy(actors, asyncio.sleep(min(5.0, 1 + plan.seconds / 6)))
        await settled(target, book, patience)
        base = Level.of(target.pid)
        events = chaos.Chaos(target, book, actors, disk, plan.seed)
        if "stop client" in plan.names:
            events.start_worker(plan.seconds)
        await busy(actors, events.run(steps))
        await events.finish_worker()
        await settled(target, book, patience)
        after = Level.of(target.pid)
        lines += [*events.tally(plan.names), f"before: {base}", f"after:  {after}"]
        if not plan.judges_memory:
            lines.append(plan.mercy)
        if after.descriptors > base.descriptors * 1.1 + 1:
            book.violated(f"descriptors leak: {base.descriptors} before, {after.descriptors} after")
        if after.threads > base.threads + 2:
            book.violated(f"threads leak: {base.threads} before, {after.threads} after")
        if plan.judges_memory and after.own > base.own * 1.1 + KEPT:
            book.violated(f"memory stays: {base.own >> 10} KiB before, {after.own >> 10} KiB after")
    except Exception as failure:
        book.violated(f"the round itself failed: {failure!r}")
        raise
    finally:
        if events is not None and events.worker is not None and events.worker.poll() is None:
            events.worker.kill()
        book.violations += target.end() if target.process else []
        disk.close()
        if book.violations:
            tell(plan, steps, events, target, book)
    if not disk.is_small and "fill disk" in plan.names:
        lines.append("the disk was not filled: mounting a file system of 1 MiB is not allowed here")
    return book, lines


def tell(plan, steps, events, target, book):
    """Everything that helps to find the reason of a failure."""
    write = sys.stderr.write
    write(f"\nFAILED with the seed {plan.seed}. The schedule:\n" + "".join(f"  {step}\n" for step in steps))
    if events is not None:
        write("What was done:\n" + "".join(f"  {line}\n" for line in events.said))
    write("What must not be:\n" + "".join(f"  {line}\n" for line in book.violations[:30]))
    if len(book.violations) > 30:
        write(f"  ... and {len(book.violations) - 30} more\n")
    write(f"The gateway's last words:\n{target.tail(30)}\n")


def round_of(plan):
    """Plays a round in a folder of its own; whether all was well."""
    print(f"seed {plan.seed}: {plan.seconds:.0f} s, {plan.actors} clients", flush=True)
    with tempfile.TemporaryDirectory(prefix="gatehouse-soak-") as folder:
        book, lines = asyncio.run(play(plan, Path(folder)))
    print("\n".join([book.summary(), *(f"  {line}" for line in lines)]), flush=True)
    return not book.violations
