"""What goes wrong, and when: one seed is one schedule."""

import asyncio
import collections
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from peers.processes import is_alive
from soak import HERE, load
from soak.clients import Failed, Session, Stateless, encoded
from soak.target import Target, marker
from soak.wire import Closed, Connection, once

SERVER = {"timeout_seconds": int(load.START), "request_timeout_seconds": int(load.REQUEST), "max_restarts": 10}
# Nobody touches the processes of `calm`: an error there has to have another reason.
SERVERS = {"legacy": "legacy", "modern": "modern", "dual": "dual", "calm": "legacy"}
IDLE = 4
ALL = [
    "kill child",
    "kill child",
    "stop child",
    "kill gateway",
    "drop clients",
    "drop clients",
    "stop client",
    "exhaust descriptors",
    "fill disk",
    "delete storm",
    "reload",
    "slow readers",
    "garbage",
]
# What the processes of a server that was stopped or killed need to be well again.
CONVALESCENCE = 2 * load.REQUEST + load.START
# Seconds in which a configuration is read again after SIGHUP.
READING = 2.0
# How a step says that it did nothing.
NOTHING = ("nobody there", "not tried")


@dataclass
class Step:
    """One thing that goes wrong."""

    at: float
    name: str
    chance: float
    more: float

    def __str__(self):
        return f"{self.at:7.2f} s  {self.name}  ({self.chance:.4f}, {self.more:.4f})"


def schedule(seed, seconds, gap, names):
    """The steps of a seed: always the same ones."""
    chance, time_of, steps = random.Random(seed), 0.0, []
    while (time_of := time_of + chance.uniform(0.3, 1.7) * gap) < seconds:
        steps.append(Step(time_of, chance.choice(names), chance.random(), chance.random()))
    return steps


