"""The stateless revision on the wire: the envelope, errors with their status, discovery."""

import pytest
from peers.raw import CAPABILITIES, CLIENT, MODERN, VERSION, LegacySession, ModernClient, error_of, rpc, text_of
from peers.wire import once


@pytest.fixture
def client(gateway, ledger):
    return ModernClient(gateway, ledger)


def child_reads(gateway):
    return len([n for n in gateway.journal("plain", "read") if n["message"].get("method") == "tools/call"])


def test_a_request_with_its_envelope_is_answered(client):
    reply = client.send("tools/call", {"name": "echo", "arguments": {"text": "käse"}})
    assert reply.status == 200
    answer = reply.json()
    assert text_of(answer["result"]) == "käse" and answer["result"]["resultType"] == "complete"
    assert reply.header("mcp-session-id") is None


def test_the_clients_name_is_not_demanded(client):
    assert text_of(client.call("echo", "x", meta=client.envelope(**{CLIENT: None}))) == "x"


ENVELOPES = {
    "no version": {VERSION: None},
    "no capabilities": {CAPABILITIES: None},
    "version as a number": {VERSION: 20260728},
    "capabilities as a list": {CAPABILITIES: []},
    "capabilities as null": {CAPABILITIES: "{}"},
}


@pytest.mark.parametrize("change", ENVELOPES.values(), ids=ENVELOPES.keys())
def test_an_envelope_that_lacks_a_part_is_refused(gateway, client, change):
    before = child_reads(gateway)
    message = client.message("tools/call", {"name": "echo", "arguments": {}}, meta=client.envelope(**change))
    reply = client.post(message)
    assert (reply.status, error_of(reply)) == (400, -32602)
    assert reply.json()["id"] == message["id"]
    assert child_reads(gateway) == before


@pytest.mark.parametrize("params", [None, {}, {"_meta": {}}, {"_meta": "x"}, {"_meta": None}, {"_meta": []}])
def test_a_modern_header_without_an_envelope_is_refused(client, params):
    reply = client.post(rpc("tools/list", params, 7))
    assert (reply.status, error_of(reply)) == (400, -32602)


@pytest.mark.parametrize("version", ["2099-01-01", "2025-11-25", "1", "draft"])
def test_a_version_that_is_not_spoken_is_refused_with_those_that_are(client, version):
    message = client.message("tools/list", meta=client.envelope(**{VERSION: version}))
    reply = client.post(message, {"MCP-Protocol-Version": version})
    assert (reply.status, error_of(reply)) == (400, -32022)
    data = reply.json()["error"]["data"]
    assert data["requested"] == version and data["supported"] == [MODERN]


def test_the_error_of_the_version_agrees_with_discovery(client):
    result = client.request("server/discover")["result"]
    assert result["supportedVersions"] == [MODERN]


def test_discovery_tells_capabilities_name_and_how_long_it_holds(client):
    result = client.request("server/discover")["result"]
    assert result["resultType"] == "complete"
    assert result["capabilities"]["tools"] == {"listChanged": True}
    assert isinstance(result["ttlMs"], int) and result["ttlMs"] >= 0
    assert result["cacheScope"] in ("public", "private")
    assert result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "plain"


REMOVED = ["ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe", "initialize", "tasks/list"]


