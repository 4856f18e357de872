"""A client of HTTP with SSE by hand: the event stream, and where its messages go."""

import json

import httpx2


class Channel:
    """One event stream and the session on it."""

    def __init__(self, gateway, server, path="sse"):
        self.http = httpx2.Client(timeout=20, trust_env=False)
        self.poster = httpx2.Client(timeout=20, trust_env=False)
        self.base = f"http://127.0.0.1:{gateway.port}"
        self.url = gateway.url(server).rstrip("/") + "/" + path
        self.context = self.http.stream("GET", self.url, headers={"Accept": "text/event-stream"})
        self.response = self.context.__enter__()
        self.lines = self.response.iter_lines()
        self.endpoint = None

    def event(self):
        """The next event: its type and its data; comments are passed over."""
        fields = {}
        for line in self.lines:
            if not line and fields:
                return fields.get("event"), fields.get("data")
            name, _, rest = line.partition(":")
            if name:
                fields[name] = rest.removeprefix(" ")
        return None

    def open(self):
        assert self.response.status_code == 200, self.response.read()
        kind, self.endpoint = self.event()
        assert kind == "endpoint"
        return self

    def post(self, message):
        body = message if isinstance(message, (str, bytes)) else json.dumps(message)
        return self.poster.post(self.base + self.endpoint, content=body, headers={"Content-Type": "application/json"})

    def ask(self, id, method, params=None):
        assert self.post({"jsonrpc": "2.0", "id": id, "method": method, "params": params or {}}).status_code == 202
        return self.message(id)

    def message(self, id):
        while True:
            kind, data = self.event()
            assert kind == "message"
            message = json.loads(data)
            if message.get("id") == id and "method" not in message:
                return message

    def greet(self, version="2024-11-05"):
        information = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}}
        answer = self.ask(0, "initialize", information)
        assert self.post({"jsonrpc": "2.0", "method": "notifications/initialized"}).status_code == 202
        return answer

    def close(self):
        self.context.__exit__(None, None, None)
        self.http.close()

    def end(self):
        self.close()
        self.poster.close()
