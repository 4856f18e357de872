"""Plain calls between the eras: what is passed on as it is, and what is put together anew, says the same."""

import pytest

from peers.gateway import plain
from peers.raw import LegacySession, ModernClient, text_of

SERVERS = {"old": plain("--era", "legacy", isolation="principal"), "new": plain("--era", "modern")}
SERVER_INFO = "io.modelcontextprotocol/serverInfo"


@pytest.fixture
def modern(gateway, ledger):
    return ModernClient(gateway, ledger, "old", {})


@pytest.fixture
def legacy(gateway, ledger):
    return LegacySession(gateway, ledger, "new").open()


def test_a_modern_client_hears_what_kind_of_result_it_is_and_whose(modern):
    result = modern.call("echo", "x \u00fc \\ \n")
    assert result["resultType"] == "complete" and text_of(result) == "x \u00fc \\ \n"
    assert result["_meta"][SERVER_INFO]["name"] == "plain"


def test_a_modern_client_keeps_what_a_result_says_about_itself(modern):
    result = modern.call("whoami")
    assert result["resultType"] == "complete" and result["_meta"][SERVER_INFO]["name"] == "plain"
    assert result["_meta"]["test/whoami"]["revision"] == "2025-11-25"


def test_a_modern_clients_token_comes_back(modern):
    params = {"name": "progress", "arguments": {}, "_meta": {"progressToken": "mine"}}
    answer = modern.request("tools/call", params)
    assert [notice["params"]["progressToken"] for notice in modern.notices] == ["mine"] * 3
    assert text_of(answer["result"]) == "done"


def test_a_legacy_server_sees_nothing_of_the_modern_hop(gateway, modern):
    modern.call("echo", "to be seen")
    seen = [m for m in gateway.seen("old", "tools/call") if "to be seen" in str(m)][-1]
    assert not any(key.startswith("io.modelcontextprotocol/") for key in seen["params"].get("_meta", {}))


def test_a_legacy_client_sees_nothing_of_the_modern_hop(legacy):
    result = legacy.call("echo", "x \u00fc \\ \n")
    assert text_of(result) == "x \u00fc \\ \n" and "resultType" not in result
    assert SERVER_INFO not in result.get("_meta", {})


def test_a_legacy_clients_token_comes_back(legacy):
    answer = legacy.request("tools/call", {"name": "progress", "arguments": {}, "_meta": {"progressToken": "mine"}})
    assert [notice["params"]["progressToken"] for notice in legacy.notices] == ["mine"] * 3
    assert text_of(answer["result"]) == "done"


def test_a_legacy_clients_level_reaches_a_modern_server(gateway, legacy):
    legacy.request("logging/setLevel", {"level": "info"})
    legacy.call("log", "heard")
    assert [n["params"]["data"] for n in legacy.notices] == ["heard"]


def test_a_retry_wakes_the_call_of_a_legacy_server(gateway, ledger):
    client = ModernClient(gateway, ledger, "old", {"roots": {}})
    first = client.call("ask")
    assert first["resultType"] == "input_required"
    (key,) = first["inputRequests"]
    roots = {key: {"roots": [{"uri": "file:///here"}]}}
    params = {"name": "ask", "arguments": {}, "requestState": first["requestState"], "inputResponses": roots}
    result = client.request("tools/call", params)["result"]
    assert result["_meta"]["test/answer"]["result"]["roots"] == [{"uri": "file:///here"}]


def test_rounds_of_a_modern_server_are_retried_with_their_state(gateway, legacy):
    result = legacy.call("reconsider")
    assert text_of(result) == "back with only a state"
