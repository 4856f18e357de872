"""MCP by hand over `wire`: a legacy session and modern requests, with every field in the test's reach."""

import itertools
import json

from peers.wire import Connection, once

ACCEPT = "application/json, text/event-stream"
VERSION = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
CLIENT = "io.modelcontextprotocol/clientInfo"
SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"
MODERN = "2026-07-28"
LATEST = "2025-11-25"
NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
NAMED |= {"tasks/get": "taskId", "tasks/update": "taskId", "tasks/cancel": "taskId"}
INFO = {"name": "wire", "version": "1"}


def rpc(method, params=None, id=None):
    """A JSON-RPC request (with an id) or notification (without)."""
    message = {"jsonrpc": "2.0", "method": method}
    if id is not None:
        message["id"] = id
    if params is not None:
        message["params"] = params
    return message


def encoded(message):
    return message if isinstance(message, bytes) else json.dumps(message, ensure_ascii=False).encode()


def merged(fields, changes):
    """Fields with some replaced; None takes one away."""
    changes = {name.lower(): value for name, value in (changes or {}).items()}
    kept = [(name, value) for name, value in fields if name.lower() not in changes]
    return kept + [(name, value) for name, value in changes.items() if value is not None]


class LegacySession:
    """A session of one of the revisions with a handshake."""

    def __init__(self, gateway, ledger, server="plain", revision=LATEST, capabilities=None):
        self.gateway, self.ledger = gateway, ledger
        self.path, self.revision = f"/mcp/{server}", revision
        self.capabilities = {"roots": {"listChanged": True}} if capabilities is None else capabilities
        self.id = None
        self._numbers = itertools.count(1)

    def fields(self, changes=None):
        fields = [("Content-Type", "application/json"), ("Accept", ACCEPT)]
        if self.id is not None:
            fields.append(("Mcp-Session-Id", self.id))
            if self.revision >= "2025-06-18":
                fields.append(("MCP-Protocol-Version", self.revision))
        return merged(fields, changes)

    def post(self, message, changes=None, timeout=10.0):
        """POST a message; the reply's head has been read, and its body too unless it is a stream."""
        return once(self.gateway.port, "POST", self.path, self.fields(changes), encoded(message), self.ledger, timeout)

    def begin(self, message, changes=None):
        """Send a POST and wait for nothing; return the connection and the exchange to read the answer with."""
        connection = Connection(self.gateway.port, self.ledger)
        fields = [("Host", f"127.0.0.1:{self.gateway.port}"), *self.fields(changes)]
        body = encoded(message)
        fields.append(("Content-Length", str(len(body))))
        head = f"POST {self.path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
        exchange = self.ledger.open("POST", self.path, fields, body) if self.ledger else None
        connection.send(head.encode() + body)
        return connection, exchange

    def offer(self, revision=None):
        params = {"protocolVersion": revision or self.revision, "capabilities": self.capabilities, "clientInfo": INFO}
        return rpc("initialize", params, id=0)

    def open(self, timeout=10.0):
        """The handshake; afterwards the session has its id."""
        reply = self.post(self.offer(), timeout=timeout)
        answer = reply.json()
        assert reply.status == 200, f"{reply.status}: {answer}"
        assert answer.get("result"), f"no result: {answer}"
        self.id = reply.header("mcp-session-id")
        assert self.id, "no session id"
        self.opened = answer["result"]
        assert self.post(rpc("notifications/initialized")).status == 202
        return self

    def request(self, method, params=None, timeout=10.0, id=None, changes=None):
        """A request and the message that answers it."""
        number = next(self._numbers) if id is None else id
        reply = self.post(rpc(method, params, number), changes, timeout)
        messages = reply.messages(timeout) if reply.is_stream else [reply.json(timeout)]
        self.notices = [message for message in messages if "method" in message]
        answers = [message for message in messages if "method" not in message]
        assert len(answers) == 1, f"{len(answers)} answers, status {reply.status}: {messages}"
        return answers[0]

    def call(self, tool, text=None, timeout=10.0, meta=None, **more):
        """A tool's result; fails when there is an error instead."""
        answer = self.request("tools/call", self.tool(tool, text, meta), timeout, **more)
        assert "result" in answer, f"{answer}"
        return answer["result"]

    @staticmethod
    def tool(tool, text=None, meta=None):
        params = {"name": tool, "arguments": {} if text is None else {"text": text}}
        if meta is not None:
            params["_meta"] = meta
        return params

    def stream(self, last=None, changes=None):
        """GET the session's stream."""
        fields = merged(self.fields(), {"Content-Type": None, "Accept": "text/event-stream"})
        if last is not None:
            fields.append(("Last-Event-ID", last))
        return once(self.gateway.port, "GET", self.path, merged(fields, changes), None, self.ledger)

    def delete(self, changes=None):
        fields = merged(self.fields(), {"Content-Type": None})
        return once(self.gateway.port, "DELETE", self.path, merged(fields, changes), None, self.ledger)

    def whoami(self):
        return self.call("whoami")["_meta"]["test/whoami"]


