"""Listening and cancelling in the stateless revision, on the wire."""

import uuid

import pytest
from peers.raw import SUBSCRIPTION, ModernClient, error_of, text_of
from peers.waiting import until


@pytest.fixture
def client(gateway, ledger):
    return ModernClient(gateway, ledger)


def acknowledged(stream):
    message = stream.message()
    assert message["method"] == "notifications/subscriptions/acknowledged", message
    return message["params"]


@pytest.mark.parametrize("id", [7, "seven", "", "7", 0])
def test_a_listen_is_acknowledged_first_under_its_own_id(client, id):
    stream = client.listen(id=id, toolsListChanged=True)
    assert stream.status == 200 and stream.is_stream
    params = acknowledged(stream)
    assert params["_meta"][SUBSCRIPTION] == id and type(params["_meta"][SUBSCRIPTION]) is type(id)
    assert params["notifications"] == {"toolsListChanged": True}
    client.call("change")
    news = stream.message()
    assert news["method"] == "notifications/tools/list_changed"
    assert news["params"]["_meta"][SUBSCRIPTION] == id
    assert type(news["params"]["_meta"][SUBSCRIPTION]) is type(id)
    stream.connection.close()


def test_a_listener_gets_only_what_it_asked_for(client):
    prompts, tools = client.listen(promptsListChanged=True), client.listen(toolsListChanged=True)
    acknowledged(prompts), acknowledged(tools)
    client.call("change")
    assert tools.message()["method"] == "notifications/tools/list_changed"
    with pytest.raises(AssertionError, match="nothing came"):
        prompts.message(timeout=0.5)
    for stream in (prompts, tools):
        stream.connection.close()


def test_equal_ids_of_two_listeners_do_not_mix(gateway, ledger):
    one, two = ModernClient(gateway, ledger), ModernClient(gateway, ledger)
    streams = [one.listen(id=1, toolsListChanged=True), two.listen(id=1, toolsListChanged=True)]
    for stream in streams:
        acknowledged(stream)
    one.call("change")
    for stream in streams:
        message = stream.message()
        assert message["params"]["_meta"][SUBSCRIPTION] == 1
    streams[0].connection.close()
    one.call("change")
    assert streams[1].message()["method"] == "notifications/tools/list_changed"
    streams[1].connection.close()


def test_the_end_of_the_stream_ends_the_subscription_at_the_server(gateway, client):
    before = len(gateway.seen("plain", "notifications/cancelled"))
    uri = f"test://{uuid.uuid4().hex}"
    stream = client.listen(resourceSubscriptions=[uri])
    acknowledged(stream)
    stream.connection.close()
    until(lambda: len(gateway.seen("plain", "notifications/cancelled")) > before, "the cancellation at the child")
    wanted = [m["id"] for m in gateway.seen("plain", "subscriptions/listen") if uri in str(m["params"])]
    assert gateway.seen("plain", "notifications/cancelled")[-1]["params"]["requestId"] in wanted


@pytest.mark.parametrize("params", [{}, {"notifications": []}, {"notifications": "x"}, {"notifications": None}])
def test_a_listen_of_the_wrong_shape_is_refused(client, params):
    reply = client.send("subscriptions/listen", params)
    assert not reply.is_stream and error_of(reply) == -32602


def cancelled(gateway, pid):
    return [
        n["message"]["params"]["requestId"]
        for n in gateway.journal("plain", "read")
        if n["pid"] == pid and n["message"].get("method") == "notifications/cancelled"
    ]


def call_ids(gateway, tag):
    return [m["id"] for m in gateway.seen("plain", "tools/call") if tag in str(m["params"])]


@pytest.mark.parametrize("with_progress", [True, False], ids=["streaming", "silent"])
def test_closing_the_connection_cancels_the_call_at_the_server(gateway, client, with_progress):
    pid = client.whoami()["pid"]
    tag = uuid.uuid4().hex
    params = {"name": "wait", "arguments": {"text": tag}}
    if with_progress:
        params["_meta"] = {"progressToken": tag}
    connection, exchange = client.begin(client.message("tools/call", params))
    if with_progress:
        reply = connection.read(exchange)
        assert reply.message()["method"] == "notifications/progress"
    until(lambda: call_ids(gateway, tag), "the call at the child")
    connection.close()
    until(lambda: set(call_ids(gateway, tag)) <= set(cancelled(gateway, pid)), "the cancellation at the child")
    assert text_of(client.call("echo", "next")) == "next"


def test_an_answered_call_is_not_cancelled_when_its_connection_closes(gateway, client):
    pid = client.whoami()["pid"]
    before = len(cancelled(gateway, pid))
    for _ in range(5):
        connection, exchange = client.begin(client.message("tools/call", {"name": "echo", "arguments": {"text": "x"}}))
        reply = connection.read(exchange)
        assert text_of(reply.json()["result"]) == "x"
        connection.close()
    client.call("echo", "last")
    assert len(cancelled(gateway, pid)) == before


def test_a_cancelled_call_takes_no_other_with_it(gateway, client, tmp_path):
    kept, lost = str(tmp_path / "kept"), str(tmp_path / "lost")
    connections = {}
    for path in (kept, lost):
        params = {"name": "hold", "arguments": {"text": path}}
        connections[path] = client.begin(client.message("tools/call", params, id="the same"))
        until(lambda path=path: [n for n in gateway.journal("plain", "hold") if n["path"] == path], "the call")
    before = len(gateway.seen("plain", "notifications/cancelled"))
    connections[lost][0].reset()
    until(lambda: len(gateway.seen("plain", "notifications/cancelled")) > before, "a cancellation")
    (tmp_path / "kept").touch()
    connection, exchange = connections[kept]
    assert text_of(connection.read(exchange).json()["result"]) == "released"
