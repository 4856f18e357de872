"""Servers that run elsewhere: each in a process of its own, reached over HTTP."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

PEERS = Path(__file__).resolve().parents[1]
LISTENING = re.compile(r"listening on http://127\.0\.0\.1:(\d+)")
ALLOWED = {"egress": {"allow": ["127.0.0.1"]}}


class Remote:
    """A program that says where it listens, and can be ended and started again at the same port."""

    def __init__(self, *command, path="/mcp", environment=None):
        self.command, self.path = list(command), path
        self.journal = Path(tempfile.mkdtemp()) / "journal"
        self.environment = {"PEER_JOURNAL": str(self.journal), **(environment or {})}
        self.port, self.process = 0, None
        self.start()

    def start(self, timeout=20.0):
        self._said, self._ready = [], threading.Event()
        self.process = subprocess.Popen(
            [*self.command, "--port", str(self.port)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **self.environment},
        )
        threading.Thread(target=self._read, args=[self.process], daemon=True).start()
        if not self._ready.wait(timeout) or self.process.poll() is not None:
            self.stop()
            raise AssertionError(f"the server did not start: {self.said[-2000:]}")
        return self

    def _read(self, process):
        for line in process.stdout:
            text = line.decode(errors="replace")
            self._said.append(text)
            if found := LISTENING.search(text):
                self.port = int(found.group(1))
                self._ready.set()
        self._ready.set()

    @property
    def said(self):
        return "".join(self._said)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}{self.path}"

    def entry(self, **more):
        """Its entry in a configuration."""
        return {"url": self.url, "journal": self.journal, **more}

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()

    def restart(self):
        """Ends it at once, with all its sessions, and starts it anew where it was."""
        self.stop(signal.SIGKILL)
        return self.start()


def script(name, *arguments, path="/mcp", **environment):
    """A server of the folder `servers`."""
    command = [sys.executable, "-W", "ignore", str(PEERS / "servers" / name), *arguments]
    return Remote(*command, path=path, environment=environment)
