"""Clients of 2024-11-05: HTTP with SSE, at servers of either era."""

import contextlib
import itertools
import time

import anyio
import httpx2
import pytest
from fastmcp import Client as FastClient
from fastmcp.client.transports import SSETransport
from mcp import Client
from mcp.client.sse import sse_client

from peers.channels import Channel
from peers.clients import User, text, value
from peers.gateway import plain, sdk
from peers.waiting import until, until_async

SERVERS = {
    "everything-legacy": sdk(era="legacy"),
    "everything-modern": sdk(era="modern"),
    "plain": plain(),
    "few": plain(limits={"sessions": 1}),
}
SETTINGS = {"limits": {"body": 100_000, "streamQueue": 200_000}, "timeouts": {"heartbeat": 1}}


@contextlib.asynccontextmanager
async def connected(gateway, server, user=None, **more):
    if user is not None:
        more = {
            "elicitation_callback": user.elicit,
            "sampling_callback": user.sample,
            "list_roots_callback": user.list_roots,
            "logging_callback": user.log,
            "message_handler": user.message,
            **more,
        }
    transport = sse_client(gateway.url(server) + "/sse", timeout=20)
    async with Client(transport, mode="legacy", read_timeout_seconds=30, cache=None, **more) as client:
        yield client


@pytest.fixture
def stream(gateway):
    made = []

    def make(server="plain", path="sse"):
        made.append(Channel(gateway, server, path))
        return made[-1]

    yield make
    for one in made:
        one.end()


async def test_the_sdk_lists_and_calls(gateway, server):
    async with connected(gateway, server) as client:
        assert "echo" in {tool.name for tool in (await client.list_tools()).tools}
        assert "ü" in text(await client.call_tool("echo", {"text": "ü"}))


async def test_the_sdk_is_asked_and_answers(gateway, server):
    user = User()
    async with connected(gateway, server, user) as client:
        assert value(await client.call_tool("ask_form", {"question": "Wer?"}))["action"] == "accept"
    assert user.asked[0].message == "Wer?"


async def test_the_client_of_fastmcp_lists_and_calls(gateway, server):
    async with FastClient(SSETransport(gateway.url(server) + "/sse"), timeout=20) as client:
        assert "echo" in {tool.name for tool in await client.list_tools()}
        assert "hello" in text(await client.call_tool("echo", {"text": "hello"}))


async def test_many_calls_at_once_each_get_their_own_answer(gateway, server):
    async with connected(gateway, server) as client:
        results = {}

        async def call(number):
            results[number] = text(await client.call_tool("echo", {"text": f"<{number}>"}))

        async with anyio.create_task_group() as group:
            for number in range(200):
                group.start_soon(call, number)
    assert all(f"<{number}>" in results[number] for number in range(200))


def test_thousands_of_messages_on_one_stream(stream):
    one = stream().open()
    one.greet()
    for number in range(1, 3001):
        assert one.post({"jsonrpc": "2.0", "id": number, "method": "ping"}).status_code == 202
        assert one.message(number)["result"] == {}


@pytest.mark.parametrize("path", ["sse", "sse/"])
def test_the_first_event_says_where_messages_go(gateway, stream, path):
    one = stream(path=path).open()
    assert one.endpoint.startswith("/mcp/plain/message?sessionId=")
    assert one.greet()["result"]["protocolVersion"] == "2024-11-05"


def test_the_prefix_api_is_kept(gateway):
    with httpx2.Client(trust_env=False) as http:
        with http.stream("GET", f"http://127.0.0.1:{gateway.port}/api/mcp/plain/sse") as response:
            lines = response.iter_lines()
            assert next(lines) == "event: endpoint"
            assert next(lines).startswith("data: /api/mcp/plain/message?sessionId=")


def test_its_end_ends_the_session_and_the_child(gateway, stream):
    before = set(gateway.children("plain"))
    one = stream().open()
    one.greet()
    child = until(lambda: set(gateway.children("plain")) - before, "the child")
    assert one.post({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "deaf"}}).status_code == 202
    one.close()
    until(lambda: not child & set(gateway.children("plain")), "the end of the child")
    refused = one.post({"jsonrpc": "2.0", "id": 8, "method": "ping"})
    assert refused.status_code == 404


