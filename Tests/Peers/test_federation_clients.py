"""Servers that others wrote, federated, before clients that others wrote."""

import httpx2
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

from peers.clients import Recording, User, connected, text, value
from peers.gateway import sdk
from test_published_servers import needs_uvx, repository  # noqa: F401

pytestmark = [pytest.mark.wide, pytest.mark.timeout(240)]
TOOLS = {"git_status", "git_log", "get_current_time", "convert_time", "multiply", "area", "steps", "greet"}


@pytest.fixture(scope="module")
def federated(make_gateway, repository):  # noqa: F811
    slow = {"timeout_seconds": 120}
    return make_gateway(
        {
            "git": {"command": "uvx", "args": ["mcp-server-git", "--repository", str(repository)], **slow},
            "time": {"command": "uvx", "args": ["mcp-server-time", "--local-timezone", "Europe/Berlin"], **slow},
            "old-time": {
                "command": "uvx",
                "args": ["--with", "mcp<2", "mcp-server-time@2025.9.25", "--local-timezone", "Europe/Berlin"],
                **slow,
            },
            "fast": sdk("fast.py"),
        },
        {"federation": {"servers": ["git", "time", "fast"]}, "timeouts": {"federation": 120}},
    )


@pytest.fixture(scope="module")
def twice(make_gateway):
    """The same server in both eras, so that every name is there twice."""
    servers = {"old": sdk("everything.py", era="legacy"), "new": sdk("everything.py", era="modern")}
    return make_gateway(servers, {"timeouts": {"federation": 120}})


@needs_uvx
async def test_the_sdks_client_uses_three_servers_as_one(federated, mode, ledger, repository):  # noqa: F811
    async with connected(federated, "", mode, ledger, timeout=120) as client:
        assert mode != "legacy" or client.server_info.name == "gatehouse"
        assert TOOLS <= {tool.name for tool in (await client.list_tools()).tools}
        status = await client.call_tool("git_status", {"repo_path": str(repository)})
        assert not status.is_error and "notes.txt" in text(status)
        assert "Europe/Berlin" in text(await client.call_tool("get_current_time", {"timezone": "Europe/Berlin"}))
        assert text(await client.call_tool("multiply", {"a": 6, "b": 7})) == "42"
        area = await client.call_tool("area", {"width": 2, "height": 3})
        assert area.structured_content == {"width": 2, "height": 3, "area": 6}
        assert (await client.read_resource("fast://motto")).contents[0].text == "quick"
        assert "sonnet" in (await client.get_prompt("poem", {"form": "sonnet"})).messages[0].content.text


@needs_uvx
async def test_fastmcps_client_uses_three_servers_as_one(federated, mode, ledger, repository):  # noqa: F811
    def factory(headers=None, timeout=None, auth=None, **_):
        return httpx2.AsyncClient(transport=Recording(ledger), headers=headers, timeout=timeout, auth=auth)

    transport = StreamableHttpTransport(federated.url(""), httpx_client_factory=factory)
    async with Client(transport, mode=mode, timeout=120) as client:
        assert TOOLS <= {tool.name for tool in await client.list_tools()}
        assert (await client.call_tool("multiply", {"a": 6, "b": 7})).data == 42
        log = await client.call_tool("git_log", {"repo_path": str(repository), "max_count": 1})
        assert "Write the first note" in str(log.content)
        arguments = {"source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo"}
        assert "21:00" in str((await client.call_tool("convert_time", arguments)).content)
        assert (await client.read_resource("fast://motto"))[0].text == "quick"


@pytest.mark.parametrize("at", ["old", "new"])
async def test_questions_of_servers_of_both_eras_reach_the_client(twice, at, mode, ledger):
    user = User()
    async with connected(twice, "", mode, ledger, user, timeout=60) as client:
        assert value(await client.call_tool(f"{at}_ask_form", {"question": "Who?"}))["content"]["name"] == "Ada"
        assert value(await client.call_tool(f"{at}_roots", {})) == user.roots
        assert "an answer to Why?" in text(await client.call_tool(f"{at}_sample", {"prompt": "Why?"}))
        names = [tool.name for tool in (await client.list_tools()).tools]
        assert len(set(names)) == len(names)
        assert all(name.startswith(("old_", "new_")) and len(name) <= 64 for name in names)
