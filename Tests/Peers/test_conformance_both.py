"""The official suite's server scenarios that both revisions have, on either wire. A test is named after its scenario.

Each runs hosted and bridged to a child of either era. Every message must be valid as well (`wire-schema-valid`):
the ledger judges that.
"""

import base64
import json
import re
import threading

import pytest

from peers.conformance import tool
from peers.raw import rpc, text_of


@pytest.fixture
def client(suite, wire):
    return suite.client(wire)


def result(client, method, params=None):
    answer = client.request(method, params)
    assert "result" in answer, answer
    return answer["result"]


def called(client, name, **arguments):
    return result(client, "tools/call", tool(name, **arguments))


def test_completion_complete(client):
    params = {
        "ref": {"type": "ref/prompt", "name": "test_prompt_with_arguments"},
        "argument": {"name": "arg1", "value": "par"},
    }
    values = result(client, "completion/complete", params)["completion"]["values"]
    assert isinstance(values, list) and values and all(value.startswith("par") for value in values)


def test_tools_list(client):
    tools = result(client, "tools/list")["tools"]
    assert isinstance(tools, list) and tools
    for one in tools:
        assert re.fullmatch(r"[A-Za-z0-9_./-]{1,64}", one["name"]) and one["description"]
        assert one["inputSchema"]["type"] == "object"
    assert len({one["name"] for one in tools}) == len(tools)


def test_tools_call_simple_text(client):
    content = called(client, "test_simple_text")["content"]
    assert content == [{"type": "text", "text": "This is a simple text response for testing."}]


@pytest.mark.parametrize("kind, mime, start", [("image", "image/png", b"\x89PNG"), ("audio", "audio/wav", b"RIFF")])
def test_tools_call_image_and_audio(client, kind, mime, start):
    (block,) = called(client, f"test_{kind}_content")["content"]
    assert block["type"] == kind and block["mimeType"] == mime
    assert base64.b64decode(block["data"], validate=True).startswith(start)


def test_tools_call_embedded_resource(client):
    (block,) = called(client, "test_embedded_resource")["content"]
    assert block["type"] == "resource"
    assert block["resource"] == {
        "uri": "test://embedded-resource",
        "mimeType": "text/plain",
        "text": "This is an embedded resource content.",
    }


def test_tools_call_mixed_content(client):
    text, image, resource = called(client, "test_multiple_content_types")["content"]
    assert text["text"] == "Multiple content types test:" and image["mimeType"] == "image/png" and image["data"]
    held = resource["resource"]
    assert (held["uri"], held["mimeType"]) == ("test://mixed-content-resource", "application/json")
    assert json.loads(held["text"]) == {"test": "data", "value": 123}


def test_tools_call_error(client):
    failed = called(client, "test_error_handling")
    assert failed["isError"] is True and text_of(failed) == "This tool intentionally returns an error for testing"


@pytest.mark.parametrize("token", ["progress-test-1", 17])
def test_tools_call_with_progress(client, token):
    params = {**tool("test_tool_with_progress"), "_meta": {"progressToken": token}}
    assert text_of(result(client, "tools/call", params))
    told = [notice["params"] for notice in client.notices if notice["method"] == "notifications/progress"]
    assert [(one["progress"], one["total"]) for one in told] == [(0, 100), (50, 100), (100, 100)]
    assert all(one["progressToken"] == token and type(one["progressToken"]) is type(token) for one in told)


