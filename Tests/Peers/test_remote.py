"""Servers that run elsewhere, written with the SDKs: both eras and HTTP+SSE behind the gateway, both eras before it."""

import anyio
import mcp_types as types
import pytest
from mcp.shared.exceptions import MCPError

from peers.clients import LEGACY, User, connected, text
from peers.remote import ALLOWED, script
from peers.waiting import until_async

KINDS = {
    "sdk": ("everything", "http", {}),
    "sdk-legacy": ("everything", "http", {"era": "legacy"}),
    "sdk-modern": ("everything", "http", {"era": "modern"}),
    "sdk-json": ("everything", "json", {"type": "http"}),
    "fast": ("fast", "http", {"type": "streamable-http"}),
    "fast-legacy": ("fast", "http", {"era": "legacy"}),
    "fast-sse": ("fast", "sse", {}),
    "fast-stated-sse": ("fast", "sse", {"type": "sse"}),
}
ASKS = ["fast", "fast-legacy", "fast-sse"]


@pytest.fixture(scope="module")
def upstreams():
    started = {}
    for what, kind, _ in KINDS.values():
        if (what, kind) not in started:
            started[what, kind] = script("over_http.py", what, kind)
    yield started
    for server in started.values():
        server.stop()


@pytest.fixture(scope="module")
def gateway(make_gateway, upstreams):
    entries = {name: upstreams[what, kind].entry(**more) for name, (what, kind, more) in KINDS.items()}
    return make_gateway(entries, ALLOWED)


@pytest.mark.parametrize("server", ["sdk", "sdk-legacy", "sdk-modern", "sdk-json"])
async def test_a_server_written_with_the_sdk_is_listed_called_and_read(gateway, mode, server, ledger):
    async with connected(gateway, server, mode, ledger) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert tools["routed"].input_schema["properties"]["region"]["x-mcp-header"] == "Region"
        for words in ("plain", "", "käse 🧀", '"quoted\\" \n'):
            assert text(await client.call_tool("echo", {"text": words})) == words
        assert text(await client.call_tool("routed", {"region": "eü", "count": 3})) is not None
        assert (await client.list_resources()).resources and (await client.list_prompts()).prompts
        with pytest.raises(MCPError) as failure:
            await client.read_resource("test://nowhere")
        assert failure.value.code == (-32002 if mode == LEGACY else -32602)


@pytest.mark.parametrize("server", ["fast", "fast-legacy", "fast-sse", "fast-stated-sse"])
async def test_a_server_written_with_fastmcp_is_listed_called_and_read(gateway, mode, server, ledger):
    async with connected(gateway, server, mode, ledger) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == {"multiply", "area", "steps", "greet"}
        assert text(await client.call_tool("multiply", {"a": 6, "b": 7})) == "42"
        assert (await client.call_tool("area", {"width": 2, "height": 3})).structured_content["area"] == 6
        assert (await client.read_resource("fast://motto")).contents[0].text == "quick"
        assert "sonnet" in (await client.get_prompt("poem", {"form": "sonnet"})).messages[0].content.text


@pytest.mark.parametrize("server", ASKS)
async def test_progress_comes_through(gateway, mode, server, ledger):
    seen = []

    async def progress(done, total, message):
        seen.append((done, total, message))

    async with connected(gateway, server, mode, ledger) as client:
        assert text(await client.call_tool("steps", {"count": 3}, progress_callback=progress)) == "3 steps"
    assert seen == [(n, 3, f"step {n}") for n in (1, 2, 3)]


@pytest.mark.parametrize("server", ASKS)
async def test_the_server_asks_and_is_answered(gateway, mode, server, ledger):
    asked = []

    async def elicit(context, params):
        asked.append(params)
        return types.ElicitResult(action="accept", content={"value": "Ada"})

    async with connected(gateway, server, mode, ledger, elicitation_callback=elicit) as client:
        assert text(await client.call_tool("greet", {})) == "Hello, Ada!"
    assert len(asked) == 1


@pytest.mark.parametrize("server", ["fast", "fast-legacy", "fast-sse", "sdk-modern"])
async def test_many_calls_go_at_once(gateway, mode, server, ledger):
    is_sdk = server.startswith("sdk")
    answers = {}
    async with connected(gateway, server, mode, ledger) as client:

        async def one(number):
            name, arguments = ("echo", {"text": str(number)}) if is_sdk else ("multiply", {"a": number, "b": 1})
            answers[number] = text(await client.call_tool(name, arguments))

        async with anyio.create_task_group() as group:
            for number in range(40):
                group.start_soon(one, number)
    assert answers == {number: str(number) for number in range(40)}


@pytest.mark.parametrize("server", ["sdk-legacy", "sdk-modern"])
async def test_changes_of_the_servers_lists_are_told(gateway, mode, server, ledger):
    user = User()
    async with connected(gateway, server, LEGACY, ledger, user) as client:
        await client.list_tools()
        name = f"late_{mode.replace('-', '_')}_{server.replace('-', '_')}"
        await client.call_tool("add_tool", {"name": name})
        await until_async(lambda: user.heard(types.ToolListChangedNotification), "the news of a tool")
        assert name in {tool.name for tool in (await client.list_tools()).tools}


@pytest.mark.parametrize("server", ["fast-legacy", "fast-sse", "fast"])
async def test_a_server_that_was_started_again_is_greeted_again(gateway, upstreams, mode, server, ledger):
    upstream = upstreams[KINDS[server][:2]]
    async with connected(gateway, server, mode, ledger) as client:
        assert text(await client.call_tool("multiply", {"a": 2, "b": 2})) == "4"
        upstream.restart()
        # The event stream has told of the end; a POST finds out when it is answered with 404.
        await until_async(lambda: upstream.process.poll() is None, "the server")
        answer = await tried(lambda: client.call_tool("multiply", {"a": 6, "b": 7}))
        assert text(answer) == "42"


async def tried(call, times=20):
    """A call that may meet the moment in which the server is away."""
    for _ in range(times - 1):
        try:
            return await call()
        except MCPError:
            await anyio.sleep(0.2)
    return await call()
