"""`gatehouse connect`: a remote server as a local one, with the clients of others, in both eras."""

import contextlib
import json
import os
import subprocess

import pytest
from fastmcp import Client as FastClient
from fastmcp.client.transports import StdioTransport
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.shared.exceptions import MCPError

from peers.certificates import make_certificate
from peers.clients import User, text, value
from peers.gateway import BINARY, plain, run
from peers.remote import Remote, script

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}},
}


@pytest.fixture(scope="module")
def remotes():
    started = {
        "sdk": script("over_http.py", "everything", "http"),
        "fast": script("over_http.py", "fast", "http"),
        "fast-sse": script("over_http.py", "fast", "sse"),
        "gatehouse": Remote(str(BINARY), "everything", "--transport", "http"),
    }
    yield started
    for one in started.values():
        one.stop()


@pytest.fixture(scope="module")
def secure(make_gateway, tmp_path_factory):
    """The URL of a server behind TLS, and the file of its certificate, which no authority has signed."""
    folder = tmp_path_factory.mktemp("secure")
    certificate, key = make_certificate(folder)
    gateway = make_gateway({"plain": plain()}, {"tls": {"certificate": str(certificate), "key": str(key)}})
    return f"https://127.0.0.1:{gateway.port}/mcp/plain", str(certificate)


@contextlib.asynccontextmanager
async def connected(url, mode, user=None, options=(), **variables):
    more = {"elicitation_callback": user.elicit} if user else {}
    parameters = StdioServerParameters(command=str(BINARY), args=["connect", *options, url], env=variables or None)
    with open(os.devnull, "w") as nothing:
        transport = stdio_client(parameters, errlog=nothing)
        async with Client(transport, mode=mode, read_timeout_seconds=30, cache=None, **more) as client:
            yield client


async def test_a_server_written_with_the_sdk(remotes, mode):
    user = User()
    async with connected(remotes["sdk"].url, mode, user) as client:
        assert text(await client.call_tool("echo", {"text": "käse"})) == "käse"
        assert value(await client.call_tool("ask_form", {"question": "Wer?"}))["action"] == "accept"
    assert user.asked[0].message == "Wer?"


@pytest.mark.parametrize("server", ["fast", "fast-sse"])
async def test_a_server_written_with_fastmcp(remotes, mode, server):
    transport = StdioTransport(str(BINARY), ["connect", remotes[server].url], keep_alive=False)
    async with FastClient(transport, mode=mode, timeout=30) as client:
        assert {tool.name for tool in await client.list_tools()} == {"multiply", "area", "steps", "greet"}
        assert text(await client.call_tool("multiply", {"a": 6, "b": 7})) == "42"


@pytest.mark.parametrize("way", [[], ["--type", "sse"]], ids=["http", "sse"])
async def test_another_gateway(remotes, mode, way):
    url = remotes["gatehouse"].url + ("/sse" if way else "")
    parameters = StdioServerParameters(command=str(BINARY), args=["connect", *way, url])
    with open(os.devnull, "w") as nothing:
        async with Client(stdio_client(parameters, errlog=nothing), mode=mode, read_timeout_seconds=30) as client:
            assert "test_simple_text" in {tool.name for tool in (await client.list_tools()).tools}
            assert text(await client.call_tool("test_simple_text", {}))


async def fails(url, *options, mode="legacy", **variables):
    """The words of the error with which a client of the SDK learns that it cannot connect."""
    with pytest.raises((MCPError, ExceptionGroup)) as failure:
        async with connected(url, mode, None, options, **variables) as client:
            await client.list_tools()
    error = failure.value
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, MCPError), error
    return error.error.message


@pytest.fixture
def guarded():
    one = script("upstream.py", "guarded", UPSTREAM_TOKEN="right-1234")
    yield one
    one.stop()


async def test_a_token_from_a_variable_lets_the_client_in(guarded, mode):
    options = ["--header-env", "Authorization=TOKEN"]
    async with connected(guarded.url, mode, None, options, TOKEN="Bearer right-1234") as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["who"]
        assert json.loads(text(await client.call_tool("who", {})))["call"]


async def test_a_wrong_token_is_said_to_be_the_trouble(guarded, mode):
    options = ["--header-env", "Authorization=TOKEN"]
    words = await fails(guarded.url, *options, mode=mode, TOKEN="Bearer wrong-1234")
    assert "refused the gateway (HTTP status 401)" in words
    assert "wrong-1234" not in words


