"""Clients of both eras that do one kind of call, `work`, and say exactly what came of it."""

import itertools
import json
import time

from soak.wire import Closed, Connection, once

MODERN, LEGACY = "2026-07-28", "2025-11-25"
META = "io.modelcontextprotocol/"
INFO = {"name": "soak", "version": "1"}
TYPES = [("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream")]


class Failed(Exception):
    """The call was answered, but not with a result: an error of JSON-RPC, or a status of HTTP."""

    def __init__(self, status, code, text):
        super().__init__(f"{status} {code}: {text}")
        self.status, self.code = status, code


class Answer:
    """What the marker server said: whose call it was, which process answered, and its place there."""

    def __init__(self, text):
        words = text.split(" ")
        self.text, self.nonce, self.marker = text, words[0], words[1]
        self.pid, self.place, self.more = int(words[2]), int(words[3]), " ".join(words[4:])


def encoded(message):
    return json.dumps(message, separators=(",", ":")).encode()


def result_of(status, message):
    if "result" in message:
        return message["result"]
    error = message.get("error") or {}
    raise Failed(status, error.get("code"), str(error.get("message"))[:200])


class Client:
    """What both eras share: connections that are used again, numbers for requests."""

    def __init__(self, port, server, source=None):
        self.port, self.server, self.path, self.source = port, server, f"/mcp/{server}", source
        self._numbers = itertools.count(1)
        self._spare = None
        # When the last answer came.
        self.last_use = 0.0
        self.open_connections = set()

    async def connection(self):
        spare, self._spare = self._spare, None
        if spare is not None:
            return spare
        connection = await Connection.open(self.port, self.source)
        self.open_connections.add(connection)
        return connection

    def done(self, connection, reply=None):
        """Keeps a connection for the next request if its answer has been read whole."""
        if reply is not None and reply.is_whole and reply.fields.get("connection") != "close" and self._spare is None:
            self._spare = connection
        else:
            self.open_connections.discard(connection)
            connection.close()

    def close(self, reset=False):
        for connection in list(self.open_connections):
            connection.reset() if reset else connection.close()
        self.open_connections.clear()
        self._spare = None

    async def post(self, fields, message):
        """Posts on a kept connection; on a fresh one if the kept one turns out to be closed."""
        body = encoded(message)
        while True:
            is_spare, began = self._spare is not None, time.monotonic()
            connection = await self.connection()
            try:
                return connection, await connection.request("POST", self.path, [*TYPES, *fields], body)
            except BaseException as error:
                # Who has hung up, or was cut off while the call ran, does not ask again: its time would count twice.
                has_left = connection not in self.open_connections or time.monotonic() - began > 0.5
                self.open_connections.discard(connection)
                connection.close()
                # As with every kept connection, it may have been closed meanwhile.
                if has_left or not (isinstance(error, Closed) and is_spare and not connection.reader._buffer):
                    raise

    async def work(self, do, nonce, name="nobody", **arguments):
        """A call and its answer."""
        raise NotImplementedError