@pytest.mark.parametrize("method", ["no/such/method", "tools/List", "", *REMOVED])
def test_an_unknown_or_removed_method_is_answered_with_404(client, method):
    params = {"protocolVersion": MODERN, "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    reply = client.send(method, {**params, "uri": "test://x", "level": "info"})
    if method == "":
        assert reply.status in (400, 404)
    else:
        assert (reply.status, error_of(reply)) == (404, -32601)


def test_a_session_id_on_a_modern_request_is_ignored(client):
    reply = client.send("tools/list", changes={"Mcp-Session-Id": "anything", "Last-Event-ID": "7"})
    assert reply.status == 200 and reply.header("mcp-session-id") is None


@pytest.mark.parametrize("id", [0, -1, 2**53 - 1, "", "ü", "1"])
def test_ids_come_back_in_their_own_type(client, id):
    answer = client.request("tools/list", id=id)
    assert answer["id"] == id and type(answer["id"]) is type(id)


@pytest.mark.parametrize("id", [b"null", b"true", b"1.5", b"[]", b"{}"])
def test_ids_that_are_no_ids_are_refused(client, id):
    text = b'{"jsonrpc":"2.0","id":%s,"method":"tools/list","params":{"_meta":{"%s":"%s","%s":{}}}}'
    body = text % (id, VERSION.encode(), MODERN.encode(), CAPABILITIES.encode())
    reply = client.post(body, {"Mcp-Method": "tools/list"})
    assert reply.status == 400 and error_of(reply) == -32600


def test_what_is_no_json_is_refused_without_an_id(client):
    reply = client.post(b"{nonsense", {"Mcp-Method": "tools/list"})
    assert (reply.status, error_of(reply)) == (400, -32700)
    assert "id" not in reply.json()


def test_a_batch_is_refused(gateway, client):
    items = [client.message("tools/list"), client.message("tools/list")]
    assert client.post([*items], {"Mcp-Method": "tools/list"}).status == 400
    session = LegacySession(gateway, client.ledger, revision="2025-03-26").open()
    reply = session.post([rpc("ping", id=1), client.message("tools/list", id=2)])
    assert reply.status == 400 and error_of(reply) in (-32600, -32602)
    session.delete()


def test_a_notification_is_accepted_and_cancels_nothing_by_guess(gateway, client, tmp_path):
    connection, exchange = client.begin(
        client.message("tools/call", {"name": "hold", "arguments": {"text": str(tmp_path / "gate")}}, id="victim")
    )
    from peers.waiting import until

    until(lambda: [n for n in gateway.journal("plain", "hold") if str(tmp_path) in n["path"]], "the call at the child")
    for id in ("victim", 1):
        message = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}}
        reply = client.post(message)
        assert (reply.status, reply.body()) == (202, b"")
    (tmp_path / "gate").touch()
    reply = connection.read(exchange)
    assert text_of(reply.json()["result"]) == "released"
    call = [m for m in gateway.seen("plain", "tools/call") if str(tmp_path) in str(m["params"])][0]
    cancelled = [m["params"]["requestId"] for m in gateway.seen("plain", "notifications/cancelled")]
    assert call["id"] not in cancelled


def test_a_modern_client_sends_no_answers(client):
    reply = client.post({"jsonrpc": "2.0", "id": 1, "result": {"resultType": "complete"}})
    assert 400 <= reply.status < 500


def test_a_modern_envelope_in_initialize_is_a_modern_request(client):
    params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    reply = client.send("initialize", params)
    assert (reply.status, error_of(reply)) == (404, -32601)
    assert reply.header("mcp-session-id") is None


def test_lists_and_reads_say_how_long_they_hold(client):
    for method, params in (
        ("tools/list", {}),
        ("prompts/list", {}),
        ("resources/list", {}),
        ("resources/read", {"uri": "test://ü/x"}),
    ):
        changes = {"Mcp-Name": "=?base64?dGVzdDovL8O8L3g=?="} if params else None
        result = client.request(method, params, changes)["result"]
        assert result["ttlMs"] >= 0 and result["cacheScope"] in ("public", "private"), method


def test_an_unknown_tool_is_a_protocol_error(client):
    reply = client.send("tools/call", {"name": "nope", "arguments": {}})
    assert error_of(reply) == -32602 and reply.status in (200, 400)


def test_a_stream_tells_proxies_not_to_hold_it_back(client, tmp_path):
    params = {"name": "progress", "arguments": {}, "_meta": {"progressToken": "p"}}
    reply = client.send("tools/call", params)
    messages = reply.messages()
    assert [m["params"]["progress"] for m in messages[:-1]] == [1, 2, 3]
    assert {m["params"]["progressToken"] for m in messages[:-1]} == {"p"}
    assert reply.header("x-accel-buffering") == "no"


@pytest.mark.parametrize("token", ["", "ü", 0, -3])
def test_a_progress_token_comes_back_in_its_own_type(client, token):
    client.request("tools/call", {"name": "progress", "arguments": {}, "_meta": {"progressToken": token}})
    tokens = [notice["params"]["progressToken"] for notice in client.notices]
    assert tokens == [token] * 3 and all(type(seen) is type(token) for seen in tokens)


def test_the_child_sees_the_protocol_keys_of_this_hop_and_the_clients_own(gateway, client):
    mark = {"example.com/mark": [1, {"a": None}]}
    meta = {**client.envelope(), **mark}
    client.call("echo", "marked", meta=meta)
    seen = [m for m in gateway.seen("plain", "tools/call") if "example.com/mark" in m["params"].get("_meta", {})][-1]
    assert seen["params"]["_meta"]["example.com/mark"] == mark["example.com/mark"]
    assert seen["params"]["_meta"][VERSION] == MODERN
    assert isinstance(seen["params"]["_meta"][CAPABILITIES], dict)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_other_methods_are_refused_with_those_that_work(gateway, client, method):
    reply = once(gateway.port, method, "/mcp/plain", client.fields({}), b"{}")
    assert reply.status == 405 and "POST" in (reply.header("allow") or "")