async def test_a_certificate_that_nobody_knows_is_said_to_be_the_trouble(secure, mode):
    words = await fails(secure[0], mode=mode)
    assert "cannot be reached" in words and "certificate" in words


async def test_a_certificate_that_the_environment_trusts_is_accepted(secure, mode):
    url, certificate = secure
    async with connected(url, mode, SSL_CERT_FILE=certificate) as client:
        assert text(await client.call_tool("echo", {"text": "käse"})) == "käse"


async def test_a_session_that_the_server_forgets_is_no_matter_to_the_client(mode):
    forgetful = script("upstream.py", "forgetful")
    try:
        async with connected(forgetful.url, mode) as client:
            calls = [json.loads(text(await client.call_tool("who", {}))) for _ in range(4)]
    finally:
        forgetful.stop()
    assert len({call["session"] for call in calls}) > 1


async def test_a_server_that_comes_back_is_used_again(mode):
    server = script("upstream.py", "sound")
    try:
        async with connected(server.url, mode) as client:
            assert await client.call_tool("who", {})
            server.stop()
            with pytest.raises(MCPError, match="server"):
                await client.call_tool("who", {})
            server.start()
            assert json.loads(text(await client.call_tool("who", {})))["call"]
    finally:
        server.stop()


def connect(*arguments, lines=(INITIALIZE,), **variables):
    return subprocess.run(
        [str(BINARY), "connect", "--log-level", "debug", *arguments],
        input="".join(json.dumps(line) + "\n" for line in lines),
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, **variables},
    )


def test_headers_are_sent_and_told_to_nobody():
    upstream = script("upstream.py", "sound")
    try:
        secret = {"SECRET_OF_MINE": "Bearer zyx-987"}
        headers = ["--header", "X-Key: abc-123", "--header-env", "Authorization=SECRET_OF_MINE"]
        done = connect(*headers, upstream.url, **secret)
        notes = [json.loads(line) for line in upstream.journal.read_text().splitlines()]
    finally:
        upstream.stop()
    fields = [note["fields"] for note in notes if note["event"] == "request"]
    assert fields and all(one["x-key"] == "abc-123" and one["authorization"] == "Bearer zyx-987" for one in fields)
    for said in (done.stdout, done.stderr):
        assert "zyx-987" not in said and "abc-123" not in said


def test_a_server_that_is_not_there_is_an_error_with_words():
    done = connect("http://127.0.0.1:1/mcp")
    assert json.loads(done.stdout)["error"]["code"] == -32603
    assert "reached" in done.stdout
    assert done.returncode == 0


def test_what_is_on_standard_output_is_messages_and_nothing_else():
    listing = {"jsonrpc": "2.0", "id": "b", "method": "tools/list", "params": {}}
    upstream = script("upstream.py", "sound")
    try:
        done = connect(upstream.url, lines=[INITIALIZE, {"jsonrpc": "2.0", "method": "notifications/initialized"}, listing])
    finally:
        upstream.stop()
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == [0, "b"], done.stdout
    assert done.returncode == 0 and "who" in done.stdout


def test_help_names_every_option():
    status, stdout, stderr = run("connect", "--help")
    assert (status, stderr) == (0, "")
    for word in ("URL", "--header ", "--header-env", "--type", "--log-level", "SSL_CERT_FILE"):
        assert word in stdout


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["127.0.0.1/mcp"],
        ["http://"],
        ["http://127.0.0.1:99999/mcp"],
        ["https://[::1/mcp"],
        ["https://exa mple.com/mcp"],
        ["ftp://127.0.0.1/mcp"],
        ["http://user:word@127.0.0.1/mcp"],
        ["http://127.0.0.1/mcp", "http://127.0.0.1/mcp"],
        ["--header", "no colon", "http://127.0.0.1/mcp"],
        ["--header", "a b: c", "http://127.0.0.1/mcp"],
        ["--header-env", "A=NO_SUCH_VARIABLE", "http://127.0.0.1/mcp"],
        ["--type", "smoke", "http://127.0.0.1/mcp"],
        ["--odd", "http://127.0.0.1/mcp"],
    ],
)
def test_bad_usage(arguments):
    status, stdout, stderr = run("connect", *arguments)
    assert (status, stdout) == (2, "")
    assert "word@" not in stderr
    assert "gatehouse connect --help" in stderr
