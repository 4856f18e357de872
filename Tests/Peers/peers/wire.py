"""HTTP by hand: exact bytes out, and status, fields, body and events in as they come."""

import json
import socket
import time

from peers.events import EventReader

DEADLINE = 10.0


class Closed(Exception):
    """The other side closed the connection where more was expected."""


class Reply:
    """The answer to one request; its body is read when it is asked for."""

    def __init__(self, connection, status, reason, headers, exchange, bodyless):
        self.connection = connection
        self.status, self.reason, self.headers = status, reason, headers
        self._exchange = exchange
        self._bodyless = bodyless or status in (204, 304) or 100 <= status < 200
        self._events, self._reader = [], EventReader()
        self._body = bytearray()
        self._left = None
        self.is_whole = self._bodyless
        if exchange is not None:
            exchange.answered(status, headers)
        if not self._bodyless and not self.is_chunked:
            length = self.header("content-length")
            self._left = int(length) if length is not None else None
            self.is_whole = self._left == 0

    def header(self, name):
        values = [value for key, value in self.headers if key.lower() == name]
        return values[0] if values else None

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name]

    @property
    def kind(self):
        return (self.header("content-type") or "").split(";")[0].strip()

    @property
    def is_stream(self):
        return self.kind == "text/event-stream"

    @property
    def is_chunked(self):
        return (self.header("transfer-encoding") or "").lower() == "chunked"

    def read_some(self, end):
        """Read the next piece of the body; b"" when it is whole."""
        if self.is_whole:
            return b""
        if self.is_chunked:
            size = int(self.connection.line(end).split(b";")[0], 16)
            data = self.connection.exactly(size, end)
            tail = self.connection.line(end)
            assert tail == b"", f"a chunk ends with {tail!r}"
            self.is_whole = size == 0
        elif self._left is not None:
            data = self.connection.some(self._left, end)
            self._left -= len(data)
            self.is_whole = self._left == 0
        else:
            data = self.connection.some(65536, end, at_end=b"")
            self.is_whole = data == b""
        self._body += data
        if self._exchange is not None:
            self._exchange.received(data)
        return data

    def body(self, timeout=DEADLINE):
        """The whole body."""
        end = time.monotonic() + timeout
        while not self.is_whole:
            self.read_some(end)
        return bytes(self._body)

    def json(self, timeout=DEADLINE):
        """The body as JSON, or the last message of an event stream."""
        if self.is_stream:
            messages = self.messages(timeout)
            assert messages, "the stream ended without a message"
            return messages[-1]
        return json.loads(self.body(timeout))

    def event(self, timeout=DEADLINE, comments=False):
        """The next event; None when the stream has ended."""
        end = time.monotonic() + timeout
        while True:
            while self._events:
                event = self._events.pop(0)
                if comments or not event.is_comment:
                    return event
            if self.is_whole:
                return None
            try:
                self._events += self._reader.feed(self.read_some(end))
            except Closed:
                self.is_whole = True

    def message(self, timeout=DEADLINE):
        """The next JSON-RPC message of the stream; None when it has ended."""
        end = time.monotonic() + timeout
        while True:
            event = self.event(max(0.01, end - time.monotonic()))
            if event is None:
                return None
            if event.data:
                return json.loads(event.data)

    def messages(self, timeout=DEADLINE):
        """All messages until the stream ends."""
        end = time.monotonic() + timeout
        found = []
        while (message := self.message(max(0.01, end - time.monotonic()))) is not None:
            found.append(message)
        return found


