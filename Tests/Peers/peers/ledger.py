"""The ledger: every exchange of a test with the gateway, and the verdict on what the gateway said in it."""

import json
import threading
from dataclasses import dataclass, field

from peers.events import EventReader
from peers.schema import LEGACY, MODERN, REVISIONS, message_problems

VERSION_KEY = "io.modelcontextprotocol/protocolVersion"


def _lower(headers):
    return {str(name).lower(): str(value).strip() for name, value in headers}


@dataclass
class Exchange:
    """One request as it was sent and what came back, as far as it has come."""

    method: str
    path: str
    headers: dict
    body: bytes
    status: int | None = None
    reply_headers: dict = field(default_factory=dict)
    reply: bytearray = field(default_factory=bytearray)

    def answered(self, status, headers):
        self.status, self.reply_headers = status, _lower(headers)

    def received(self, data):
        self.reply += data

    @property
    def sent(self):
        """The messages of the request, if its body can be read."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return []
        items = value if isinstance(value, list) else [value]
        return [item for item in items if isinstance(item, dict)]

    @property
    def kind(self):
        return self.reply_headers.get("content-type", "").split(";")[0].strip()


class Ledger:
    """Collects exchanges from any thread; `problems()` judges them all."""

    def __init__(self):
        self._lock = threading.Lock()
        self.exchanges = []
        self.is_judged = True

    def open(self, method, path, headers, body):
        exchange = Exchange(method, path, _lower(headers), bytes(body))
        with self._lock:
            self.exchanges.append(exchange)
        return exchange

    def problems(self):
        """What is wrong with the gateway's messages, in words."""
        found = []
        for exchange, event, message, revision, method in self._messages():
            where = f"{exchange.method} {exchange.path} -> {exchange.status}"
            for line in message_problems(revision, message, method):
                found.append(f"{where}: {line} in {json.dumps(message)[:400]}")
            if revision == MODERN and event is not None and event.id is not None:
                found.append(f"{where}: an event id on a modern stream")
            found += [f"{where}: {line}" for line in _id_problems(exchange, message)]
        return found

    @property
    def received(self):
        """All messages that came from the gateway, in the order of the exchanges."""
        return [message for _, _, message, _, _ in self._messages()]

    def _messages(self):
        sessions, asked = {}, {}
        with self._lock:
            exchanges = list(self.exchanges)
        for exchange in exchanges:
            replies = _replies(exchange)
            revision = _revision(exchange, replies, sessions)
            session = exchange.headers.get("mcp-session-id") or exchange.reply_headers.get("mcp-session-id")
            own = {}
            for item in exchange.sent:
                if "method" in item and "id" in item:
                    own[_key(item["id"])] = item["method"]
                    asked[session, _key(item["id"])] = item["method"]
            for event, message in replies:
                key = _key(message.get("id")) if isinstance(message, dict) else None
                method = own.get(key) or asked.get((session, key))
                if isinstance(message, list):
                    for item in message:
                        yield exchange, event, item, revision, own.get(_key(item.get("id")))
                else:
                    yield exchange, event, message, revision, method


def _key(value):
    return json.dumps(value)


def _replies(exchange):
    if exchange.kind == "text/event-stream":
        events = EventReader().feed(bytes(exchange.reply))
        return [(event, _parsed(event.data)) for event in events if event.data and event.event in (None, "message")]
    if exchange.kind == "application/json" and exchange.reply and exchange.method == "POST":
        return [(None, _parsed(exchange.reply))]
    return []


def _parsed(data):
    try:
        return json.loads(data)
    except ValueError:
        return {"unreadable": bytes(data, "utf-8").decode() if isinstance(data, str) else repr(bytes(data)[:200])}


def _revision(exchange, replies, sessions):
    header = exchange.headers.get("mcp-protocol-version")
    session = exchange.headers.get("mcp-session-id")
    for item in exchange.sent:
        params = item.get("params")
        meta = params.get("_meta") if isinstance(params, dict) else None
        if isinstance(meta, dict) and VERSION_KEY in meta:
            return MODERN
        if item.get("method") == "initialize" and header != MODERN:
            answers = [m["result"] for _, m in replies if isinstance(m, dict) and isinstance(m.get("result"), dict)]
            chosen = answers[0].get("protocolVersion") if answers else None
            revision = chosen if chosen in LEGACY else "2025-11-25"
            minted = exchange.reply_headers.get("mcp-session-id")
            if minted:
                sessions[minted] = revision
            return revision
    if session in sessions:
        return sessions[session]
    return header if header in REVISIONS else "2025-03-26"


def _id_problems(exchange, message):
    """An answer to a single readable request carries its id, in its own type."""
    sent = [item for item in exchange.sent if "method" in item and "id" in item]
    if len(sent) != 1 or exchange.body.lstrip().startswith(b"["):
        return []
    if not isinstance(message, dict) or "method" in message or "id" not in message:
        return []
    wanted = sent[0]["id"]
    is_valid = isinstance(wanted, (str, int)) and not isinstance(wanted, bool)
    if is_valid and message["id"] is not None and _key(message["id"]) != _key(wanted):
        return [f"answers id {message['id']!r} where {wanted!r} was asked"]
    return []
