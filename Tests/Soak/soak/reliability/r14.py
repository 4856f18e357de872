"""R14: clients that vanish without a farewell, and clients that are stopped."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time

from soak import HERE
from soak.figures import Figure
from soak.reliability.common import LOTS, Session, machine, marker, running

COUNT, OUR, THEIR = 50, "10.77.31.1", "10.77.31.2"
CLIENT = """
import asyncio, sys
from soak.clients import Session
async def main():
    host, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    session = await Session(port, "legacy").open()
    for _ in range(count):
        await session.stream()
    print("ready", flush=True)
    await asyncio.sleep(3600)
asyncio.run(main())
"""


def command(*words):
    return subprocess.run(words, capture_output=True, text=True)


class Wire:
    """A network of two ends, one of which can be cut without a word to the other."""

    def __init__(self):
        self.name = f"soak{os.getpid() % 100000}"

    def open(self):
        steps = [
            ("ip", "netns", "add", self.name),
            ("ip", "link", "add", f"{self.name}a", "type", "veth", "peer", "name", f"{self.name}b", "netns", self.name),
            ("ip", "addr", "add", f"{OUR}/30", "dev", f"{self.name}a"),
            ("ip", "link", "set", f"{self.name}a", "up"),
            ("ip", "-n", self.name, "addr", "add", f"{THEIR}/30", "dev", f"{self.name}b"),
            ("ip", "-n", self.name, "link", "set", f"{self.name}b", "up"),
        ]
        for step in steps:
            done = command(*step)
            if done.returncode != 0:
                return f"{' '.join(step)}: {done.stderr.strip()}"
        return None

    def cut(self):
        """From now on nothing arrives, and nobody is told."""
        command("ip", "-n", self.name, "addr", "flush", "dev", f"{self.name}b")

    def close(self):
        command("ip", "netns", "del", self.name)
        command("ip", "link", "del", f"{self.name}a")


async def measure(folder, scale):
    return await stopped(folder / "stopped") + await cut_off(folder / "cut")


async def stopped(folder):
    """A process of clients is stopped in the middle of answers: the gateway cuts it off, others are served."""
    settings = {"limits": LOTS, "timeouts": {"write": 3, "session": 5, "heartbeat": 1}}
    async with running(folder, {"legacy": marker("legacy")}, settings) as target:
        script = folder / "client.py"
        script.write_text(CLIENT.replace("await session.stream()", FLOOD))
        words = [sys.executable, str(script), "127.0.0.1", str(target.port), "4"]
        client = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(HERE)})
        await asyncio.to_thread(client.stdout.readline)
        os.kill(client.pid, signal.SIGSTOP)
        begun, before = time.monotonic(), machine.descriptors(target.pid)
        other = await Session(target.port, "legacy").open()
        answered = (await other.work("echo", "meanwhile")).nonce == "meanwhile"
        await other.delete()
        other.close()
        gone = None
        while time.monotonic() < begun + 60 and gone is None:
            if not target.launchers():
                gone = time.monotonic() - begun
            await asyncio.sleep(0.1)
        after = machine.descriptors(target.pid)
        os.kill(client.pid, signal.SIGKILL)
        client.wait()
    return [
        Figure("R14", "a stopped client's session and process are gone after", gone or 999, "s", most=30),
        Figure("R14", "descriptors that this gave back", before - after, "", least=5),
        Figure("R14", "others are answered meanwhile", int(answered), "", least=1),
    ]


FLOOD = """asyncio.ensure_future(session.work("flood", "f", bytes=64 << 20))
    await asyncio.sleep(0.5)"""


def uncut(reason):
    """What is said where no wire can be cut."""
    return [Figure("R14", f"{COUNT} streams over a wire that was cut", None, told=reason)]


async def cut_off(folder):
    """The wire to idle clients is cut: their streams must not stay for ever."""
    if shutil.which("ip") is None or os.geteuid() != 0:
        return uncut("cutting a wire needs root and `ip`")
    wire = Wire()
    try:
        if trouble := wire.open():
            return uncut(trouble)
        settings = {"limits": LOTS, "timeouts": {"session": 10}, "host": OUR, "hosts": [OUR, "127.0.0.1"]}
        settings["authentication"] = "none"
        async with running(folder, {"legacy": marker("legacy")}, settings) as target:
            script = folder / "client.py"
            text = CLIENT.replace("asyncio.run", f'import soak.wire; soak.wire.HOST = "{OUR}"\nasyncio.run')
            script.write_text(text)
            words = ["ip", "netns", "exec", wire.name, sys.executable, str(script), OUR, str(target.port), str(COUNT)]
            client = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(HERE)})
            line = await asyncio.to_thread(client.stdout.readline)
            before = machine.descriptors(target.pid)
            wire.cut()
            begun, noticed, ended = time.monotonic(), None, None
            while time.monotonic() < begun + 120 and ended is None and line:
                if noticed is None and machine.descriptors(target.pid) <= before - COUNT:
                    noticed = time.monotonic() - begun
                if not target.launchers():
                    ended = time.monotonic() - begun
                await asyncio.sleep(0.2)
            client.kill()
            client.wait()
    finally:
        wire.close()
    return [
        Figure("R14", f"{COUNT} streams over a wire that was cut are closed after", noticed or 999, "s", most=60),
        Figure("R14", "their session (10 s) and process are gone after", ended or 999, "s", most=90),
    ]