def test_server_sse_multiple_streams(client):
    answers = {}

    def call(id):
        message = rpc("tools/call", tool("test_tool_with_progress"), id)
        if hasattr(client, "message"):
            message = client.message("tools/call", tool("test_tool_with_progress"), id=id)
        answers[id] = client.post(message).json()

    threads = [threading.Thread(target=call, args=(f"stream-{number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 3 and all(answers[id]["id"] == id and text_of(answers[id]["result"]) for id in answers)


def test_resources_list(client):
    resources = result(client, "resources/list")["resources"]
    assert resources and all(one["uri"] and one["name"] for one in resources)
    described = {one["uri"]: one.get("description") for one in resources}
    assert described["test://static-text"] and described["test://static-binary"]


def test_resources_read_text(client):
    (contents,) = result(client, "resources/read", {"uri": "test://static-text"})["contents"]
    assert contents == {
        "uri": "test://static-text",
        "mimeType": "text/plain",
        "text": "This is the content of the static text resource.",
    }


def test_resources_read_binary(client):
    (contents,) = result(client, "resources/read", {"uri": "test://static-binary"})["contents"]
    assert (contents["uri"], contents["mimeType"]) == ("test://static-binary", "image/png")
    assert base64.b64decode(contents["blob"], validate=True).startswith(b"\x89PNG")


def test_resources_templates_read(client):
    templates = result(client, "resources/templates/list")["resourceTemplates"]
    assert "test://template/{id}/data" in {one["uriTemplate"] for one in templates}
    (contents,) = result(client, "resources/read", {"uri": "test://template/123/data"})["contents"]
    assert (contents["uri"], contents["mimeType"]) == ("test://template/123/data", "application/json")
    assert json.loads(contents["text"]) == {"id": "123", "templateTest": True, "data": "Data for ID: 123"}


def test_prompts_list(client):
    prompts = result(client, "prompts/list")["prompts"]
    assert prompts and all(one["name"] and one["description"] for one in prompts)


def test_prompts_get_simple(client):
    (message,) = result(client, "prompts/get", {"name": "test_simple_prompt"})["messages"]
    assert message == {"role": "user", "content": {"type": "text", "text": "This is a simple prompt for testing."}}


def test_prompts_get_with_args(client):
    params = {"name": "test_prompt_with_arguments", "arguments": {"arg1": "hello", "arg2": "world"}}
    (message,) = result(client, "prompts/get", params)["messages"]
    assert message["content"]["text"] == "Prompt with arguments: arg1='hello', arg2='world'"


def test_prompts_get_embedded_resource(client):
    params = {"name": "test_prompt_with_embedded_resource", "arguments": {"resourceUri": "test://example-resource"}}
    first, second = result(client, "prompts/get", params)["messages"]
    assert first["content"]["type"] == "resource"
    assert first["content"]["resource"]["uri"] == "test://example-resource"
    assert first["content"]["resource"]["text"] == "Embedded resource content for testing."
    assert second["content"]["text"] == "Please process the embedded resource above."


def test_prompts_get_with_image(client):
    first, second = result(client, "prompts/get", {"name": "test_prompt_with_image"})["messages"]
    assert first["content"]["type"] == "image" and first["content"]["data"] and first["content"]["mimeType"]
    assert second["content"]["text"] == "Please analyze the image above."


def test_dns_rebinding_protection(client):
    evil = {"Host": "evil.example.com", "Origin": "http://evil.example.com"}
    local = {"Origin": f"http://127.0.0.1:{client.gateway.port}"}
    message = rpc("tools/list", {}, "rebinding")
    if hasattr(client, "message"):
        message = client.message("tools/list", id="rebinding")
    fields = dict(client.fields(message) if hasattr(client, "message") else client.fields())
    from peers.raw import encoded
    from peers.wire import once

    def post(changes):
        held = {**fields, **changes}
        host = held.pop("Host", None)
        return once(client.gateway.port, "POST", client.path, list(held.items()), encoded(message), host=host)

    for name in evil:
        assert 400 <= post({name: evil[name]}).status < 500, name
    assert 400 <= post(evil).status < 500
    assert 200 <= post(local).status < 300


def test_json_schema_2020_12(client):
    """Not scored by the suite."""
    (one,) = [one for one in result(client, "tools/list")["tools"] if one["name"] == "json_schema_2020_12_tool"]
    schema = one["inputSchema"]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$defs"]["address"]["$anchor"] == "addressDef"
    assert set(schema["properties"]) == {"name", "address", "contactMethod", "phone", "email"}
    assert schema["properties"]["address"]["$ref"] == "#/$defs/address"
    assert schema["properties"]["contactMethod"]["enum"] == ["phone", "email"]
    assert [sorted(one["required"][0] for one in every["anyOf"]) for every in schema["allOf"]] == [["email", "phone"]]
    assert {"if", "then", "else"} <= set(schema) and schema["additionalProperties"] is False
