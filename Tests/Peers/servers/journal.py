"""What a fixture saw, one JSON line each, for the tests to read: the gateway knows nothing of it."""

import json
import os
import time


def note(event, **facts):
    """Append one line; a single write, so that processes may share the file."""
    path = os.environ.get("PEER_JOURNAL")
    if not path:
        return
    line = json.dumps({"event": event, "pid": os.getpid(), "time": time.time(), **facts}) + "\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)
