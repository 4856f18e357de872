"""The ledger: every call with its nonce, what came of it, and what must never come of any.

A marker belongs to one owner for ever: a process that has answered one session answers no other. No place in a process is
given twice: an answer that came back to two calls would show there.
"""

import asyncio
import collections
import itertools
import re
import time
import traceback

from soak.clients import Failed
from soak.wire import Closed

# A step of waiting counts for no more than this: time in which this process itself was stopped is not the gateway's.
STEP = 1.0
LONGEST_STEP = 1.5
# What the gateway says of a server that is too slow, which may be the machine's fault.
LATE = re.compile("did not answer within")
# What it says of a call that waited for its turn behind calls that nobody answers, which the load itself makes.
BUSY = re.compile("busy with other calls for too long")
# Seconds without an answer after which a session may have been idle for too long.
AWAY = 2.0


class Book:
    """Entries and violations."""

    def __init__(self, name, slack=1.0, excuses_lateness=False):
        self.name, self.slack, self.excuses_lateness = name, slack, excuses_lateness
        self.outcomes = collections.Counter()
        self.errors = collections.Counter()
        self.violations = []
        self.times = []
        self._owners, self._places = {}, set()
        self._nonces = itertools.count(1)
        self._troubles = []

    def nonce(self):
        return f"{self.name}-{next(self._nonces)}"

    def violated(self, text):
        self.violations.append(f"{time.strftime('%H:%M:%S')} {text}")

    # MARK: Trouble that was made

    def trouble(self, server, seconds):
        """Errors of this server (None: of all) are expected from now on for so long."""
        self._troubles.append((server, time.monotonic() + seconds))

    def is_troubled(self, server, since):
        """Whether trouble was made that a call begun at `since` may have met."""
        return any(end >= since for name, end in self._troubles if name in (None, server))

    # MARK: Calls

    async def ends(self, waiting, limit, what):
        """Waits for something that must end in time: its result, or the error it ended with."""
        task, waited = asyncio.ensure_future(waiting), 0.0
        while waited < limit + self.slack:
            before = time.monotonic()
            done, _ = await asyncio.wait({task}, timeout=min(STEP, limit + self.slack - waited))
            if done:
                return await task
            waited += min(time.monotonic() - before, LONGEST_STEP)
        task.cancel()
        self.violated(f"{what}: no answer, no error and no end within {limit + self.slack:.1f} s")
        raise TimeoutError(what)

    async def call(self, client, owner, do, limit, expects_error=False, **arguments):
        """Makes a call and judges what comes of it; the answer, or None."""
        nonce, begun = self.nonce(), time.monotonic()
        client.last_use = client.last_use or begun
        name = f"name-of-{nonce}"
        what = f"{do} {nonce} at {client.server} by {owner}"
        try:
            answer = await self.ends(client.work(do, nonce, name, **arguments), limit, what)
        except Failed as failure:
            self.outcomes[client.server, "error"] += 1
            self.errors[client.server, f"{failure.status} {failure.code}"] += 1
            was_away = failure.status == 404 and begun - client.last_use > AWAY
            is_excused = self.excuses_lateness and (was_away or LATE.search(str(failure)))
            is_excused = is_excused or BUSY.search(str(failure))
            if not expects_error and not is_excused and not self.is_troubled(client.server, begun):
                self.violated(f"{what}: failed without a reason: {failure}")
            if failure.status == 404:
                raise
            return None
        except (Closed, OSError) as end:
            self.outcomes[client.server, "closed"] += 1
            if not expects_error and not self.is_troubled(client.server, begun):
                self.violated(f"{what}: the connection ended without a reason: {end}")
            return None
        except TimeoutError:
            self.outcomes[client.server, "hang"] += 1
            return None
        except asyncio.CancelledError:
            raise
        except Exception:
            self.outcomes[client.server, "wrong"] += 1
            self.violated(f"{what}: {traceback.format_exc(limit=2)}")
            return None
        self.outcomes[client.server, "answer"] += 1
        self.times.append(time.monotonic() - begun)
        self.judge(what, nonce, name, owner, do, answer)
        client.last_use = time.monotonic()
        return answer

    def judge(self, what, nonce, name, owner, do, answer):
        if answer.nonce != nonce:
            self.violated(f"{what}: got the answer of {answer.nonce}")
        known = self._owners.setdefault(answer.marker, owner)
        if known != owner:
            self.violated(f"{what}: answered by the process {answer.pid} of {known}")
        if (answer.marker, answer.place) in self._places:
            self.violated(f"{what}: place {answer.place} of process {answer.pid} was given before")
        self._places.add((answer.marker, answer.place))
        if do == "ask" and answer.more != name:
            self.violated(f"{what}: the server was told {answer.more} in the place of {name}")

    def merge(self, other):
        """Takes in what another process has found."""
        self.violations += other["violations"]
        for server, outcome, count in other["outcomes"]:
            self.outcomes[server, outcome] += count
        for server, error, count in other["errors"]:
            self.errors[server, error] += count
        for marker, owner in other["owners"]:
            if self._owners.setdefault(marker, owner) != owner:
                self.violated(f"the process with the marker {marker} answered {owner} and {self._owners[marker]}")

    def exported(self):
        return {
            "violations": self.violations,
            "outcomes": [[*key, count] for key, count in self.outcomes.items()],
            "errors": [[*key, count] for key, count in self.errors.items()],
            "owners": list(self._owners.items()),
        }

    def summary(self):
        lines = []
        for server in sorted({server for server, _ in self.outcomes}):
            counts = ", ".join(f"{n} {o}" for (s, o), n in sorted(self.outcomes.items()) if s == server)
            errors = ", ".join(f"{n} x {e}" for (s, e), n in sorted(self.errors.items()) if s == server)
            lines.append(f"  {server}: {counts}" + (f" ({errors})" if errors else ""))
        return "\n".join(lines)
