"""Routing fields of the stateless revision: they must say what the body says (SEP-2243)."""

import base64

import pytest
from peers.raw import MODERN, ModernClient, error_of, text_of


def sentinel(text):
    return f"=?base64?{base64.b64encode(text.encode()).decode()}?="


@pytest.fixture
def client(gateway, ledger):
    return ModernClient(gateway, ledger)


def calls(gateway):
    return len(gateway.seen("plain", "tools/call"))


def refused(gateway, client, message, changes):
    before = calls(gateway)
    reply = client.post(message, changes)
    assert (reply.status, error_of(reply)) == (400, -32020), reply.json()
    assert reply.json().get("id") == message["id"]
    assert calls(gateway) == before, "the child saw it"


CALL = {"name": "echo", "arguments": {"text": "x"}}

WRONG = {
    "no version": {"MCP-Protocol-Version": None},
    "another version": {"MCP-Protocol-Version": "2025-11-25"},
    "an unknown version": {"MCP-Protocol-Version": "2099-01-01"},
    "no method": {"Mcp-Method": None},
    "another method": {"Mcp-Method": "tools/list"},
    "the method in capitals": {"Mcp-Method": "Tools/Call"},
    "an empty method": {"Mcp-Method": ""},
    "no name": {"Mcp-Name": None},
    "another name": {"Mcp-Name": "crash"},
    "the name in capitals": {"Mcp-Name": "Echo"},
    "another name in base64": {"Mcp-Name": sentinel("crash")},
    "base64 without padding": {"Mcp-Name": "=?base64?ZWNobw?="},
    "base64 with too much padding": {"Mcp-Name": "=?base64?ZWNobw===?="},
    "base64 of another alphabet": {"Mcp-Name": "=?base64?ZWNo-w==?="},
    "base64 with spaces": {"Mcp-Name": "=?base64?ZWNo bw==?="},
    "base64 with loose bits": {"Mcp-Name": "=?base64?ZWNobx==?="},
    "base64 without its end": {"Mcp-Name": "=?base64?ZWNobw=="},
    "base64 without its beginning": {"Mcp-Name": "ZWNobw==?="},
    "base64 in capitals": {"Mcp-Name": "=?BASE64?ZWNobw==?="},
    "base64 of no UTF-8": {"Mcp-Name": "=?base64?/////w==?="},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG.keys())
def test_a_field_that_is_missing_or_says_something_else_is_refused(gateway, client, changes):
    refused(gateway, client, client.message("tools/call", CALL), changes)


@pytest.mark.parametrize("name", ["MCP-Protocol-Version", "Mcp-Method", "Mcp-Name"])
def test_a_field_that_stands_there_twice_is_refused(gateway, client, name):
    from peers.raw import encoded
    from peers.wire import once

    message = client.message("tools/call", CALL)
    value = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": "echo"}[name]
    for second in (value, "other"):
        before = calls(gateway)
        fields = [*client.fields(message), (name, second)]
        reply = once(gateway.port, "POST", client.path, fields, encoded(message), client.ledger)
        assert reply.status == 400
        assert calls(gateway) == before


@pytest.mark.parametrize(
    "changes",
    [
        {"Mcp-Name": sentinel("echo")},
        {"mcp-name": "echo", "MCP-METHOD": "tools/call", "mCp-PrOtOcOl-VeRsIoN": MODERN},
        {"Mcp-Name": "  echo\t ", "Mcp-Method": " tools/call "},
        {"Mcp-Param-Unknown": "anything", "Mcp-Param-Other": "=?base64?broken?="},
    ],
    ids=["base64", "any case", "space around", "unknown parameters"],
)
def test_other_spellings_of_the_same_are_taken(client, changes):
    reply = client.post(client.message("tools/call", CALL), changes)
    assert reply.status == 200 and text_of(reply.json()["result"]) == "x"


