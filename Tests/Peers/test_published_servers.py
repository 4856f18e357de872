"""Servers as they are published on PyPI, unchanged, started with uvx; and one written with fastmcp."""

import shutil
import subprocess

import pytest
from peers.clients import connected, text
from peers.gateway import sdk

pytestmark = [
    pytest.mark.wide,
    pytest.mark.timeout(180),
    pytest.mark.skipif(shutil.which("uvx") is None, reason="needs uvx (https://docs.astral.sh/uv)"),
]


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    folder = tmp_path_factory.mktemp("repository")

    def git(*arguments):
        subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    git("config", "user.name", "Ada")
    git("config", "user.email", "ada@example.com")
    (folder / "notes.txt").write_text("first\n")
    git("add", "notes.txt")
    git("commit", "-q", "-m", "Write the first note")
    (folder / "notes.txt").write_text("first\nsecond\n")
    return folder


@pytest.fixture(scope="module")
def published(make_gateway, repository):
    return make_gateway(
        {
            "time": {
                "command": "uvx",
                "args": ["mcp-server-time", "--local-timezone", "Europe/Berlin"],
                "timeout_seconds": 120,
            },
            "git": {
                "command": "uvx",
                "args": ["mcp-server-git", "--repository", str(repository)],
                "timeout_seconds": 120,
            },
            "fast": sdk("fast.py"),
        }
    )


async def test_mcp_server_time_is_listed_and_called(published, mode, ledger):
    async with connected(published, "time", mode, ledger, timeout=120) as client:
        tools = {tool.name for tool in (await client.list_tools()).tools}
        assert {"get_current_time", "convert_time"} <= tools
        result = await client.call_tool("get_current_time", {"timezone": "Europe/Berlin"})
        assert not result.is_error and "Europe/Berlin" in text(result)
        arguments = {"source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo"}
        assert "21:00" in text(await client.call_tool("convert_time", arguments))


async def test_mcp_server_git_is_listed_and_called(published, mode, ledger, repository):
    async with connected(published, "git", mode, ledger, timeout=120) as client:
        tools = {tool.name for tool in (await client.list_tools()).tools}
        assert {"git_status", "git_log", "git_diff_unstaged"} <= tools
        status = await client.call_tool("git_status", {"repo_path": str(repository)})
        assert not status.is_error and "notes.txt" in text(status)
        log = await client.call_tool("git_log", {"repo_path": str(repository), "max_count": 1})
        assert "Write the first note" in "".join(block.text for block in log.content)
        difference = await client.call_tool("git_diff_unstaged", {"repo_path": str(repository)})
        assert "+second" in text(difference)


async def test_a_server_written_with_fastmcp_is_listed_and_called(published, mode, ledger):
    async with connected(published, "fast", mode, ledger, timeout=60) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == {"multiply", "area"}
        assert text(await client.call_tool("multiply", {"a": 6, "b": 7})) == "42"
        result = await client.call_tool("area", {"width": 2, "height": 3})
        assert result.structured_content == {"width": 2, "height": 3, "area": 6}
        assert (await client.read_resource("fast://motto")).contents[0].text == "quick"
        assert "sonnet" in (await client.get_prompt("poem", {"form": "sonnet"})).messages[0].content.text
