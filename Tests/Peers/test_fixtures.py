"""The fixture servers without a gateway: the client of the SDK speaks to them over stdio, in both eras."""

import sys

import pytest
from mcp import Client, StdioServerParameters
from peers.clients import User, text, value
from peers.gateway import SERVERS


def started(script, *arguments):
    return StdioServerParameters(command=sys.executable, args=["-W", "ignore", str(SERVERS / script), *arguments])


async def test_the_everything_server_asks_and_answers(mode):
    user = User()
    callbacks = {
        "elicitation_callback": user.elicit,
        "sampling_callback": user.sample,
        "list_roots_callback": user.list_roots,
    }
    async with Client(started("everything.py"), mode=mode, **callbacks) as client:
        assert len((await client.list_tools()).tools) > 20
        assert value(await client.call_tool("ask_form", {}))["content"] == {"name": "Ada"}
        assert value(await client.call_tool("roots", {})) == user.roots
        assert (await client.call_tool("show", {})).content[3].type == "resource"


async def test_the_plain_server_speaks_both_eras(mode):
    async with Client(started("plain.py"), mode=mode) as client:
        assert text(await client.call_tool("echo", {"text": "ü"})) == "ü"
        for tool in ("noise", "torn", "spaced"):
            assert (await client.call_tool(tool, {})).content
        assert (await client.call_tool("whoami", {})).meta["test/whoami"]["pid"]


@pytest.mark.parametrize("era", ["legacy", "modern"])
async def test_the_plain_server_keeps_to_the_era_it_is_told(era):
    mode = "2026-07-28" if era == "legacy" else "legacy"
    with pytest.raises(Exception):  # noqa: B017
        async with Client(started("plain.py", "--era", era), mode=mode) as client:
            await client.list_tools()


async def test_the_fastmcp_server_runs(mode):
    async with Client(started("fast.py"), mode=mode) as client:
        assert text(await client.call_tool("multiply", {"a": 6, "b": 7})) == "42"
