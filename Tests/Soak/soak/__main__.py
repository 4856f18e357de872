"""What `Tests/Soak/run` does."""

import argparse
import asyncio
import importlib
import json
import random
import sys
import tempfile
import time
import traceback
from pathlib import Path

from soak import chaos, endings, load, machine, rounds
from soak.book import Book
from soak.figures import table

BARS = ["r1", "r2", "r4", "r7", "r8", "r10", "r13", "r14", "r15", "r24"]
GENTLE = [name for name in chaos.ALL if name != "kill gateway"]


def quick(options):
    """A short round with everything in it, and one in which the gateway lives: part of the ordinary tests."""
    seed = options.seed if options.seed is not None else 1
    plans = [
        rounds.Plan(seed, 10, 0.5, 16, GENTLE, slack=20, is_strict=False),
        rounds.Plan(seed + 1, 6, 1.0, 12, ["kill gateway", "kill child", "drop clients"], slack=20, is_strict=False),
    ]
    good = [rounds.round_of(plan) for plan in plans]
    print("400 processes that end", flush=True)
    return all([*good, asyncio.run(endings.run(400, seed))])


def soak(options):
    """Rounds of chaos for as long as was asked, each with another seed."""
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 30)
    end, number, good = time.monotonic() + options.seconds, 0, True
    print(f"seed {seed}; {machine.description()}", flush=True)
    while time.monotonic() < end:
        length = min(120.0, max(end - time.monotonic(), 10.0))
        names = chaos.ALL if number % 2 else GENTLE
        plan = rounds.Plan(seed + number, length, 1.0, options.actors, names, options.slack, not options.lenient)
        good &= rounds.round_of(plan)
        number += 1
        if options.once:
            break
    print("all is well" if good else "something is not well: see above")
    return good


def measured(options):
    """Measures what is promised, and says where it is not kept."""
    names = [name.lower() for name in (options.only or "").split(",") if name] or BARS
    figures, good = [], True
    print(machine.description(), flush=True)
    for name in names:
        module = importlib.import_module(f"soak.reliability.{name}")
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="gatehouse-soak-") as folder:
            try:
                found = asyncio.run(module.measure(Path(folder), options.scale))
            except Exception:
                traceback.print_exc()
                log = Path(folder) / "gateway.log"
                if log.exists():
                    print("".join(log.read_text(errors="replace").splitlines(True)[-20:]))
                good = False
                continue
        if not found:
            print(f"{name.upper()}: nothing was measured", flush=True)
            good = False
            continue
        figures += found
        print(f"{name.upper()}: {module.__doc__.splitlines()[0].partition(': ')[2]} {time.monotonic() - begun:.0f} s", flush=True)
        print(table(found), flush=True)
    print()
    print(table(figures))
    return good and all(figure.is_good for figure in figures)


def zombies(options):
    """Starts and ends many processes, some of them by force: none may stay as a zombie."""
    return asyncio.run(endings.run(options.count, options.seed))


def worker(options):
    """Clients in a process of their own, which says at its end what it found."""

    async def work():
        book, stop = Book(f"w{options.seed}", options.slack), asyncio.Event()
        # What is done to the servers is not known here: only answers are judged, not errors.
        book.trouble(None, 10_000)
        running = asyncio.ensure_future(load.run(load.cast(options.port, list(chaos.SERVERS), book, 4, options.seed), stop))
        await asyncio.sleep(options.seconds)
        stop.set()
        await running
        return book.exported()

    json.dump(asyncio.run(work()), sys.stdout)
    return True


def main():
    parser = argparse.ArgumentParser(prog="Tests/Soak/run", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("quick", help=quick.__doc__)
    verb.add_argument("--seed", type=int)
    verb.set_defaults(run=quick)
    verb = verbs.add_parser("chaos", help=soak.__doc__)
    verb.add_argument("--seconds", type=float, default=1800)
    verb.add_argument("--seed", type=int)
    verb.add_argument("--actors", type=int, default=32)
    verb.add_argument("--slack", type=float, default=1.0, help="seconds that a call may end after its time-out")
    verb.add_argument("--lenient", action="store_true", help="judge neither memory nor lateness: for a busy machine")
    verb.add_argument("--once", action="store_true", help="only the round of this seed")
    verb.set_defaults(run=soak)
    verb = verbs.add_parser("reliability", help=measured.__doc__)
    verb.add_argument("--only", help="bars by name, such as R1,R8")
    verb.add_argument("--scale", type=float, default=1.0, help="a part of the numbers, for a small machine")
    verb.set_defaults(run=measured)
    verb = verbs.add_parser("zombies", help=zombies.__doc__)
    verb.add_argument("--count", type=int, default=10_000)
    verb.add_argument("--seed", type=int, default=1)
    verb.set_defaults(run=zombies)
    verb = verbs.add_parser("worker", help=worker.__doc__)
    verb.add_argument("--port", type=int, required=True)
    verb.add_argument("--seed", type=int, required=True)
    verb.add_argument("--seconds", type=float, required=True)
    verb.add_argument("--slack", type=float, required=True)
    verb.set_defaults(run=worker)
    options = parser.parse_args()
    sys.exit(0 if options.run(options) else 1)


if __name__ == "__main__":
    main()
