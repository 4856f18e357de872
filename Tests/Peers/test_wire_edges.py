"""Edges of both eras on the wire: equal ids and tokens, ends in the middle, children that go away quietly."""

import os
import signal

import pytest

from peers.gateway import plain
from peers.processes import is_alive
from peers.raw import MODERN, LegacySession, ModernClient, encoded, error_of, rpc, text_of
from peers.waiting import until
from peers.wire import Closed, once

SERVERS = {"plain": plain(max_restarts=10), "second": plain(max_restarts=10)}
SETTINGS = {"limits": {"streams": 4}, "timeouts": {"shutdownGrace": 1}}


@pytest.fixture
def session(gateway, ledger):
    session = LegacySession(gateway, ledger).open()
    yield session
    session.delete()


@pytest.fixture
def client(gateway, ledger):
    return ModernClient(gateway, ledger)


def test_equal_tokens_of_different_type_are_told_apart(session):
    replies = {}
    for id, token in ((1001, 1), (1002, "1"), (1003, "a"), (1004, 0)):
        message = rpc("tools/call", session.tool("progress", meta={"progressToken": token}), id)
        replies[id] = (token, session.begin(message))
    for id, (token, (connection, exchange)) in replies.items():
        messages = connection.read(exchange).messages()
        assert messages[-1]["id"] == id
        tokens = [m["params"]["progressToken"] for m in messages[:-1]]
        assert tokens == [token] * 3 and all(type(seen) is type(token) for seen in tokens)


def test_ids_of_different_type_are_told_apart(session):
    answers = {}
    begun = [(id, session.begin(rpc("tools/call", session.tool("echo", repr(id)), id))) for id in (2001, "2001", "x")]
    for id, (connection, exchange) in begun:
        answer = connection.read(exchange).json()
        assert type(answer["id"]) is type(id)
        answers[answer["id"]] = text_of(answer["result"])
    assert answers == {2001: "2001", "2001": "'2001'", "x": "'x'"}


def test_a_second_call_under_an_id_in_flight_is_refused_or_answered_and_spoils_nothing(session, tmp_path):
    first, exchange = session.begin(rpc("tools/call", session.tool("hold", str(tmp_path / "gate")), "same"))
    reply = session.post(rpc("tools/call", session.tool("echo", "second"), "same"))
    answer = reply.json()
    assert answer["id"] == "same"
    assert "error" in answer or text_of(answer["result"]) == "second"
    (tmp_path / "gate").touch()
    assert text_of(first.read(exchange).json()["result"]) == "released"


def test_the_end_of_a_session_answers_or_ends_its_calls(gateway, ledger):
    session = LegacySession(gateway, ledger).open()
    waiting = [session.begin(rpc("tools/call", session.tool("wait"), n)) for n in (11, 12)]
    streaming = session.begin(rpc("tools/call", session.tool("wait", meta={"progressToken": "t"}), 13))
    stream = streaming[0].read(streaming[1])
    stream.message()
    assert session.delete().status in (200, 202, 204)
    for connection, exchange in waiting:
        try:
            answer = connection.read(exchange).json()
            assert "error" in answer
        except Closed:
            pass
    rest = stream.messages()
    assert not rest or "error" in rest[-1]


def test_a_doubled_or_empty_session_id_is_refused(gateway, session):
    mine = ("Mcp-Session-Id", session.id)
    for fields in ([mine, mine], [mine, ("Mcp-Session-Id", "x")], [("Mcp-Session-Id", "")]):
        others = session.fields({"Mcp-Session-Id": None})
        reply = once(gateway.port, "POST", session.path, others + fields, encoded(rpc("ping", id=1)), session.ledger)
        assert reply.status in (400, 404)
    assert session.request("ping")["result"] == {}


def test_calls_work_before_the_client_says_that_it_is_ready(gateway, ledger):
    session = LegacySession(gateway, ledger)
    reply = session.post(session.offer())
    session.id = reply.header("mcp-session-id")
    assert session.request("ping")["result"] == {}
    session.post(rpc("notifications/initialized"))
    assert text_of(session.call("echo", "x")) == "x"
    session.delete()


def test_event_streams_of_a_session_have_a_limit(session):
    streams = [session.stream() for _ in range(8)]
    statuses = [stream.status for stream in streams]
    assert statuses[:2] == [200, 200] and statuses[-1] in (409, 429), statuses
    for stream in streams:
        stream.connection.close()
    until(lambda: session.stream().status == 200, "a place")


def test_an_answer_that_comes_twice_counts_once(session):
    connection, exchange = session.begin(rpc("tools/call", session.tool("ask"), 9))
    reply = connection.read(exchange)
    asked = reply.message()
    for roots in ([], [{"uri": "file:///second"}]):
        assert session.post({"jsonrpc": "2.0", "id": asked["id"], "result": {"roots": roots}}).status == 202
    assert reply.message()["result"]["_meta"]["test/answer"]["result"] == {"roots": []}
    assert text_of(session.call("echo", "x")) == "x"


def test_an_answer_under_an_id_of_another_type_does_not_count(session):
    connection, exchange = session.begin(rpc("tools/call", session.tool("ask"), 9))
    reply = connection.read(exchange)
    asked = reply.message()
    other = str(asked["id"]) if isinstance(asked["id"], int) else 1
    assert session.post({"jsonrpc": "2.0", "id": other, "result": {"roots": [{"uri": "file:///x"}]}}).status == 202
    assert session.post({"jsonrpc": "2.0", "id": asked["id"], "result": {"roots": []}}).status == 202
    assert reply.message()["result"]["_meta"]["test/answer"]["result"] == {"roots": []}


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGKILL])
def test_a_child_that_went_away_while_nobody_called_is_replaced_for_the_next_call(session, signal_number):
    pid = session.whoami()["pid"]
    os.kill(pid, signal_number)
    until(lambda: not is_alive(pid), "its end")
    assert session.whoami()["pid"] != pid


