"""Legacy sessions on the wire (2024-11-05 to 2025-11-25): how they begin, what they carry, how they end."""

import pytest
from peers.processes import is_alive
from peers.raw import LATEST, LegacySession, error_of, rpc, text_of
from peers.schema import LEGACY
from peers.waiting import until
from peers.wire import once


@pytest.fixture
def session(gateway, ledger):
    session = LegacySession(gateway, ledger).open()
    yield session
    session.delete()


@pytest.mark.parametrize("revision", LEGACY)
def test_every_legacy_revision_is_negotiated_and_served(gateway, ledger, revision):
    session = LegacySession(gateway, ledger, revision=revision).open()
    assert session.opened["protocolVersion"] == revision
    assert session.opened["serverInfo"]["name"] == "plain"
    assert text_of(session.call("echo", "ö")) == "ö"
    assert session.request("tools/list")["result"]["tools"]
    assert session.request("ping")["result"] == {}
    assert session.delete().status in (200, 202, 204)


@pytest.mark.parametrize("revision", ["1999-01-01", "2027-01-01", "", "latest"])
def test_an_unknown_revision_is_answered_with_one_that_is_spoken_or_refused(gateway, ledger, revision):
    reply = LegacySession(gateway, ledger).post(LegacySession(gateway, ledger).offer(revision or "x"))
    answer = reply.json()
    if "result" in answer:
        assert answer["result"]["protocolVersion"] in LEGACY
        session = LegacySession(gateway, ledger)
        session.id = reply.header("mcp-session-id")
        session.delete()
    else:
        assert answer["error"]["code"] == -32602
        assert reply.header("mcp-session-id") is None


def test_session_ids_are_long_visible_and_share_no_pattern(gateway, ledger):
    sessions = [LegacySession(gateway, ledger).open() for _ in range(12)]
    ids = [session.id for session in sessions]
    for session in sessions:
        session.delete()
    assert len(set(ids)) == 12
    assert all(len(id) >= 22 and all(0x21 <= ord(sign) <= 0x7E for sign in id) for id in ids)
    for one in range(len(ids)):
        for other in range(one):
            shared = [a == b for a, b in zip(ids[one], ids[other])]
            assert not all(shared[:6]), "two ids begin alike"


def test_a_request_without_a_session_is_refused_with_400(gateway, ledger):
    session = LegacySession(gateway, ledger)
    assert session.post(rpc("tools/list", id=1)).status == 400
    assert session.post(rpc("notifications/initialized")).status == 400
    assert session.stream().status == 400
    assert session.delete().status == 400


@pytest.mark.parametrize("id", ["0" * 32, "unknown", "x" * 500, "A"])
def test_an_unknown_session_is_answered_with_404(gateway, ledger, id):
    session = LegacySession(gateway, ledger)
    session.id = id
    assert session.post(rpc("tools/list", id=1)).status == 404
    assert session.post(rpc("notifications/cancelled", {"requestId": 1})).status == 404
    assert session.stream().status == 404
    assert session.stream(last="1-1").status == 404
    assert session.delete().status == 404


def test_a_session_of_one_server_is_unknown_at_another(gateway, session):
    session.path = "/mcp/everything"
    assert session.post(rpc("tools/list", id=1)).status == 404
    assert session.delete().status == 404
    session.path = "/mcp/plain"
    assert session.request("ping")["result"] == {}


def test_delete_ends_the_session_and_its_process(gateway, ledger):
    session = LegacySession(gateway, ledger).open()
    pid = session.whoami()["pid"]
    assert is_alive(pid)
    assert session.delete().status in (200, 202, 204)
    until(lambda: not is_alive(pid), "the end of the child")
    assert session.post(rpc("tools/list", id=1)).status == 404
    assert session.stream().status == 404
    assert session.delete().status == 404


def test_delete_ends_the_sessions_streams(gateway, ledger):
    session = LegacySession(gateway, ledger).open()
    stream = session.stream()
    assert stream.status == 200 and stream.is_stream
    session.delete()
    assert stream.messages(timeout=5) == []


@pytest.mark.parametrize(
    "params",
    [None, {}, {"protocolVersion": 7, "capabilities": {}}, {"capabilities": {}}, {"protocolVersion": LATEST}, [], "x"],
    ids=["none", "empty", "number", "no version", "no capabilities", "array", "string"],
)
def test_a_malformed_handshake_makes_no_session(gateway, ledger, params):
    before = len(gateway.children("plain"))
    reply = LegacySession(gateway, ledger).post(rpc("initialize", params, id=1))
    if params == {"protocolVersion": LATEST} and "result" in reply.json():
        pytest.fail("capabilities and clientInfo are required in initialize")
    assert "error" in reply.json()
    assert reply.header("mcp-session-id") is None
    until(lambda: len(gateway.children("plain")) <= before, "no child more than before")