class Disk:
    """The directory for the gateway's state and TMPDIR: a file system of 1 MiB if that may be mounted."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True)
        command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
        self.is_small = (
            shutil.which("mount") is not None and subprocess.run(command, capture_output=True).returncode == 0
        )
        self.state, self.temporary = folder / "state", folder / "tmp"
        for place in (self.state, self.temporary):
            place.mkdir(mode=0o700)

    def fill(self):
        with open(self.folder / "filling", "wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                pass

    def empty(self):
        (self.folder / "filling").unlink(missing_ok=True)

    def close(self):
        if self.is_small:
            subprocess.run(["umount", "-l", str(self.folder)], check=False)


class Chaos:
    """Carries out a schedule against a gateway and its clients."""

    def __init__(self, target, book, actors, disk, seed):
        self.target, self.book, self.actors, self.disk = target, book, actors, disk
        self.seed, self.said = seed, []
        # How often each kind of step was done, and why those that were not were not.
        self.done, self.undone = collections.Counter(), {}
        self.deleted = []
        self.worker = None

    async def run(self, steps):
        start = time.monotonic()
        for step in steps:
            await asyncio.sleep(max(0.0, start + step.at - time.monotonic()))
            did = await getattr(self, step.name.replace(" ", "_"))(step)
            self.said.append(f"{time.monotonic() - start:7.2f} s  {step.name}: {did}")
            if did.startswith(NOTHING):
                self.undone[step.name] = did
            else:
                self.done[step.name] += 1

    def tally(self, names):
        """What was done and what was not, in two lines at most."""
        done = ", ".join(f"{self.done[name]} x {name}" for name in sorted(self.done))
        missing = sorted(name for name in set(names) if not self.done[name])
        reasons = ", ".join(f"{name} ({self.undone.get(name, 'not in the schedule of this seed')})" for name in missing)
        return [f"done: {done or 'nothing'}", *([f"not done: {reasons}"] if missing else [])]

    # MARK: Processes

    def victim(self, step):
        """A process of a server, or its launcher, and the server's name; those of `calm` are left alone."""
        found = [(pid, name) for name in ("legacy", "modern", "dual") for pid in self.target.children(name)]
        found = sorted(entry for entry in found if is_alive(entry[0]))
        return found[int(step.chance * len(found))] if found else (None, None)

    def send(self, pid, number):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass

    async def kill_child(self, step):
        pid, server = self.victim(step)
        if pid is None:
            return "nobody there"
        self.book.trouble(server, CONVALESCENCE)
        self.send(pid, signal.SIGKILL)
        return f"{pid} of {server}"

    async def stop_child(self, step):
        pid, server = self.victim(step)
        if pid is None:
            return "nobody there"
        pause = 0.2 + step.more * 2
        self.book.trouble(server, pause + CONVALESCENCE)
        self.send(pid, signal.SIGSTOP)
        await asyncio.sleep(pause)
        self.send(pid, signal.SIGCONT)
        return f"{pid} of {server} for {pause:.1f} s"

    async def kill_gateway(self, step):
        kept, deleted = await self.before_the_end()
        self.book.trouble(None, 60)
        self.target.kill()
        left = await asyncio.to_thread(self.target.leftovers, 10.0)
        if left:
            self.book.violated(f"kill -9 of the gateway left {left}")
        begun = time.monotonic()
        await asyncio.to_thread(self.target.start)
        took = time.monotonic() - begun
        self.book._troubles = [entry for entry in self.book._troubles if entry[0] is not None]
        self.book.trouble(None, CONVALESCENCE)
        return f"ready again in {took * 1000:.0f} ms; {await self.after_the_end(kept, deleted)}"

    async def before_the_end(self):
        """A session that is to be found again if sessions last, and one that is not to come back in any case."""
        kept, deleted = None, None
        try:
            async with asyncio.timeout(load.START):
                kept, deleted = await Session(self.target.port, "calm").open(), await Session(self.target.port, "calm").open()
                await kept.work("echo", self.book.nonce())
                await deleted.work("echo", self.book.nonce())
                await deleted.delete()
        except (Failed, Closed, OSError, TimeoutError):
            pass
        # What was acknowledged is written within a tenth of a second.
        await asyncio.sleep(0.5)
        return kept, deleted

    async def after_the_end(self, kept, deleted):
        """Whether sessions were found again, in words."""
        lasts = (self.disk.state / "gatehouse.db").exists()
        if deleted is not None and deleted.id is not None:
            self.deleted.append(deleted)
        for session in self.deleted[-3:]:
            session.close()
            if await self.still_works(session) != "404":
                self.book.violated("a session that was deleted came back when the gateway was killed")
        if kept is None:
            return "no session was opened before"
        kept.close()
        said = await self.still_works(kept)
        if said == "404" and lasts:
            self.book.violated("a session that was acknowledged half a second before the gateway was killed is unknown")
        await asyncio.gather(kept.delete(), return_exceptions=True)
        kept.close()
        return f"the session before says {said}"

    async def still_works(self, session):
        try:
            answer = await self.book.ends(session.work("echo", self.book.nonce()), load.REQUEST + load.START, "a call after it")
            return f"place {answer.place}"
        except Failed as failure:
            return str(failure.status)
        except (Closed, OSError, TimeoutError) as failure:
            return repr(failure)
        finally:
            session.close()

    async def reload(self, step):
        """The configuration is read again: the same, another, or a broken one. The log must say what came of it."""
        status = (Path("/proc") / str(self.target.pid) / "status").read_text()
        caught = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt:"))
        if not caught & 1:
            self.book.violated("SIGHUP would end the gateway: it does not read its configuration again")
            return "not tried: this gateway does not read its configuration again"
        is_broken = step.chance < 0.3
        what, wanted = ("a broken file", "refused") if is_broken else ("another limit", "used")
        with self.target.reading() as reading:
            if is_broken:
                self.target.replace_configuration("{ this is no configuration")
            else:
                limits = {**self.target.settings["limits"], "connections": 2000 + int(step.more * 100)}
                self.target.write_configuration({**self.target.settings, "limits": limits})
            self.target.signal(signal.SIGHUP)
            said = await reading.outcome(READING + self.book.slack)
        if said != wanted:
            self.book.violated(f"SIGHUP and {what}: it should be {wanted}, and the log says {said or 'nothing'}")
        await asyncio.sleep(0.2)
        self.target.write_configuration()
        return f"{what}, which was {said}"

    # MARK: Clients

    async def drop_clients(self, step):
        count = 1 + int(step.more * len(self.actors) / 2)
        chosen = random.Random(step.chance).sample(self.actors, count)
        self.book.trouble(None, 0.5)
        for number, actor in enumerate(chosen):
            if actor.client is not None:
                actor.client.close(reset=number % 2 == 0)
        return f"{count} clients"

    def start_worker(self, seconds):
        """Clients in a process of their own, which can be stopped."""
        command = [sys.executable, "-m", "soak", "worker", "--port", str(self.target.port), "--seed", str(self.seed + 1)]
        command += ["--seconds", str(seconds), "--slack", str(self.book.slack)]
        self.worker = subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    async def finish_worker(self):
        """Its findings go into the book."""
        if self.worker is None:
            return
        try:
            text, errors = await asyncio.to_thread(self.worker.communicate, None, 60)
        except subprocess.TimeoutExpired:
            self.worker.kill()
            self.book.violated("the clients in a process of their own do not come to an end")
            return
        try:
            self.book.merge(json.loads(text))
        except ValueError:
            self.book.violated(f"the clients in a process of their own failed: {errors.decode()[-2000:]}")

    async def stop_client(self, step):
        if self.worker is None or self.worker.poll() is not None:
            return "nobody there"
        pause = 0.3 + step.more * (IDLE - 2)
        self.send(self.worker.pid, signal.SIGSTOP)
        await asyncio.sleep(pause)
        self.send(self.worker.pid, signal.SIGCONT)
        return f"for {pause:.1f} s"

    # MARK: Scarcity

    async def exhaust_descriptors(self, step):
        pid, pause = self.target.pid, 0.3 + step.more
        _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        used = len(os.listdir(f"/proc/{pid}/fd"))
        self.book.trouble(None, pause + CONVALESCENCE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (max(used - 2, 8), hard))
        await asyncio.sleep(pause)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (hard, hard))
        await asyncio.sleep(1.0)
        try:
            status, _, _ = await self.book.ends(once(self.target.port, "GET", "/healthz"), 2.0, "/healthz")
            if status != 200:
                self.book.violated(f"/healthz says {status} when there are descriptors again")
        except (Closed, OSError, TimeoutError) as failure:
            self.book.violated(f"/healthz when there are descriptors again: {failure}")
        return f"at {used} for {pause:.1f} s"

    async def fill_disk(self, step):
        if not self.disk.is_small:
            return "not tried: there is no small file system"
        pause = 0.3 + step.more
        self.book.trouble(None, pause + 2)
        await asyncio.to_thread(self.disk.fill)
        await asyncio.sleep(pause)
        self.disk.empty()
        return f"for {pause:.1f} s"

    # MARK: Rudeness

    async def delete_storm(self, step):
        """Sessions that are deleted by many at once while a call is in them."""
        server, count = ("legacy", "dual", "modern")[int(step.chance * 3)], 4 + int(step.more * 12)
        port, book = self.target.port, self.book
        sessions = await asyncio.gather(*(Session(port, server).open() for _ in range(count)), return_exceptions=True)
        sessions = [session for session in sessions if isinstance(session, Session)]

        async def delete(session):
            waiting = session.work("sleep", book.nonce(), ms=60_000)
            call = asyncio.ensure_future(book.ends(waiting, load.REQUEST, f"a call of a deleted session at {server}"))
            await asyncio.sleep(0.02)
            statuses = await asyncio.gather(*(session.delete() for _ in range(4)), return_exceptions=True)
            statuses = [status for status in statuses if isinstance(status, int)]
            if statuses.count(200) > 1 or set(statuses) - {200, 404, 503}:
                book.violated(f"DELETE by four at once answered {statuses}")
            await asyncio.gather(call, return_exceptions=True)
            session.close()

        await asyncio.gather(*(delete(session) for session in sessions))
        return f"{len(sessions)} sessions of {server}"

    async def slow_readers(self, step):
        """Clients who ask for much and take nothing."""
        count, server = 2 + int(step.more * 6), ("modern", "dual")[int(step.chance * 2)]
        connections = []
        for _ in range(count):
            client, nonce = Stateless(self.target.port, server), self.book.nonce()
            params = {"name": "work", "arguments": {"do": "flood", "nonce": nonce, "bytes": 4 << 20}}
            params["_meta"] = client.meta(progressToken=nonce)
            message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
            try:
                connection = await Connection.open(self.target.port, buffer=4096)
                fields = [("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream")]
                await connection.send("POST", client.path, fields + client.fields("tools/call", "work"), encoded(message))
                connections.append(connection)
            except (Closed, OSError):
                pass
        # Their server's other callers share a process, whose pipe is held back meanwhile.
        self.book.trouble(server, 1.0 + CONVALESCENCE)
        await asyncio.sleep(0.3 + step.chance)
        for connection in connections:
            connection.reset()
        return f"{count} at {server}"

    async def garbage(self, step):
        chance, count = random.Random(step.chance), 5 + int(step.more * 20)
        starts = [b"", b"POST /mcp/calm HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 400\r\n\r\n", b"GET / HTTP/1.1\r\n"]
        for _ in range(count):
            try:
                connection = await Connection.open(self.target.port)
                connection.writer.write(chance.choice(starts) + chance.randbytes(chance.randrange(1, 300)))
                await connection.writer.drain()
                if chance.random() < 0.5:
                    await asyncio.sleep(0.005)
                connection.reset() if chance.random() < 0.5 else connection.close()
            except (Closed, OSError):
                pass
        return f"{count} connections"


def gateway(folder, disk):
    """The gateway that chaos comes over."""
    servers = {name: marker(era, **SERVER) for name, era in SERVERS.items()}
    settings = {"timeouts": {"session": IDLE, "heartbeat": 1, "requestState": 5}, "limits": {"connections": 2000}}
    settings["state"] = str(disk.state)
    return Target(folder, servers, settings, {"TMPDIR": str(disk.temporary)})
