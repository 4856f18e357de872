"""The gateway under test: its configuration, its starts and ends, and what is left of it."""

import json
import os
import random
import re
import signal
import socket
import subprocess
import time

from peers.gateway import BINARY, Gateway
from peers.processes import is_alive, zombies_of
from soak import HERE, ROOT, machine
from soak.reading import Reading

LISTENING = re.compile(rb"listening on http")
BUILT = ROOT / ".build" / "soak"


def marker_server():
    """The program of `servers/marker.c`, compiled if it is older than its text."""
    source, program = HERE / "servers" / "marker.c", BUILT / "marker"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        BUILT.mkdir(parents=True, exist_ok=True)
        fresh = BUILT / f"marker.{os.getpid()}"
        subprocess.run(["cc", "-O2", "-o", str(fresh), str(source)], check=True)
        fresh.rename(program)
    return str(program)


def marker(era, **more):
    """A server of the configuration that runs the marker program."""
    return {"command": marker_server(), "args": ["--era", era], "era": era, "framing": "newline", **more}


def free_port():
    """A port that stays free between two starts: outside of what the system gives to outgoing connections."""
    for _ in range(200):
        port = random.SystemRandom().randrange(15000, 30000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")


class Target(Gateway):
    """A gateway that can die and come again at the same port. Its log goes to a file."""

    def __init__(self, folder, servers, settings=None, environment=None, prefix=(), level="info"):
        super().__init__(folder, servers, settings, environment)
        self.prefix, self.level = list(prefix), level
        self.port = free_port()
        self.starts = 0

    @property
    def log_file(self):
        return self.folder / "gateway.log"

    @property
    def log(self):
        return self.log_file.read_bytes().decode(errors="replace") if self.log_file.exists() else ""

    def tail(self, lines=40):
        return "\n".join(self.log.splitlines()[-lines:])

    def write_configuration(self, settings=None):
        document = {"mcpServers": self.servers, "gateway": settings or self.settings or {}}
        self.replace_configuration(json.dumps(document, indent=2))

    def replace_configuration(self, text):
        """At once, so that nobody reads half of it."""
        fresh = self.config.with_suffix(".fresh")
        fresh.write_text(text)
        fresh.replace(self.config)

    def start(self, timeout=30.0):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.write_configuration()
        command = [*self.prefix, str(BINARY), "serve", "--config", str(self.config)]
        command += ["--port", str(self.port), "--log-level", self.level]
        before = self.log_file.stat().st_size if self.log_file.exists() else 0
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env={**os.environ, **self.environment},
                cwd=self.folder,
            )
        self.starts += 1
        end = time.monotonic() + timeout
        while True:
            with open(self.log_file, "rb") as log:
                log.seek(before)
                if LISTENING.search(log.read()):
                    return self
            if self.process.poll() is not None or time.monotonic() > end:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"the gateway did not start:\n{self.tail()}")
            time.sleep(0.01)

    def kill(self):
        """kill -9."""
        self.process.kill()
        self.process.wait()

    def signal(self, number):
        os.kill(self.pid, number)

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def reading(self):
        """What the log says from now on about reading the configuration again."""
        return Reading(self.log_file)

    def launchers(self):
        """The launchers, which are the gateway's own children, in order."""
        return machine.children_of(self.pid)

    def zombies(self):
        return zombies_of(self.pid)

    def leftovers(self, patience):
        """The servers' processes that are alive after so many seconds at most."""
        end = time.monotonic() + patience
        while left := [pid for pid in self.children() if is_alive(pid)]:
            if time.monotonic() > end:
                return left
            time.sleep(0.05)
        return []

    def end(self, timeout=30.0):
        """SIGTERM; what was wrong with its end, in words."""
        wrong = []
        if self.is_running:
            if left := self.uncollected(2.0):
                wrong.append(f"zombies that nobody collects: {left}")
            self.process.send_signal(signal.SIGTERM)
            try:
                status = self.process.wait(timeout)
                if status != 0:
                    wrong.append(f"the gateway ended with {status}")
            except subprocess.TimeoutExpired:
                wrong.append(f"the gateway ignored SIGTERM for {timeout} s")
                self.kill()
        elif self.process is not None:
            wrong.append(f"the gateway had ended with {self.process.returncode}")
        if left := self.leftovers(10.0):
            wrong.append(f"processes left behind: {left}")
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        return wrong