def test_a_handshake_without_an_id_makes_no_session(gateway, ledger):
    message = LegacySession(gateway, ledger).offer()
    del message["id"]
    reply = LegacySession(gateway, ledger).post(message)
    assert reply.header("mcp-session-id") is None


def test_a_second_handshake_is_refused_or_opens_another_session(gateway, session, ledger):
    pid = session.whoami()["pid"]
    reply = session.post(session.offer())
    if "error" in reply.json():
        assert reply.header("mcp-session-id") in (None, session.id)
    else:
        other = LegacySession(gateway, ledger)
        other.id = reply.header("mcp-session-id")
        assert other.id and other.id != session.id
        other.delete()
    assert session.whoami()["pid"] == pid, "the first session is as it was"
    handshakes = [n for n in gateway.journal("plain", "read") if n["pid"] == pid]
    assert len([n for n in handshakes if n["message"].get("method") == "initialize"]) == 1


def test_notifications_and_answers_are_accepted_with_202_and_no_body(session):
    for message in (
        rpc("notifications/roots/list_changed"),
        rpc("notifications/cancelled", {"requestId": 4711}),
        {"jsonrpc": "2.0", "id": "never asked", "result": {}},
        {"jsonrpc": "2.0", "id": 4711, "error": {"code": -1, "message": "no"}},
    ):
        reply = session.post(message)
        assert (reply.status, reply.body()) == (202, b"")


def test_the_version_field_may_be_missing_and_must_not_be_wrong(session):
    assert session.request("ping", changes={"MCP-Protocol-Version": None})["result"] == {}
    for wrong in ("1.0", "2024", "2099-01-01", "", "2025-11-25, 2025-11-25"):
        assert session.post(rpc("ping", id=1), {"MCP-Protocol-Version": wrong}).status == 400, wrong
    assert session.stream(changes={"MCP-Protocol-Version": "2099-01-01"}).status == 400
    assert session.delete(changes={"MCP-Protocol-Version": "2099-01-01"}).status == 400
    assert session.request("ping")["result"] == {}


@pytest.mark.parametrize("id", [0, 1, -7, 2**53 - 1, "a", "", "käse", "1", "null", "x" * 1000])
def test_ids_come_back_in_their_own_type(session, id):
    answer = session.request("tools/call", session.tool("echo", "x"), id=id)
    assert answer["id"] == id and type(answer["id"]) is type(id)


@pytest.mark.parametrize("id", ["null", "true", "1.5", "[1]", "{}", "1e400"])
def test_ids_that_are_no_ids_are_refused(gateway, session, id):
    before = len(gateway.seen("plain", "ping"))
    reply = session.post(b'{"jsonrpc":"2.0","id":%s,"method":"ping"}' % id.encode())
    assert reply.status == 400 and error_of(reply) in (-32600, -32700)
    assert len(gateway.seen("plain", "ping")) == before


def test_equal_ids_in_two_sessions_do_not_mix(gateway, ledger, session):
    other = LegacySession(gateway, ledger).open()
    mine, mine_exchange = session.begin(rpc("tools/call", session.tool("hold", "/nonexistent"), 7))
    theirs = other.request("tools/call", other.tool("echo", "theirs"), id=7)
    assert text_of(theirs["result"]) == "theirs"
    assert session.whoami()["pid"] != other.whoami()["pid"]
    mine.close()
    other.delete()


BROKEN = {
    "empty": b"",
    "not JSON": b"hello",
    "cut off": b'{"jsonrpc":"2.0","id":1,"method":"ping"',
    "two values": b'{"jsonrpc":"2.0","id":1,"method":"ping"} {}',
    "bad UTF-8": b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"\xff"}}',
    "a control character": b'{"jsonrpc":"2.0","id":1,"method":"pi\x01ng"}',
    "too deep": b'{"jsonrpc":"2.0","id":1,"method":"ping","params":' + b'{"a":' * 20000 + b"1" + b"}" * 20001,
    "a trailing comma": b'{"jsonrpc":"2.0","id":1,"method":"ping",}',
}
MISSHAPEN = {
    "a number": b"7",
    "a string": b'"ping"',
    "null": b"null",
    "an empty object": b"{}",
    "no version": b'{"id":1,"method":"ping"}',
    "version 1": b'{"jsonrpc":"1.0","id":1,"method":"ping"}',
    "version as a number": b'{"jsonrpc":2.0,"id":1,"method":"ping"}',
    "method in capitals": b'{"jsonrpc":"2.0","id":1,"METHOD":"ping"}',
    "method not a string": b'{"jsonrpc":"2.0","id":1,"method":7}',
    "params as a string": b'{"jsonrpc":"2.0","id":1,"method":"ping","params":"x"}',
    "method twice": b'{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}',
    "method twice, one escaped": b'{"jsonrpc":"2.0","id":1,"method":"ping","\\u006dethod":"tools/list"}',
    "id twice": b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}',
    "params twice": b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{},"params":{}}',
    "name twice": b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","name":"crash"}}',
    "result and error": b'{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"x"}}',
    "method with a NUL": b'{"jsonrpc":"2.0","id":1,"method\\u0000":"ping"}',
}


