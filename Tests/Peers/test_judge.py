"""The tools of these tests: the judge refuses what is wrong, the readers read what is right."""

import json

import pytest
from peers.events import EventReader
from peers.ledger import VERSION_KEY, Ledger
from peers.schema import MODERN, REVISIONS, message_problems

TEXT = {"content": [{"type": "text", "text": "x"}]}
MODERN_TEXT = {**TEXT, "resultType": "complete"}


def answer(result, id=1):
    return {"jsonrpc": "2.0", "id": id, "result": result}


def error(code=-32603, id=1, **more):
    message = {"jsonrpc": "2.0", "error": {"code": code, "message": "x", **more}}
    return message if id is None else {**message, "id": id}


GOOD = [
    ("2025-11-25", answer(TEXT), "tools/call"),
    ("2024-11-05", answer({}), "ping"),
    (MODERN, answer(MODERN_TEXT), "tools/call"),
    (MODERN, answer({"resultType": "input_required", "requestState": "s"}), "tools/call"),
    (MODERN, error(id=None), None),
    ("2025-11-25", error(id=None), None),
    ("2025-06-18", error(id=None), None),
    ("2025-06-18", {**error(id=None), "id": None}, None),
    (MODERN, error(-32022, data={"supported": [MODERN], "requested": "x"}), None),
    ("2025-11-25", {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": 1, "progress": 1}}, None),
    ("2025-11-25", {"jsonrpc": "2.0", "id": "a", "method": "roots/list"}, None),
    ("2025-03-26", [answer({}), answer({}, 2)], "ping"),
]
BAD = [
    ("a result without its content", "2025-11-25", answer({}), "tools/call"),
    ("a modern result without its type", MODERN, answer(TEXT), "tools/call"),
    ("a list without how long it holds", MODERN, answer({"tools": [], "resultType": "complete"}), "tools/list"),
    ("a legacy result with a type", "2025-11-25", answer(MODERN_TEXT), "tools/call"),
    ("a round without anything", MODERN, answer({"resultType": "input_required"}), "tools/call"),
    ("a round of a list", MODERN, answer({"resultType": "input_required", "requestState": "s"}), "tools/list"),
    ("a null id", MODERN, {**error(id=None), "id": None}, None),
    ("a null id in the last legacy revision", "2025-11-25", {**error(id=None), "id": None}, None),
    ("an error without a message", "2025-06-18", {"jsonrpc": "2.0", "id": 1, "error": {"code": 1}}, None),
    ("an error code as a text", "2025-11-25", error("x"), None),
    ("a version error without data", MODERN, error(-32022), None),
    ("a capability error without data", MODERN, error(-32021), None),
    ("a legacy code", MODERN, error(-32002), None),
    ("a request in the modern era", MODERN, {"jsonrpc": "2.0", "id": 1, "method": "roots/list"}, None),
    ("progress without a token", "2025-11-25", {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progress": 1}}, None),
    ("an acknowledgement without a filter", MODERN, {"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": {}}, None),
    ("a batch", "2025-06-18", [answer({})], "ping"),
    ("an answer that nobody asked for", "2025-11-25", answer({}), None),
    ("no version of JSON-RPC", "2025-11-25", {"id": 1, "result": {}}, "ping"),
    ("an image without its data", "2025-06-18", answer({"content": [{"type": "image", "mimeType": "x"}]}), "tools/call"),
    ("a link before its time", "2024-11-05", answer({"content": [{"type": "resource_link", "uri": "a:b", "name": "x"}]}), "tools/call"),
]


@pytest.mark.parametrize("revision, message, method", GOOD)
def test_what_is_right_passes(revision, message, method):
    assert message_problems(revision, message, method) == []


@pytest.mark.parametrize("revision, message, method", [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_what_is_wrong_is_found(revision, message, method):
    assert message_problems(revision, message, method)


def exchange(ledger, sent, got, kind="application/json", headers=(), status=200, reply_headers=()):
    entry = ledger.open("POST", "/mcp/x", [("Content-Type", "application/json"), *headers], json.dumps(sent).encode())
    entry.answered(status, [("Content-Type", kind), *reply_headers])
    entry.received(got if isinstance(got, bytes) else json.dumps(got).encode())


def initialize(revision):
    result = {"protocolVersion": revision, "capabilities": {}, "serverInfo": {"name": "x", "version": "1"}}
    return {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {}}, answer(result, 0)


@pytest.mark.parametrize("revision", [revision for revision in REVISIONS if revision != MODERN])
def test_the_ledger_judges_by_the_revision_of_the_session(revision):
    ledger = Ledger()
    exchange(ledger, *initialize(revision), reply_headers=[("Mcp-Session-Id", "s")])
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {}}
    link = answer({"content": [{"type": "resource_link", "uri": "a:b", "name": "x"}]})
    exchange(ledger, call, link, headers=[("Mcp-Session-Id", "s")])
    assert bool(ledger.problems()) == (revision < "2025-06-18")


def test_the_ledger_finds_a_wrong_id_a_modern_event_id_and_an_unreadable_message():
    meta = {"_meta": {VERSION_KEY: MODERN}}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": meta}
    for got, kind in (
        (answer(MODERN_TEXT, 2), "application/json"),
        (answer(MODERN_TEXT, "1"), "application/json"),
        (b"id: 7\ndata: %s\n\n" % json.dumps(answer(MODERN_TEXT)).encode(), "text/event-stream"),
        (b"data: {\n\n", "text/event-stream"),
        (b"oops", "application/json"),
    ):
        ledger = Ledger()
        exchange(ledger, call, got, kind)
        assert ledger.problems(), got
    ledger = Ledger()
    exchange(ledger, call, answer(MODERN_TEXT))
    assert ledger.problems() == []


def test_events_are_read_across_any_cut():
    text = 'id: 1\ndata: {"a":"ü"}\n\n: beat\n\nevent: message\r\ndata: x\r\ndata: y\r\n\r\nretry: 5\rid: 2\rdata:\r\r\n'.encode()
    whole = EventReader().feed(text)
    for cut in range(len(text)):
        reader = EventReader()
        assert reader.feed(text[:cut]) + reader.feed(text[cut:]) == whole
    assert [event.data for event in whole] == ['{"a":"ü"}', None, "x\ny", ""]
    assert whole[1].is_comment and whole[3].is_priming and whole[3].retry == "5"
