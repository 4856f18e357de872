"""The fixture server of the official suite in its three places, and a client of either wire."""

import re
import subprocess
import threading

from peers.gateway import BINARY
from peers.parking import ALL, Caller, Session

PLACES = ("hosted", "over-legacy", "over-modern")
LISTENING = re.compile(r"listening on http://127\.0\.0\.1:(\d+)")


def everything(era, *arguments):
    """The fixture server as a child of a gateway."""
    return {"command": str(BINARY), "args": ["everything", "--era", era, *arguments], "era": era}


class Hosted:
    """The fixture server over HTTP, without a gateway."""

    def __init__(self, *arguments):
        command = [str(BINARY), "everything", "--transport", "http", "--port", "0", *arguments]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.port, self._said, self._ready = None, [], threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        if not self._ready.wait(20) or self.port is None:
            self.stop()
            raise AssertionError(f"the fixture server did not start: {''.join(self._said)[-2000:]}")

    def _read(self):
        for line in self.process.stdout:
            text = line.decode(errors="replace")
            self._said.append(text)
            found = LISTENING.search(text)
            if found and self.port is None:
                self.port = int(found.group(1))
                self._ready.set()
        self._ready.set()

    def url(self, server):
        return f"http://127.0.0.1:{self.port}/mcp/{server}"

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(15)
        return self.process.returncode


class Suite:
    """Where a scenario runs: makes clients of either wire there."""

    def __init__(self, at, server, place, ledger):
        self.at, self.server, self.place, self.ledger = at, server, place, ledger
        self.path = f"/mcp/{server}"
        self._sessions = []

    def legacy(self, capabilities=None, **more):
        """A session of 2025-11-25; it declares everything unless it is told."""
        declared = ALL if capabilities is None else capabilities
        self._sessions.append(Session(self.at, self.ledger, declared, self.server, **more).open())
        return self._sessions[-1]

    def modern(self, capabilities=None):
        return Caller(self.at, self.ledger, self.server, ALL if capabilities is None else capabilities)

    def client(self, wire):
        return self.legacy() if wire == "legacy" else self.modern()

    def close(self):
        for session in self._sessions:
            session.delete()


def tool(name, /, **arguments):
    """The parameters of tools/call."""
    return {"name": name, "arguments": arguments}


def defaults_fit(params):
    """Assert that a form has the defaults of SEP-1034."""
    fields = params["requestedSchema"]["properties"]
    assert (fields["name"]["type"], fields["name"]["default"]) == ("string", "John Doe")
    assert (fields["age"]["type"], fields["age"]["default"]) == ("integer", 30)
    assert (fields["score"]["type"], fields["score"]["default"]) == ("number", 95.5)
    assert fields["status"]["enum"] == ["active", "inactive", "pending"] and fields["status"]["default"] == "active"
    assert (fields["verified"]["type"], fields["verified"]["default"]) == ("boolean", True)


def choices_fit(params):
    """Assert that a form has the five kinds of choices of SEP-1330."""
    fields = params["requestedSchema"]["properties"]
    single, titled, named = fields["untitledSingle"], fields["titledSingle"], fields["legacyEnum"]
    assert single["type"] == "string" and single["enum"] and "oneOf" not in single
    assert titled["type"] == "string" and all({"const", "title"} <= set(choice) for choice in titled["oneOf"])
    assert named["type"] == "string" and len(named["enum"]) == len(named["enumNames"]) == 3
    many, titled = fields["untitledMulti"], fields["titledMulti"]
    assert many["type"] == "array" and many["items"]["type"] == "string" and many["items"]["enum"]
    assert titled["type"] == "array" and all({"const", "title"} <= set(choice) for choice in titled["items"]["anyOf"])