def requests(gateway):
    """What the children have read, but for the end of the handshake, which may come late."""
    read = [note["message"] for note in gateway.journal("plain", "read")]
    return [message for message in read if message.get("method") != "notifications/initialized"]


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
def test_what_is_no_json_is_refused_with_32700(gateway, session, body):
    before = len(requests(gateway))
    reply = session.post(body)
    assert reply.status == 400 and error_of(reply) in (-32700, -32600)
    assert len(requests(gateway)) == before
    assert session.request("ping", id="after")["result"] == {}


@pytest.mark.parametrize("body", MISSHAPEN.values(), ids=MISSHAPEN.keys())
def test_what_is_no_message_is_refused_and_the_child_sees_nothing(gateway, session, body):
    before = len(requests(gateway))
    reply = session.post(body)
    assert reply.status == 400 and error_of(reply) in (-32600, -32700, -32602)
    assert len(requests(gateway)) == before


def test_a_message_in_odd_but_right_json_reaches_the_child_on_one_line(gateway, session):
    body = b'\r\n{ "params" : {\n"arguments":{"text":"\\u00e4\\n\\/"}, "name"\t:\r\n"\\u0065cho" },\n"id":"odd" ,"method":"tools/call", "jsonrpc":"2.0" }\n\n'
    reply = session.post(body)
    assert text_of(reply.json()["result"]) == "ä\n/"


def test_an_unknown_method_is_answered_as_the_server_says(session):
    assert session.request("no/such/method")["error"]["code"] == -32601


@pytest.mark.parametrize("path", ["/mcp/plain/", "/api/mcp/plain", "/api/mcp/plain/"])
def test_other_spellings_of_the_path_lead_to_the_same_server(gateway, ledger, path):
    session = LegacySession(gateway, ledger)
    session.path = path
    session.open()
    assert text_of(session.call("echo", path)) == path
    session.path = "/mcp/plain"
    assert session.delete().status in (200, 202, 204)


def test_a_get_with_the_transport_type_opens_a_session(gateway, ledger):
    fields = [("Accept", "application/json, text/event-stream")]
    reply = once(gateway.port, "GET", "/mcp/plain?transportType=streamable-http", fields)
    assert reply.status == 200
    session = LegacySession(gateway, None)
    session.id = reply.header("mcp-session-id")
    assert session.id
    reply.connection.close()
    assert session.request("tools/list", changes={"MCP-Protocol-Version": None})["result"]["tools"]
    assert text_of(session.call("echo", "opened", changes={"MCP-Protocol-Version": None})) == "opened"
    assert session.delete(changes={"MCP-Protocol-Version": None}).status in (200, 202, 204)


BATCH = "2025-03-26"


def test_a_batch_is_answered_in_the_one_revision_that_has_them(gateway, ledger):
    session = LegacySession(gateway, ledger, revision=BATCH).open()
    items = [rpc("tools/call", session.tool("echo", f"{n}"), n) for n in (1, 2, 3)]
    reply = session.post([*items, rpc("notifications/roots/list_changed")])
    assert reply.status == 200
    if reply.is_stream:
        messages = reply.messages()
        answers = [item for message in messages for item in (message if isinstance(message, list) else [message])]
    else:
        answers = reply.json()
    assert {answer["id"]: text_of(answer["result"]) for answer in answers} == {1: "1", 2: "2", 3: "3"}
    session.delete()


def test_a_batch_of_notifications_is_accepted_and_an_empty_one_is_not(gateway, ledger):
    session = LegacySession(gateway, ledger, revision=BATCH).open()
    assert session.post([rpc("notifications/roots/list_changed")] * 2).status == 202
    reply = session.post([])
    assert reply.status == 400 and error_of(reply) == -32600
    session.delete()


def test_a_handshake_in_a_batch_is_refused(gateway, ledger):
    session = LegacySession(gateway, ledger, revision=BATCH)
    reply = session.post([session.offer()])
    assert reply.status == 400 and reply.header("mcp-session-id") is None


@pytest.mark.parametrize("revision", [revision for revision in LEGACY if revision != BATCH])
def test_a_batch_is_refused_in_the_other_revisions(gateway, ledger, revision):
    session = LegacySession(gateway, ledger, revision=revision).open()
    before = len(gateway.seen("plain", "ping"))
    reply = session.post([rpc("ping", id=1), rpc("ping", id=2)])
    assert reply.status == 400 and error_of(reply) == -32600
    assert len(gateway.seen("plain", "ping")) == before
    session.delete()
