"""What others wrote, on both sides: each client by each way in, at each server by each way out.

The clients and the servers are those of `mcp` and `fastmcp` from PyPI. Every cell is one connection on which everything
is done that both sides can do. Clients speak in either era, as far as their transport has it: HTTP+SSE is of 2024-11-05.
"""

import contextlib
import json
import os
import sys

import fastmcp
import mcp
import pytest
from fastmcp.client.elicitation import ElicitResult as FastElicitResult
from fastmcp.client.transports import SSETransport, StdioTransport, StreamableHttpTransport
from mcp.client.sse import sse_client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitResult

from peers.gateway import BINARY, SERVERS
from peers.remote import Remote

pytestmark = pytest.mark.timeout(90)
GREETER = str(SERVERS / "greeter.py")
SDKS = ["mcp", "fastmcp"]
WAYS = ["stdio", "http", "sse"]
PATHS = {"http": "/mcp", "sse": "/sse"}
MODERN = "2026-07-28"


def cells():
    for client in SDKS:
        for mode in ("legacy", MODERN):
            for way_in in WAYS:
                if mode == MODERN and way_in == "sse":
                    continue
                for server in SDKS:
                    for way_out in WAYS:
                        era = "modern" if mode == MODERN else "legacy"
                        name = f"{client}-{era}-by-{way_in}-at-{server}-by-{way_out}"
                        yield pytest.param(client, mode, way_in, server, way_out, id=name)


# Servers


@pytest.fixture(scope="module")
def entries():
    """Each server as a configuration has it, by each way out."""
    remotes = []
    entries = {}
    for sdk in SDKS:
        words = [sys.executable, "-W", "ignore", GREETER, "--sdk", sdk]
        entries[f"{sdk}-stdio"] = {"command": words[0], "args": words[1:]}
        for way in ("http", "sse"):
            remote = Remote(*words, "--over", way, path=PATHS[way])
            remotes.append(remote)
            entries[f"{sdk}-{way}"] = {"url": remote.url, "type": way}
    yield entries
    for remote in remotes:
        remote.stop()


SETTINGS = {"egress": {"allow": ["127.0.0.1"]}}


@pytest.fixture(scope="module")
def gateway(make_gateway, entries):
    """A gateway with all of them; those that come by stdio start one of their own."""
    return make_gateway(entries, SETTINGS)


def alone(folder, name, entry):
    """The command that offers one server over stdio."""
    config = folder / f"{name}.json"
    config.write_text(json.dumps({"mcpServers": {name: entry}, "gateway": SETTINGS}))
    return [str(BINARY), "serve", "--mode", "stdio", "--config", str(config)]


# Clients


class User:
    """Answers what is asked, and remembers it."""

    def __init__(self, answers):
        self.answers, self.asked = answers, []

    async def for_mcp(self, context, params):
        self.asked.append(params.message)
        action = self.answers.pop(0)
        return ElicitResult(action=action, content={"value": "Ada"} if action == "accept" else None)

    async def for_fastmcp(self, message, response_type, params, context):
        self.asked.append(message)
        action = self.answers.pop(0)
        return FastElicitResult(action=action, content={"value": "Ada"} if action == "accept" else None)


class OfMCP:
    """The client of `mcp`, reduced to what the cells compare."""

    @staticmethod
    def transport(way, place):
        if way == "stdio":
            return stdio_client(StdioServerParameters(command=place[0], args=place[1:], env=dict(os.environ)))
        return sse_client(place) if way == "sse" else streamable_http_client(place)

    @staticmethod
    def client(transport, mode, user):
        return mcp.Client(
            transport, mode=mode, elicitation_callback=user.for_mcp, read_timeout_seconds=30, cache=None
        )

    def __init__(self, client):
        self.client = client

    async def tools(self):
        return {tool.name: tool.input_schema for tool in (await self.client.list_tools()).tools}

    async def call(self, tool, arguments=None, progress=None):
        result = await self.client.call_tool(tool, arguments or {}, progress_callback=progress)
        return result.is_error, result.content[0].text

    async def read(self, uri):
        return (await self.client.read_resource(uri)).contents[0].text


class OfFastMCP(OfMCP):
    """The client of `fastmcp`."""

    @staticmethod
    def transport(way, place):
        if way == "stdio":
            return StdioTransport(place[0], place[1:], env=dict(os.environ), keep_alive=False)
        return SSETransport(place) if way == "sse" else StreamableHttpTransport(place)

    @staticmethod
    def client(transport, mode, user):
        return fastmcp.Client(transport, mode=mode, elicitation_handler=user.for_fastmcp, timeout=30)

    async def tools(self):
        return {tool.name: tool.input_schema for tool in await self.client.list_tools()}

    async def call(self, tool, arguments=None, progress=None):
        result = await self.client.call_tool(tool, arguments or {}, progress_handler=progress, raise_on_error=False)
        return result.is_error, result.content[0].text

    async def read(self, uri):
        return (await self.client.read_resource(uri))[0].text


KINDS = {"mcp": OfMCP, "fastmcp": OfFastMCP}


@contextlib.asynccontextmanager
async def connected(client, mode, way, place, user):
    kind = KINDS[client]
    async with kind.client(kind.transport(way, place), mode, user) as opened:
        yield kind(opened)


async def everything(client, user):
    """All that both sides can do, on one connection."""
    tools = await client.tools()
    assert set(tools) == {"multiply", "steps", "greet", "fail"}
    assert tools["multiply"]["required"] == ["a", "b"]
    assert await client.call("multiply", {"a": 6, "b": 7}) == (False, "42")

    is_error, words = await client.call("fail")
    assert is_error and "the widget is broken" in words
    is_error, words = await client.call("multiply", {"a": "six", "b": 7})
    assert is_error and words

    seen = []

    async def progress(done, total, message):
        seen.append((done, total, message))

    assert await client.call("steps", {"count": 3}, progress) == (False, "3 steps")
    assert seen == [(n, 3, f"step {n}") for n in (1, 2, 3)]

    assert await client.call("greet") == (False, "Hello, Ada!")
    assert await client.call("greet") == (False, "Hello, nobody!")
    assert user.asked == ["Who is there?"] * 2

    assert await client.read("greeter://motto") == "quick"
    assert await client.call("multiply", {"a": -1, "b": 1}) == (False, "-1")


@pytest.mark.parametrize("client, mode, way_in, server, way_out", cells())
async def test_cell(request, tmp_path, entries, client, mode, way_in, server, way_out):
    name = f"{server}-{way_out}"
    if way_in == "stdio":
        place = alone(tmp_path, name, entries[name])
    else:
        place = request.getfixturevalue("gateway").url(name) + ("/sse" if way_in == "sse" else "")
    user = User(["accept", "decline"])
    async with connected(client, mode, way_in, place, user) as opened:
        await everything(opened, user)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("server", SDKS)
@pytest.mark.parametrize("client", SDKS)
async def test_without_a_gateway(entries, client, server, way):
    """The same with nothing between them: what fails here is not ours."""
    entry = entries[f"{server}-{way}"]
    place = [entry["command"], *entry["args"]] if way == "stdio" else entry["url"]
    user = User(["accept", "decline"])
    async with connected(client, "legacy", way, place, user) as opened:
        await everything(opened, user)
