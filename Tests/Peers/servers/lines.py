"""JSON-RPC on stdin and stdout, by newline or by Content-Length."""

import json
import os
import sys
import threading


class Wire:
    def __init__(self, framing="newline"):
        self.framing = framing
        self._lock = threading.Lock()

    def messages(self):
        reader = sys.stdin.buffer
        while True:
            data = reader.readline() if self.framing == "newline" else self._framed(reader)
            if not data:
                return
            if data.strip():
                yield json.loads(data)

    def _framed(self, reader):
        length = None
        while True:
            line = reader.readline()
            if not line:
                return b""
            if line in (b"\r\n", b"\n"):
                return reader.read(length) if length is not None else b""
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-length":
                length = int(value)

    def send(self, message):
        data = json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()
        if self.framing == "newline":
            self.raw(data + b"\n")
        else:
            self.raw(b"Content-Length: %d\r\n\r\n" % len(data) + data)

    def raw(self, data):
        with self._lock:
            view = memoryview(data)
            while view:
                view = view[os.write(1, view) :]