class Connection:
    """One TCP connection to the gateway."""

    def __init__(self, port, ledger=None, timeout=DEADLINE, receive_buffer=None):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.settimeout(timeout)
        self._socket.connect(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port, self.ledger = port, ledger
        self._buffer = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._socket.close()

    def reset(self):
        """Close without a farewell (RST)."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self._socket.close()

    def end_sending(self):
        self._socket.shutdown(socket.SHUT_WR)

    def send(self, data):
        self._socket.settimeout(DEADLINE)
        self._socket.sendall(data)

    def send_while_accepted(self, data, piece=65536):
        """Send until everything is out or the other side stops it; return the number of bytes sent."""
        sent = 0
        try:
            for start in range(0, len(data), piece):
                self._socket.sendall(data[start : start + piece])
                sent = min(start + piece, len(data))
        except (BrokenPipeError, ConnectionResetError):
            pass
        return sent

    def fill(self, end):
        self._socket.settimeout(max(0.01, end - time.monotonic()))
        try:
            data = self._socket.recv(65536)
        except ConnectionResetError:
            data = b""
        except TimeoutError as error:
            raise AssertionError(f"nothing came in time; so far {bytes(self._buffer)[:300]!r}") from error
        if not data:
            raise Closed(f"closed; unread {bytes(self._buffer)[:300]!r}")
        self._buffer += data

    def line(self, end):
        while (at := self._buffer.find(b"\r\n")) < 0:
            self.fill(end)
        line = bytes(self._buffer[:at])
        del self._buffer[: at + 2]
        return line

    def exactly(self, count, end):
        while len(self._buffer) < count:
            self.fill(end)
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    def some(self, most, end, at_end=None):
        if not self._buffer:
            try:
                self.fill(end)
            except Closed:
                if at_end is None:
                    raise
                return at_end
        data = bytes(self._buffer[:most])
        del self._buffer[:most]
        return data

    def is_ended(self, timeout=DEADLINE):
        """Whether the other side closes within the time, with nothing more said."""
        try:
            self.fill(time.monotonic() + timeout)
        except Closed:
            return not self._buffer
        except AssertionError:
            return False
        return False

    def read(self, exchange=None, timeout=DEADLINE, bodyless=False):
        """Read the head of the next answer, past interim ones."""
        end = time.monotonic() + timeout
        while True:
            start = self.line(end)
            version, status, *reason = start.split(b" ", 2)
            assert version in (b"HTTP/1.1", b"HTTP/1.0"), f"not a status line: {start!r}"
            headers = []
            while line := self.line(end):
                name, colon, value = line.partition(b":")
                assert colon and name == name.strip(), f"not a field: {line!r}"
                headers.append((name.decode("latin-1"), value.strip().decode("latin-1")))
            if int(status) == 100:
                continue
            text = reason[0].decode("latin-1") if reason else ""
            return Reply(self, int(status), text, headers, exchange, bodyless)

    def request(self, method, path, headers=(), body=None, timeout=DEADLINE, host=None):
        """Send one request and read the head of its answer."""
        fields = [("Host", host if host is not None else f"127.0.0.1:{self.port}")]
        fields = [*fields, *headers]
        payload = body if body is not None else b""
        if body is not None and not any(name.lower() in ("content-length", "transfer-encoding") for name, _ in fields):
            fields.append(("Content-Length", str(len(payload))))
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
        exchange = self.ledger.open(method, path, fields, payload) if self.ledger is not None else None
        self.send(head.encode("utf-8") + payload)
        return self.read(exchange, timeout, bodyless=method == "HEAD")


def once(port, method, path, headers=(), body=None, ledger=None, timeout=DEADLINE, host=None):
    """One request on a connection of its own; the body is read unless it is a stream."""
    connection = Connection(port, ledger)
    reply = connection.request(method, path, headers, body, timeout, host)
    if not reply.is_stream:
        reply.body(timeout)
        connection.close()
    return reply


def raw(port, data, timeout=DEADLINE):
    """Send exact bytes; return every answer's status until the other side closes, and whether it did."""
    statuses = []
    with Connection(port) as connection:
        connection.send_while_accepted(data)
        try:
            while True:
                reply = connection.read(timeout=timeout)
                statuses.append(reply.status)
                reply.body(timeout)
        except Closed:
            return statuses, True
        except AssertionError:
            return statuses, False