def test_a_listener_whose_child_died_is_told_or_heard_again(gateway, client, ledger):
    stream = client.listen(id="l", toolsListChanged=True)
    assert stream.message()["method"] == "notifications/subscriptions/acknowledged"
    os.kill(client.whoami()["pid"], signal.SIGKILL)
    until(lambda: "result" in client.request("tools/call", LegacySession.tool("echo", "x")), "a new child")
    client.call("change")
    message = stream.message(timeout=5)
    assert message is None or message.get("id") == "l" or message["method"] == "notifications/tools/list_changed"


def test_a_round_whose_child_died_is_answered_somehow_and_never_waits(client):
    params = {"name": "rounds", "arguments": {}}
    state = client.call("rounds")["requestState"]
    os.kill(client.whoami()["pid"], signal.SIGKILL)
    until(lambda: "result" in client.request("tools/call", LegacySession.tool("echo", "x")), "a new child")
    retry = {**params, "requestState": state, "inputResponses": {"name": {"action": "cancel"}}}
    answer = client.request("tools/call", retry)
    if "error" in answer:
        assert answer["error"]["code"] == -32602
    else:
        assert answer["result"]["_meta"]["test/rounds"]["state"].startswith("state of ")


NUMBERS = b"[0,-0,1e5,1E+2,-1.5e-7,123456789012345678901234567890,0.1000000000000000055511151231257827]"


def test_what_is_not_read_here_passes_unchanged(gateway, session):
    """Numbers keep their spelling, names their order and repetition below the envelope, strings their escapes."""
    odd = b'{"z":1,"a":%s,"\\u00e9":"\\ud83e\\uddc0\\/","":null,"deep":%s}' % (NUMBERS, b"[" * 50 + b"]" * 50)
    body = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":"odd","x":%s}}}'
    reply = session.post(body % odd)
    assert text_of(reply.json()["result"]) == "odd"
    seen = [m for m in gateway.seen("plain", "tools/call") if m["params"]["arguments"].get("text") == "odd"][-1]
    got = seen["params"]["arguments"]["x"]
    assert list(got) == ["z", "a", "é", "", "deep"] and got["é"] == "🧀/"
    assert got["a"][5] == 123456789012345678901234567890 and got["a"][1] == 0


def test_a_name_beyond_ascii_must_be_wrapped_and_raw_bytes_are_refused(gateway, client):
    message = client.message("resources/read", {"uri": "test://ü"})
    fields = client.fields(message, {"Mcp-Name": None})
    wrapped = [*fields, ("Mcp-Name", "=?base64?dGVzdDovL8O8?=")]
    assert once(gateway.port, "POST", client.path, wrapped, encoded(message), client.ledger).status == 200
    raw_bytes = [*fields, ("Mcp-Name", "test://ü")]
    reply = once(gateway.port, "POST", client.path, raw_bytes, encoded(message), client.ledger)
    assert reply.status == 400


def test_a_modern_retry_of_a_broken_call_is_a_new_call(client):
    for _ in range(3):
        connection, _ = client.begin(client.message("tools/call", {"name": "wait", "arguments": {}}, id="again"))
        connection.reset()
    assert text_of(client.call("echo", "x", id="again")) == "x"


def test_a_tool_call_without_arguments_passes(session, client):
    assert text_of(session.request("tools/call", {"name": "echo"})["result"]) == ""
    assert text_of(client.request("tools/call", {"name": "echo"})["result"]) == ""


@pytest.mark.parametrize("name", [None, 7, {}, []])
def test_a_tool_call_without_a_name_is_refused(gateway, session, client, name):
    params = {"arguments": {}} if name is None else {"name": name, "arguments": {}}
    assert session.request("tools/call", params)["error"]["code"] in (-32602, -32600)
    reply = client.post(client.message("tools/call", params), {"Mcp-Name": "x"})
    assert error_of(reply) in (-32602, -32600, -32020)
    assert reply.status in (200, 400)


def test_unknown_params_pass_to_the_child(gateway, session, client):
    session.request("tools/list", {"example.com/x": [1]})
    assert [m for m in gateway.seen("plain", "tools/list") if m.get("params", {}).get("example.com/x") == [1]]


def test_a_cursor_of_another_list_or_server_is_refused(gateway, session, ledger):
    """An empty cursor is one as well: nobody gave it."""
    for cursor in ("", "0", "page:1"):
        answer = session.request("tools/list", {"cursor": cursor})
        assert "result" in answer or answer["error"]["code"] == -32602


def test_hundreds_of_connections_at_once_are_served(gateway, client):
    begun = []
    for number in range(300):
        message = client.message("tools/call", {"name": "echo", "arguments": {"text": str(number)}}, id=number)
        begun.append((number, client.begin(message)))
    for number, (connection, exchange) in begun:
        answer = connection.read(exchange, timeout=20).json()
        assert (answer["id"], text_of(answer["result"])) == (number, str(number))
        connection.close()


def test_the_version_header_of_the_modern_era_makes_a_bare_request_modern(gateway, ledger):
    reply = ModernClient(gateway, ledger).post(rpc("tools/list", id=3), {"MCP-Protocol-Version": MODERN})
    assert (reply.status, error_of(reply)) == (400, -32602)