class ModernClient:
    """Requests of the stateless revision, one by one."""

    def __init__(self, gateway, ledger, server="plain", capabilities=None):
        self.gateway, self.ledger = gateway, ledger
        self.path = f"/mcp/{server}"
        self.capabilities = capabilities if capabilities is not None else {"elicitation": {"form": {}}}
        self._numbers = itertools.count(1)

    def envelope(self, **changes):
        meta = {VERSION: MODERN, CAPABILITIES: self.capabilities, CLIENT: INFO}
        meta.update(changes)
        return {name: value for name, value in meta.items() if value is not None}

    def message(self, method, params=None, id=None, meta=None):
        params = dict(params or {})
        params["_meta"] = {**self.envelope(), **params.get("_meta", {})} if meta is None else meta
        return rpc(method, params, next(self._numbers) if id is None else id)

    @staticmethod
    def fields(message, changes=None):
        fields = [("Content-Type", "application/json"), ("Accept", ACCEPT), ("MCP-Protocol-Version", MODERN)]
        method = message.get("method", "")
        fields.append(("Mcp-Method", method))
        name = (message.get("params") or {}).get(NAMED.get(method))
        if name is not None:
            fields.append(("Mcp-Name", name))
        return merged(fields, changes)

    def post(self, message, changes=None, timeout=10.0):
        fields = self.fields(message, changes) if isinstance(message, dict) else merged(self.fields({}), changes)
        return once(self.gateway.port, "POST", self.path, fields, encoded(message), self.ledger, timeout)

    def begin(self, message, changes=None):
        """Send a POST and wait for nothing; return the connection and the exchange."""
        connection = Connection(self.gateway.port, self.ledger)
        fields = [("Host", f"127.0.0.1:{self.gateway.port}"), *self.fields(message, changes)]
        body = encoded(message)
        fields.append(("Content-Length", str(len(body))))
        head = f"POST {self.path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
        exchange = self.ledger.open("POST", self.path, fields, body) if self.ledger else None
        connection.send(head.encode() + body)
        return connection, exchange

    def send(self, method, params=None, changes=None, timeout=10.0, **more):
        return self.post(self.message(method, params, **more), changes, timeout)

    def request(self, method, params=None, changes=None, timeout=10.0, **more):
        """A request and the message that answers it."""
        reply = self.send(method, params, changes, timeout, **more)
        messages = reply.messages(timeout) if reply.is_stream else [reply.json(timeout)]
        self.notices = [message for message in messages if "method" in message]
        answers = [message for message in messages if "method" not in message]
        assert len(answers) == 1, f"{len(answers)} answers, status {reply.status}: {messages}"
        return answers[0]

    def call(self, tool, text=None, timeout=10.0, **more):
        answer = self.request("tools/call", LegacySession.tool(tool, text), timeout=timeout, **more)
        assert "result" in answer, f"{answer}"
        return answer["result"]

    def listen(self, id=None, **wanted):
        """Open a listen; the reply is its stream."""
        return self.send("subscriptions/listen", {"notifications": wanted}, id=id)

    def whoami(self):
        return self.call("whoami")["_meta"]["test/whoami"]


def text_of(result):
    return result["content"][0]["text"]


def error_of(reply):
    """The JSON-RPC error of a refusal."""
    message = reply.json()
    assert "error" in message, f"{reply.status}: {message}"
    return message["error"]["code"]