@pytest.mark.parametrize("method, params", [("prompts/get", {"name": "x"}), ("resources/read", {"uri": "test://x"})])
def test_names_are_demanded_of_prompts_and_resources_too(client, method, params):
    for changes in ({"Mcp-Name": None}, {"Mcp-Name": "y"}):
        reply = client.send(method, params, changes)
        assert (reply.status, error_of(reply)) == (400, -32020)
    assert client.send(method, params).status != 400 or method == "prompts/get"


def test_a_list_needs_no_name(client):
    assert client.send("tools/list").status == 200


PARAMS = {"region": "eu west", "count": 42, "flag": True, "free": "x"}
FIELDS = {"Mcp-Param-Region": "eu west", "Mcp-Param-Count": "42", "Mcp-Param-Flag": "true"}


def routed(client, arguments):
    client.request("tools/list")
    return client.message("tools/call", {"name": "routed", "arguments": arguments})


def test_parameters_that_are_mirrored_as_they_are_pass(client):
    reply = client.post(routed(client, PARAMS), FIELDS)
    assert reply.status == 200, reply.json()


@pytest.mark.parametrize(
    "arguments, fields",
    [
        ({"region": "käse"}, {"Mcp-Param-Region": sentinel("käse")}),
        ({"region": " edge "}, {"Mcp-Param-Region": sentinel(" edge ")}),
        ({"region": "=?base64?x?="}, {"Mcp-Param-Region": sentinel("=?base64?x?=")}),
        ({"region": "plain"}, {"Mcp-Param-Region": sentinel("plain")}),
        ({"count": 42.0}, {"Mcp-Param-Count": "42"}),
        ({"count": -7}, {"Mcp-Param-Count": "-7"}),
        ({"flag": False}, {"Mcp-Param-Flag": "false"}),
        ({"region": None}, {}),
        ({}, {}),
        ({"free": "not mirrored"}, {}),
    ],
)
def test_other_values_pass_when_they_are_mirrored_rightly(client, arguments, fields):
    reply = client.post(routed(client, arguments), fields)
    assert reply.status == 200, reply.json()


@pytest.mark.parametrize(
    "arguments, fields",
    [
        (PARAMS, {}),
        (PARAMS, {**FIELDS, "Mcp-Param-Region": "eu"}),
        (PARAMS, {**FIELDS, "Mcp-Param-Region": "EU WEST"}),
        (PARAMS, {**FIELDS, "Mcp-Param-Region": None}),
        (PARAMS, {**FIELDS, "Mcp-Param-Count": "43"}),
        (PARAMS, {**FIELDS, "Mcp-Param-Count": "forty-two"}),
        (PARAMS, {**FIELDS, "Mcp-Param-Flag": "false"}),
        ({}, {"Mcp-Param-Region": "eu"}),
        ({"region": None}, {"Mcp-Param-Region": "null"}),
        ({"region": "käse"}, {"Mcp-Param-Region": "=?base64?a8Okc2U?="}),
        ({"region": "käse"}, {"Mcp-Param-Region": "=?base64?a8Okc2U-?="}),
        ({"region": "a"}, {"Mcp-Param-Region": "=?base64?YQ=="}),
        ({"region": "a"}, {"Mcp-Param-Region": "YQ==?="}),
    ],
)
def test_parameters_that_are_mirrored_wrongly_are_refused(gateway, client, arguments, fields):
    refused(gateway, client, routed(client, arguments), fields)


def test_parameters_are_checked_even_when_the_client_never_listed_the_tools(make_gateway, ledger):
    from peers.gateway import plain

    fresh = make_gateway({"plain": plain()})
    client = ModernClient(fresh, ledger)
    message = client.message("tools/call", {"name": "routed", "arguments": PARAMS})
    reply = client.post(message, {**FIELDS, "Mcp-Param-Region": "elsewhere"})
    assert (reply.status, error_of(reply)) == (400, -32020)
    assert not fresh.seen("plain", "tools/call")