class Session(Client):
    """A session of the legacy era."""

    def __init__(self, port, server, source=None):
        super().__init__(port, server, source)
        self.id = None
        # Calls that it has not waited for: their questions come to it all the same.
        self.left = set()

    def fields(self):
        return [("Mcp-Session-Id", self.id), ("MCP-Protocol-Version", LEGACY)] if self.id else []

    async def open(self):
        params = {"protocolVersion": LEGACY, "capabilities": {"elicitation": {}}, "clientInfo": INFO}
        connection, reply = await self.post([], {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
        try:
            answers = [message async for message in reply.messages()]
        finally:
            self.done(connection, reply)
        if not answers:
            raise Failed(reply.status, None, "no answer to initialize")
        result_of(reply.status, answers[-1])
        self.id = reply.fields["mcp-session-id"]
        await self.tell({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return self

    async def tell(self, message):
        connection, reply = await self.post(self.fields(), message)
        try:
            await reply.body()
        finally:
            self.done(connection, reply)
        if reply.status != 202:
            raise Failed(reply.status, None, "a notification was refused")

    async def work(self, do, nonce, name="nobody", **arguments):
        number = next(self._numbers)
        params = {"name": "work", "arguments": {"do": do, "nonce": nonce, **arguments}, "_meta": {"progressToken": nonce}}
        message = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
        self.left.add(nonce)
        connection, reply = await self.post(self.fields(), message)
        try:
            async for message in reply.messages():
                if "method" not in message:
                    if message.get("id") not in (number, None):
                        raise AssertionError(f"an answer to {message.get('id')} where {number} was asked")
                    self.left.discard(nonce)
                    return Answer(result_of(reply.status, message)["content"][0]["text"])
                await self.heard(message, nonce, name)
        finally:
            self.done(connection, reply)
        raise Closed(f"the answer ended without a message, status {reply.status}")

    async def heard(self, message, nonce, name):
        """Progress and questions, which must be this call's."""
        params = message["params"]
        if message["method"] == "notifications/progress":
            if params["progressToken"] != nonce or not params["message"].startswith(nonce):
                raise AssertionError(f"progress of {params['progressToken']} at the call {nonce}")
        elif message["method"] == "elicitation/create":
            result = {"action": "accept", "content": {"name": name}}
            if params["message"] != nonce:
                # A legacy server does not say which call it asks for: it may be one of this session's that nobody waits for.
                if params["message"] not in self.left:
                    raise AssertionError(f"the question of {params['message']} at the call {nonce}")
                result = {"action": "cancel"}
            await self.tell({"jsonrpc": "2.0", "id": message["id"], "result": result})

    async def stream(self, last=None):
        """GET: the connection and the answer of an event stream."""
        connection = await Connection.open(self.port, self.source)
        self.open_connections.add(connection)
        fields = [("Accept", "text/event-stream"), *self.fields()]
        if last is not None:
            fields.append(("Last-Event-ID", last))
        return connection, await connection.request("GET", self.path, fields)

    async def delete(self):
        """DELETE; the status."""
        status, _, _ = await once(self.port, "DELETE", self.path, self.fields(), source=self.source)
        return status


class Stateless(Client):
    """Requests of the modern era."""

    def fields(self, method, tool=None):
        fields = [("MCP-Protocol-Version", MODERN), ("Mcp-Method", method)]
        return fields + [("Mcp-Name", tool)] if tool else fields

    def meta(self, **more):
        return {
            META + "protocolVersion": MODERN,
            META + "clientCapabilities": {"elicitation": {"form": {}}},
            META + "clientInfo": INFO,
            **more,
        }

    async def work(self, do, nonce, name="nobody", **arguments):
        more = {}
        for _ in range(4):
            number = next(self._numbers)
            params = {"name": "work", "arguments": {"do": do, "nonce": nonce, **arguments}, **more}
            params["_meta"] = self.meta(progressToken=nonce)
            message = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
            result = await self.round(number, message, nonce)
            if result.get("resultType") != "input_required":
                return Answer(result["content"][0]["text"])
            asked = result["inputRequests"]
            for question in asked.values():
                if question["params"]["message"] != nonce:
                    raise AssertionError(f"the question of {question['params']['message']} at the call {nonce}")
            accepted = {"action": "accept", "content": {"name": name}}
            more = {"inputResponses": {key: accepted for key in asked}, "requestState": result["requestState"]}
        raise AssertionError("asked again and again")

    async def round(self, number, message, nonce):
        connection, reply = await self.post(self.fields("tools/call", "work"), message)
        try:
            async for heard in reply.messages():
                if "method" not in heard:
                    if heard.get("id") not in (number, None):
                        raise AssertionError(f"an answer to {heard.get('id')} where {number} was asked")
                    return result_of(reply.status, heard)
                params = heard["params"]
                if heard["method"] == "notifications/progress" and params["progressToken"] != nonce:
                    raise AssertionError(f"progress of {params['progressToken']} at the call {nonce}")
        finally:
            self.done(connection, reply)
        raise Closed(f"the answer ended without a message, status {reply.status}")

    async def listen(self):
        """subscriptions/listen: the connection and the answer of the stream."""
        connection = await Connection.open(self.port, self.source)
        self.open_connections.add(connection)
        params = {"notifications": {"toolsListChanged": True}, "_meta": self.meta()}
        message = {"jsonrpc": "2.0", "id": next(self._numbers), "method": "subscriptions/listen", "params": params}
        fields = [*TYPES, *self.fields("subscriptions/listen")]
        return connection, await connection.request("POST", self.path, fields, encoded(message))


async def metrics(port):
    """The numbers of /api/session_metrics."""
    status, _, body = await once(port, "GET", "/api/session_metrics")
    if status != 200:
        raise Failed(status, None, "session_metrics")
    return json.loads(body)
