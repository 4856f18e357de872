"""All four cells: tools, the kinds of content, structured output, errors."""

import base64

import mcp_types as types
import pytest
from mcp.shared.exceptions import MCPError

from peers.clients import connected, text, value
from peers.gateway import IS_STANDIN


async def test_tools_are_listed_as_the_server_wrote_them(gateway, mode, server, ledger):
    async with connected(gateway, server, mode, ledger) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert tools["echo"].description == "Gives the text back"
    assert tools["echo"].annotations.read_only_hint is True
    assert tools["echo"].input_schema["required"] == ["text"]
    assert tools["add"].output_schema["properties"]["sum"] == {"type": "integer"}
    assert tools["routed"].input_schema["properties"]["region"]["x-mcp-header"] == "Region"


async def test_the_handshake_tells_the_servers_name_version_and_instructions(gateway, server, ledger):
    async with connected(gateway, server, "legacy", ledger) as client:
        assert client.protocol_version == "2025-11-25"
        assert (client.server_info.name, client.server_info.version) == ("everything", "1.0.0")
        assert client.instructions == "Use it to test."
        capabilities = client.server_capabilities
        assert capabilities.tools.list_changed and capabilities.resources.subscribe
        assert capabilities.completions is not None and capabilities.logging is not None


async def test_an_undecided_client_finds_the_modern_era(gateway, server, ledger):
    async with connected(gateway, server, "auto", ledger) as client:
        assert client.protocol_version == "2026-07-28"
        assert client.server_info.name == "everything"
        assert client.instructions == "Use it to test."
        assert text(await client.call_tool("echo", {"text": "found"})) == "found"


async def test_text_comes_back_as_it_was_sent(gateway, mode, server, ledger):
    async with connected(gateway, server, mode, ledger) as client:
        for words in ("plain", "", "käse 🧀 \u2028 \x7f", '"quoted\\" \n\t\r\u0000', "\ud7ff\ue000\U0010ffff"):
            assert text(await client.call_tool("echo", {"text": words})) == words


async def test_every_kind_of_content_arrives_whole(gateway, mode, server, ledger):
    async with connected(gateway, server, mode, ledger) as client:
        words, image, audio, embedded, link = (await client.call_tool("show", {})).content
    assert isinstance(words, types.TextContent) and words.text == "words"
    assert words.annotations.audience == ["user"] and words.annotations.priority == 0.5
    assert isinstance(image, types.ImageContent) and image.mime_type == "image/png"
    assert base64.b64decode(image.data).startswith(b"\x89PNG")
    assert isinstance(audio, types.AudioContent) and audio.mime_type == "audio/wav"
    assert base64.b64decode(audio.data).startswith(b"RIFF")
    assert isinstance(embedded, types.EmbeddedResource) and embedded.resource.text == "embedded"
    assert isinstance(link, types.ResourceLink) and link.uri == "test://item/3"


async def test_structured_output_arrives_beside_its_text(gateway, mode, server, ledger):
    async with connected(gateway, server, mode, ledger) as client:
        await client.list_tools()
        result = await client.call_tool("add", {"a": 2, "b": 40})
    assert result.structured_content == {"sum": 42}
    assert value(result) == {"sum": 42}


async def test_a_failing_tool_gives_a_result_that_says_so(gateway, mode, server, ledger):
    async with connected(gateway, server, mode, ledger) as client:
        result = await client.call_tool("fail", {})
        assert result.is_error and text(result) == "this went wrong on purpose"
        wrong = await client.call_tool("echo", {"text": 7})
        assert wrong.is_error and text(wrong) == "text must be a string"


async def test_an_unknown_tool_is_a_protocol_error(gateway, mode, server, ledger):
    async with connected(gateway, server, mode, ledger) as client:
        with pytest.raises(MCPError) as caught:
            await client.call_tool("no_such_tool", {})
    assert caught.value.code == -32602
    assert "no_such_tool" in caught.value.message


async def test_a_servers_error_keeps_its_code_message_and_data(gateway, mode, server, ledger):
    async with connected(gateway, server, mode, ledger) as client:
        for code in (-32603, -32000, 4711):
            with pytest.raises(MCPError) as caught:
                await client.call_tool("refuse", {"code": code})
            assert (caught.value.code, caught.value.message) == (code, "refused on purpose")
            assert caught.value.data == {"why": "a test"}


async def test_large_answers_and_large_arguments_pass(gateway, mode, server, ledger):
    async with connected(gateway, server, mode, ledger) as client:
        for size in (1 << 16, 1 << 20):
            assert len(text(await client.call_tool("pad", {"size": size}))) == size
            assert text(await client.call_tool("measure", {"text": "z" * size})) == str(size)
        assert len(text(await client.call_tool("pad", {"size": 8 << 20}))) == 8 << 20


async def test_unknown_meta_reaches_the_server_untouched(gateway, mode, server, ledger):
    async with connected(gateway, server, mode, ledger) as client:
        sent = {"example.com/trace": {"deep": [1, 2.5, None]}, "traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"}
        seen = value(await client.call_tool("meta", {}, meta=sent))
    assert seen["example.com/trace"] == {"deep": [1, 2.5, None]}
    assert seen["traceparent"] == sent["traceparent"]


async def test_arguments_that_are_mirrored_in_header_fields_pass(gateway, server, ledger):
    async with connected(gateway, server, "2026-07-28", ledger) as client:
        await client.list_tools()
        sent = {"region": "käse land", "count": 42, "free": "x"}
        assert value(await client.call_tool("routed", sent)) == sent
    fields = [exchange.headers for exchange in ledger.exchanges if exchange.headers.get("mcp-name") == "routed"]
    assert fields[0]["mcp-param-region"].startswith("=?base64?")
    assert fields[0]["mcp-param-count"] == "42"


async def test_a_child_sees_its_own_variables_and_none_of_the_gateways_secrets(make_gateway, server, mode, ledger):
    if IS_STANDIN:
        pytest.skip("is about the gateway's children")
    from peers.gateway import sdk

    secrets = {"CANARY_TOKEN": "canary-1", "AWS_SECRET_ACCESS_KEY": "canary-2", "IDENTITY_HEADER": "canary-3"}
    child = sdk(env={"OWN": "value with spaces", "EMPTY": ""}, era=server.removeprefix("everything-"))
    gateway = make_gateway({server: child}, environment=secrets)
    async with connected(gateway, server, mode, ledger) as client:
        seen = value(await client.call_tool("environment", {}))
    assert seen["OWN"] == "value with spaces" and seen["EMPTY"] == ""
    assert "PATH" in seen
    assert not any("canary" in held for held in seen.values())
    assert not set(secrets) & set(seen)
