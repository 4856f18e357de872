"""Starting and stopping the program under test, and seeing that nothing of it is left."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

from peers.processes import MARKER, describe, end_all, is_alive, marked, zombies_of

ROOT = Path(__file__).resolve().parents[3]
PEERS = Path(__file__).resolve().parents[1]
SERVERS = PEERS / "servers"
BINARY = Path(os.environ.get("GATEHOUSE_BIN", ROOT / ".build" / "debug" / "gatehouse"))
IS_STANDIN = os.environ.get("GATEHOUSE_STANDIN") == "1"
LISTENING = re.compile(r"listening on https?://127\.0\.0\.1:(\d+)")


def sdk(script="everything.py", **more):
    """A server written with an SDK."""
    return {"command": sys.executable, "args": ["-W", "ignore", str(SERVERS / script)], **more}


def plain(*arguments, **more):
    """The server written by hand: without site packages it starts in a moment."""
    return {"command": sys.executable, "args": ["-S", "-E", str(SERVERS / "plain.py"), *arguments], **more}


def bad(behaviour, *arguments, **more):
    return plain("--bad", behaviour, *arguments, **more)


class Gateway:
    """One running gateway with its configuration, its log and the journals of its servers."""

    def __init__(self, folder, servers, settings=None, environment=None):
        self.folder = Path(folder)
        self.run = uuid.uuid4().hex
        self.servers = {name: self._marked(name, server) for name, server in servers.items()}
        # A server that runs elsewhere writes its own.
        self.journals = {name: Path(server["journal"]) for name, server in servers.items() if "journal" in server}
        self.settings = settings
        self.environment = environment or {}
        self.process = None
        self.port = None
        self._log = []
        self._reader = None
        self._ready = threading.Event()
        self._is_listening = False

    def _marked(self, name, server):
        if "url" in server:
            return {key: value for key, value in server.items() if key != "journal"}
        own = {MARKER: self.run, "GATEHOUSE_TEST_SERVER": name, "PEER_JOURNAL": str(self.folder / f"{name}.journal")}
        return {**server, "env": {**own, **server.get("env", {})}}

    @property
    def config(self):
        return self.folder / "gatehouse.json"

    @property
    def pid(self):
        return self.process.pid

    @property
    def log(self):
        """What it wrote on stderr."""
        return "".join(self._log)

    def url(self, server):
        return f"http://127.0.0.1:{self.port}/mcp/{server}"

    def children(self, server=None):
        return marked(self.run, server)

    def journal(self, server, event=None):
        """What a server's processes noted, in order."""
        try:
            lines = self.journals.get(server, self.folder / f"{server}.journal").read_text().splitlines()
        except OSError:
            return []
        notes = [json.loads(line) for line in lines if line.endswith("}")]
        return [note for note in notes if event in (None, note["event"])]

    def seen(self, server, method):
        """The messages of a method that a server's processes have read."""
        messages = [note["message"] for note in self.journal(server, "read")]
        return [message for message in messages if isinstance(message, dict) and message.get("method") == method]

    def start(self, timeout=20.0):
        self.folder.mkdir(parents=True, exist_ok=True)
        document = {"mcpServers": self.servers}
        if self.settings is not None:
            document["gateway"] = self.settings
        self.config.write_text(json.dumps(document, indent=2))
        if IS_STANDIN:
            command = [sys.executable, "-W", "ignore", str(PEERS / "standin.py"), str(self.config)]
        else:
            if not BINARY.exists():
                raise FileNotFoundError(f"{BINARY}: build it, or say where it is in GATEHOUSE_BIN")
            command = [str(BINARY), "serve", "--config", str(self.config), "--host", "127.0.0.1"]
            command += ["--port", str(self.port or 0)]
            command += ["--log-level", "debug"]
        self._is_listening = False
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, **self.environment},
            cwd=self.folder,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._ready.wait(timeout) or not self._is_listening:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the gateway did not start; it said:\n{self.log[-4000:]}")
        return self

    def restart(self, how="kill", timeout=20.0):
        """End it, by kill -9 or SIGTERM, and start another at the same port with the same files."""
        if how == "kill":
            self.kill()
            self.leaves_nothing(10.0)
        else:
            assert self.terminate() == 0, f"exit status {self.process.returncode}:\n{self.tail()}"
        self._reader.join()
        self._ready.clear()
        return self.start(timeout)

    def _read(self):
        for line in self.process.stderr:
            text = line.decode(errors="replace")
            self._log.append(text)
            found = LISTENING.search(text)
            if found:
                self.port = int(found.group(1))
                self._is_listening = True
                self._ready.set()
        self._ready.set()

    def tail(self, lines=40):
        return "".join(self._log[-lines:])

    def terminate(self, timeout=30.0):
        """SIGTERM, the exit status, and the proof that nothing is left."""
        if self.process.poll() is None:
            zombies = self.uncollected(2.0)
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                end_all(self.run)
                raise AssertionError(f"the gateway ignored SIGTERM for {timeout} s:\n{self.tail()}") from None
            assert not zombies, f"the gateway left zombies uncollected: {zombies}"
        self.leaves_nothing(5.0)
        return self.process.returncode

    def uncollected(self, patience):
        """The dead children that stay so: for a moment each is one, between its end and being collected."""
        end = time.monotonic() + patience
        stay = set(zombies_of(self.pid))
        while stay and time.monotonic() < end:
            time.sleep(0.02)
            stay &= set(zombies_of(self.pid))
        return sorted(stay)

    def kill(self):
        """kill -9."""
        self.process.kill()
        self.process.wait()

    def leaves_nothing(self, timeout):
        """Assert that no process of any server is alive any more."""
        end = time.monotonic() + timeout
        while left := [pid for pid in self.children() if is_alive(pid)]:
            if time.monotonic() > end:
                words = describe(left)
                end_all(self.run)
                raise AssertionError(f"{len(left)} processes left: {words}")
            time.sleep(0.02)


def check(folder, document, *arguments, command="check", timeout=20.0):
    """Run the program on a configuration text; return its status, stdout and stderr."""
    path = Path(folder) / "gatehouse.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document, indent=2))
    return run(command, "--config", str(path), *arguments, timeout=timeout, cwd=folder)


def run(*arguments, timeout=20.0, cwd=None):
    done = subprocess.run(
        [str(BINARY), *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout, done.stderr