def test_what_is_wrong_without_an_id_is_answered_to_the_post(stream):
    one = stream().open()
    one.greet()
    assert one.post('{"jsonrpc": "2.0", "id": ').status_code == 400
    assert one.post('{"jsonrpc": "2.0", "id": ').json()["error"]["code"] == -32700
    assert one.post([1]).status_code == 400
    assert one.post("x" * 100_001).status_code == 413
    assert one.ask(3, "ping")["result"] == {}


def test_what_is_wrong_with_a_request_is_an_event(stream):
    one = stream().open()
    assert one.ask(1, "tools/list")["error"]["code"] == -32600
    one.greet()
    assert one.ask(2, "no/such")["error"]["code"] == -32601
    modern = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    assert one.ask(3, "server/discover", {"_meta": modern})["error"]["code"] == -32600
    assert one.ask(4, "initialize", {"protocolVersion": "2024-11-05", "capabilities": {}})["error"]["code"] == -32600


def test_arrays_are_taken_from_sessions_that_have_them(stream):
    one = stream().open()
    one.greet("2025-03-26")
    batch = [{"jsonrpc": "2.0", "id": id, "method": "ping"} for id in (1, 2)]
    assert one.post(batch).status_code == 202
    assert [one.message(1)["result"], one.message(2)["result"]] == [{}, {}]
    other = stream().open()
    other.greet("2025-06-18")
    assert other.post(batch).status_code == 400


def test_sessions_are_used_in_one_way_only(gateway, stream):
    one = stream().open()
    one.greet()
    id = one.endpoint.partition("sessionId=")[2]
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    both = {"Accept": "application/json, text/event-stream"}
    with httpx2.Client(trust_env=False) as http:
        assert http.post(gateway.url("plain"), json=ping, headers={**both, "Mcp-Session-Id": id}).status_code == 404
        opening = {
            "jsonrpc": "2.0",
            "id": 0,
            "method": "initialize",
            "params": {
                "protocolVersion": "2025-11-25",
                "capabilities": {},
                "clientInfo": {"name": "t", "version": "0"},
            },
        }
        session = http.post(gateway.url("plain"), json=opening, headers=both).headers["Mcp-Session-Id"]
        other = f"{gateway.url('plain')}/message?sessionId="
        assert http.post(other + session, json=ping).status_code == 404
        assert http.post(other + id + "&sessionId=" + id, json=ping).status_code == 404
        assert http.post(other + "0" * 32, json=ping).status_code == 404
        assert http.post(f"{gateway.url('few')}/message?sessionId={id}", json=ping).status_code == 404
        assert http.post(other + id, json=ping).status_code == 202


def test_who_may_come_in(gateway):
    url = gateway.url("plain") + "/sse"
    with httpx2.Client(trust_env=False) as http:
        assert http.get(url, headers={"Origin": "https://evil.example"}).status_code == 403
        assert http.get(url, headers={"Host": "evil.example"}).status_code == 403
        assert http.get(url, headers={"Accept": "application/json"}).status_code == 406
        assert http.post(url, json={}).status_code == 405
        assert http.get(gateway.url("plain") + "/message").status_code == 405
        assert http.post(gateway.url("plain") + "/message", content="{}").status_code == 415


def test_a_stream_takes_the_place_of_a_session(gateway, stream):
    one = stream("few").open()
    second = stream("few")
    assert second.response.status_code == 503
    assert second.response.headers["Retry-After"]
    one.greet()
    assert stream("few").response.status_code == 503
    one.close()

    def opened():
        third = stream("few")
        return third.response.status_code == 200 and third

    until(opened, "the place of the first")


def test_a_client_that_does_not_read_loses_its_stream(gateway, stream):
    one = stream().open()
    one.greet()
    flood = {"name": "flood", "arguments": {"text": "2000"}}

    def lost():
        message = {"jsonrpc": "2.0", "id": next(numbers), "method": "tools/call", "params": flood}
        return one.post(message).status_code == 404

    numbers = itertools.count(1)
    until(lost, "the end of the stream")


def test_a_silent_stream_shows_that_it_lives(stream):
    one = stream().open()
    one.greet()
    start = time.monotonic()
    for line in one.lines:
        if line == ":":
            break
    assert time.monotonic() - start < 15


async def test_a_message_of_the_server_outside_of_calls_comes(gateway):
    user = User()
    async with connected(gateway, "everything-legacy", user) as client:
        tools = {tool.name for tool in (await client.list_tools()).tools}
        assert "add_tool" in tools, sorted(tools)
        await client.call_tool("add_tool", {"name": "fresh"})
        await until_async(lambda: user.messages, "the notification")
