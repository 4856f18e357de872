"""The client and the server of fastmcp, in all four cells."""

import httpx2
import pytest
from fastmcp import Client
from fastmcp.client.elicitation import ElicitResult
from fastmcp.client.transports import StreamableHttpTransport
from fastmcp.exceptions import ToolError

from peers.clients import Recording, connected, text
from peers.gateway import sdk

SERVERS = {"fast": sdk("fast.py"), "legacy": sdk("fast.py", era="legacy"), "modern": sdk("fast.py", era="modern")}


@pytest.fixture(params=["legacy", "modern", "fast"])
def server(request):
    """The server in one era, and as it decides itself."""
    return request.param


def client_of(gateway, server, mode, ledger, **more):
    """fastmcp's client, with every byte in the ledger."""

    def factory(headers=None, timeout=None, auth=None, **_):
        return httpx2.AsyncClient(transport=Recording(ledger), headers=headers, timeout=timeout, auth=auth)

    transport = StreamableHttpTransport(gateway.url(server), httpx_client_factory=factory)
    return Client(transport, mode=mode, timeout=20, **more)


async def test_a_server_written_with_fastmcp_is_listed_and_called(gateway, server, mode, ledger):
    async with connected(gateway, server, mode, ledger, timeout=60) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == {"multiply", "area", "steps", "greet"}
        assert text(await client.call_tool("multiply", {"a": 6, "b": 7})) == "42"
        result = await client.call_tool("area", {"width": 2, "height": 3})
        assert result.structured_content == {"width": 2, "height": 3, "area": 6}
        assert (await client.read_resource("fast://motto")).contents[0].text == "quick"
        assert "sonnet" in (await client.get_prompt("poem", {"form": "sonnet"})).messages[0].content.text


async def test_its_client_lists_and_calls(gateway, server, mode, ledger):
    async with client_of(gateway, server, mode, ledger) as client:
        tools = {tool.name: tool for tool in await client.list_tools()}
        assert set(tools) == {"multiply", "area", "steps", "greet"}
        assert tools["multiply"].input_schema["required"] == ["a", "b"]
        assert (await client.call_tool("multiply", {"a": 6, "b": 7})).data == 42
        area = await client.call_tool("area", {"width": 2, "height": 3})
        assert area.structured_content == {"width": 2, "height": 3, "area": 6}
        assert (await client.read_resource("fast://motto"))[0].text == "quick"
        assert "sonnet" in (await client.get_prompt("poem", {"form": "sonnet"})).messages[0].content.text
        with pytest.raises(ToolError):
            await client.call_tool("multiply", {"a": "six", "b": 7})


async def test_its_client_hears_progress(gateway, server, mode, ledger):
    seen = []

    async def progress(done, total, message):
        seen.append((done, total, message))

    async with client_of(gateway, server, mode, ledger) as client:
        result = await client.call_tool("steps", {"count": 3}, progress_handler=progress)
        assert result.data == "3 steps"
    assert seen == [(n, 3, f"step {n}") for n in (1, 2, 3)]


@pytest.mark.parametrize("action", ["accept", "decline"])
async def test_its_client_is_asked_and_answers(gateway, server, mode, ledger, action):
    asked = []

    async def elicit(message, response_type, params, context):
        asked.append(message)
        return ElicitResult(action=action, content={"value": "Ada"} if action == "accept" else None)

    async with client_of(gateway, server, mode, ledger, elicitation_handler=elicit) as client:
        result = await client.call_tool("greet", {})
    assert text(result) == ("Hello, Ada!" if action == "accept" else "Hello, nobody!")
    assert asked == ["Who is there?"]
