"""HTTP servers that follow a script: what they are sent is noted and judged, what they answer is a function."""

import json
import subprocess
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from peers import schema
from peers.gateway import BINARY

META = "io.modelcontextprotocol/"
RESULTS = {
    "elicitation/create": "ElicitResult",
    "sampling/createMessage": "CreateMessageResult",
    "roots/list": "ListRootsResult",
}


@dataclass
class Request:
    """One request as it came."""

    http: str
    path: str
    headers: dict
    message: dict | None
    time: float

    @property
    def method(self):
        return self.message.get("method") if self.message else None

    @property
    def params(self):
        return (self.message or {}).get("params", {})

    @property
    def meta(self):
        return self.params.get("_meta", {})


@dataclass
class Reply:
    """An HTTP response: JSON, or the text of an event stream."""

    body: object = None
    status: int = 200
    events: str | None = None
    headers: dict = field(default_factory=dict)


def event(message=None, **fields):
    """The text of one event; without a message its data is empty."""
    lines = [f"{name}: {value}" for name, value in fields.items()]
    lines.append("data: " + json.dumps(message) if message is not None else "data:")
    return "\n".join(lines) + "\n\n"


class Scripted:
    """A server on loopback. `answer(request)` gives a Reply, a result, or None for 202."""

    def __init__(self, answer):
        self.answer = answer
        self.requests = []
        self.failures = []
        self._lock = threading.Lock()
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def _serve(self):
                script._serve(self)

            do_GET = do_POST = do_DELETE = _serve

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    @property
    def origin(self):
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def url(self):
        return self.origin + "/mcp"

    def of(self, method):
        """The requests of a method, in order."""
        return [request for request in self.requests if request.method == method]

    def of_http(self, method):
        return [request for request in self.requests if request.http == method]

    def _serve(self, handler):
        length = int(handler.headers.get("content-length") or 0)
        body = handler.rfile.read(length)
        headers = {name.lower(): value for name, value in handler.headers.items()}
        message = json.loads(body) if body else None
        request = Request(handler.command, handler.path, headers, message, time.monotonic())
        with self._lock:
            self.requests.append(request)
        try:
            reply = self.answer(request)
        except Exception as error:  # The script itself is wrong, or was sent something that it cannot read.
            self.failures.append(f"{type(error).__name__}: {error}")
            reply = Reply(status=500)
        if reply is None:
            reply = Reply(status=202)
        if not isinstance(reply, Reply):
            reply = Reply({"jsonrpc": "2.0", "id": message["id"], "result": reply})
        self._send(handler, reply)

    def _send(self, handler, reply):
        data = b""
        handler.send_response(reply.status)
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        if reply.events is not None:
            data = reply.events.encode()
            handler.send_header("Content-Type", "text/event-stream")
        elif reply.body is not None:
            data = json.dumps(reply.body).encode()
            handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    def problems(self, revision):
        """What is wrong with the client's messages by the schema of a revision, in words."""
        found = list(self.failures)
        names = schema._by_method(revision)
        for request in self.requests:
            message = request.message
            if message is None or request.method == "server/discover" and revision != schema.MODERN:
                continue
            if "method" in message:
                kind = "JSONRPCRequest" if "id" in message else "JSONRPCNotification"
                found += schema.problems(revision, names.get(message["method"], kind), message)
            elif "result" in message:
                envelope = "JSONRPCResultResponse" if schema.has(revision, "JSONRPCResultResponse") else "JSONRPCResponse"
                found += schema.problems(revision, envelope, message)
        return found


class Legacy:
    """The part of a legacy server that every script needs; `more` answers the rest."""

    def __init__(self, more, revision="2025-11-25", session="s-1", tools=()):
        self.more, self.revision, self.session, self.tools = more, revision, session, list(tools)

    def __call__(self, request):
        if request.http == "DELETE":
            return Reply(status=204)
        if request.method == "initialize":
            result = {
                "protocolVersion": self.revision,
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "scripted", "version": "1"},
            }
            headers = {"Mcp-Session-Id": self.session} if self.session else {}
            return Reply({"jsonrpc": "2.0", "id": request.message["id"], "result": result}, headers=headers)
        if request.method == "notifications/initialized":
            return None
        if request.method == "server/discover":
            return Reply(status=400)
        if request.method == "tools/list":
            return {"tools": self.tools}
        reply = self.more(request)
        if reply is None and request.http == "GET":
            return Reply(status=405)
        return reply


class Modern:
    """The part of a modern server that every script needs; `more` answers the rest."""

    def __init__(self, more, tools=()):
        self.more, self.tools = more, list(tools)

    def __call__(self, request):
        if request.http != "POST":
            return Reply(status=405)
        caching = {"resultType": "complete", "ttlMs": 0, "cacheScope": "private"}
        if request.method == "server/discover":
            return {"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}, **caching}
        if request.method == "tools/list":
            return {"tools": self.tools, **caching}
        return self.more(request)


def refused(request, code, message="no", status=400, **data):
    """An error of JSON-RPC with an HTTP status."""
    error = {"code": code, "message": message, **({"data": data} if data else {})}
    return Reply({"jsonrpc": "2.0", "id": request.message["id"], "error": error}, status=status)


def said(text, **more):
    """The result of a tool that says something."""
    return {"content": [{"type": "text", "text": text}], "resultType": "complete", **more}


def inspect(*arguments, text="", timeout=40):
    """Runs `gatehouse inspect`: status, standard output, standard error."""
    done = subprocess.run(
        [str(BINARY), "inspect", *arguments], input=text, capture_output=True, text=True, timeout=timeout
    )
    return done.returncode, done.stdout, done.stderr
