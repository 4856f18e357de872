"""HTTP/1.1 by hand on asyncio: fast, and every way of leaving in reach (FIN, RST, silence)."""

import asyncio
import json
import socket
import struct

LIMIT = 1 << 20
HOST = "127.0.0.1"


class Closed(Exception):
    """The other side closed the connection."""


class Reply:
    """An answer whose head has been read."""

    def __init__(self, connection, status, fields):
        self.connection, self.status, self.fields = connection, status, fields
        self._length = int(fields.get("content-length", 0))
        self._is_chunked = fields.get("transfer-encoding", "").lower() == "chunked"
        self.is_whole = not self._is_chunked and self._length == 0

    @property
    def is_stream(self):
        return self.fields.get("content-type", "").startswith("text/event-stream")

    async def piece(self):
        """The next chunk, or the whole body if its length is known; nothing at the end."""
        if self.is_whole:
            return b""
        reader = self.connection.reader
        try:
            if not self._is_chunked:
                self.is_whole = True
                return await reader.readexactly(self._length)
            size = int((await reader.readuntil(b"\r\n"))[:-2], 16)
            data = await reader.readexactly(size + 2)
        except (asyncio.IncompleteReadError, OSError) as error:
            raise Closed(f"inside a body: {error!r}") from error
        self.is_whole = size == 0
        return data[:-2]

    async def body(self):
        pieces = []
        while piece := await self.piece():
            pieces.append(piece)
        return b"".join(pieces)

    async def events(self):
        """The events of a stream with their ids: (id, message); the message is None for one without data."""
        rest = b""
        while piece := await self.piece():
            *blocks, rest = (rest + piece).split(b"\n\n")
            for block in blocks:
                name, data = None, []
                for line in block.split(b"\n"):
                    if line.startswith(b"data:"):
                        data.append(line[5:].strip())
                    elif line.startswith(b"id:"):
                        name = line[3:].strip().decode()
                text = b"\n".join(data)
                if name is not None or text:
                    yield name, json.loads(text) if text else None

    async def messages(self):
        """The JSON-RPC messages of the answer, stream or not."""
        if self.is_stream:
            async for _, message in self.events():
                if message is not None:
                    yield message
        elif text := await self.body():
            yield json.loads(text)


class Connection:
    """One connection; requests on it follow each other."""

    def __init__(self, reader, writer, port):
        self.reader, self.writer, self.port = reader, writer, port

    @classmethod
    async def open(cls, port, source=None, buffer=None):
        own = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        own.setblocking(False)
        if buffer is not None:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        try:
            if source is not None:
                own.bind((source, 0))
            await asyncio.get_running_loop().sock_connect(own, (HOST, port))
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            limit = LIMIT if buffer is None else 4096
            reader, writer = await asyncio.open_connection(sock=own, limit=limit)
        except OSError as error:
            own.close()
            raise Closed(f"at its opening: {error}") from error
        return cls(reader, writer, port)

    async def send(self, method, path, fields=(), body=None):
        lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}:{self.port}"]
        lines += [f"{name}: {value}" for name, value in fields]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        try:
            self.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b""))
            await self.writer.drain()
        except OSError as error:
            raise Closed(f"at its request: {error!r}") from error

    async def receive(self):
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, OSError) as error:
            raise Closed(f"before an answer: {error!r}") from error
        first, *lines = head[:-4].decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        return Reply(self, int(first.split(" ")[1]), {name.lower(): value.strip() for name, _, value in pairs})

    async def request(self, method, path, fields=(), body=None):
        await self.send(method, path, fields, body)
        return await self.receive()

    def close(self):
        """FIN."""
        self.writer.close()

    def reset(self):
        """RST: the other side learns that nobody reads any more."""
        own = self.writer.get_extra_info("socket")
        if own is not None and own.fileno() >= 0:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


async def once(port, method, path, fields=(), body=None, source=None):
    """One request on a connection of its own, with its body read: (status, fields, body)."""
    connection = await Connection.open(port, source)
    try:
        reply = await connection.request(method, path, fields, body)
        return reply.status, reply.fields, await reply.body()
    finally:
        connection.close()
