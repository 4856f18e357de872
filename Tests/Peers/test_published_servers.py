"""Servers as they are published on PyPI, unchanged, started with uvx."""

import shutil
import subprocess

import pytest

from peers.clients import connected, text

pytestmark = [pytest.mark.wide, pytest.mark.timeout(180)]
needs_uvx = pytest.mark.skipif(shutil.which("uvx") is None, reason="needs uvx (https://docs.astral.sh/uv)")


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
            "old-time": {
                "command": "uvx",
                "args": ["--with", "mcp<2", "mcp-server-time@2025.9.25", "--local-timezone", "Europe/Berlin"],
                "timeout_seconds": 120,
            },
            "git": {
                "command": "uvx",
                "args": ["mcp-server-git", "--repository", str(repository)],
                "timeout_seconds": 120,
            },
        }
    )


@needs_uvx
@pytest.mark.parametrize("server", ["time", "old-time"])
async def test_mcp_server_time_is_listed_and_called(published, server, mode, ledger):
    """`old-time` speaks the legacy era alone, which is found by asking it."""
    async with connected(published, server, mode, ledger, timeout=120) as client:
        tools = {tool.name for tool in (await client.list_tools()).tools}
        assert {"get_current_time", "convert_time"} <= tools
        result = await client.call_tool("get_current_time", {"timezone": "Europe/Berlin"})
        assert not result.is_error and "Europe/Berlin" in text(result)
        arguments = {"source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo"}
        assert "21:00" in text(await client.call_tool("convert_time", arguments))


@needs_uvx
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


@needs_uvx
async def test_a_server_of_the_legacy_era_alone_says_so_to_nobody(published, ledger):
    async with connected(published, "old-time", "auto", ledger, timeout=120) as client:
        assert client.protocol_version == "2026-07-28", "the gateway speaks both eras for it"
        assert client.server_info.name == "mcp-time"
        result = await client.call_tool("get_current_time", {"timezone": "Nowhere/Never"})
        assert result.is_error
