"""The gateway as a local server: one client on standard input and output, of either era, at servers of either era."""

import contextlib
import itertools
import json
import os
import resource
import signal
import subprocess
import threading
import uuid

import anyio
import pytest
from fastmcp import Client as FastClient
from fastmcp.client.transports import StdioTransport
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from peers.clients import User, text, value
from peers.gateway import BINARY, plain, run, sdk
from peers.processes import MARKER, is_alive, marked
from peers.waiting import until, until_async

SERVERS = {
    "everything-legacy": sdk(era="legacy"),
    "everything-modern": sdk(era="modern"),
    "plain": plain("--era", "dual"),
}
META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
SETTINGS = {"limits": {"body": 100_000, "streamQueue": 100_000}, "timeouts": {"shutdownGrace": 2, "write": 2}}


@pytest.fixture(params=["everything-legacy", "everything-modern"])
def server(request):
    return request.param


class Local:
    """A configuration whose servers' processes can be found."""

    def __init__(self, folder):
        self.mark = uuid.uuid4().hex
        self.file = folder / "gatehouse.json"
        servers = {name: {**server, "env": {MARKER: self.mark}} for name, server in SERVERS.items()}
        self.file.write_text(json.dumps({"mcpServers": servers, "gateway": SETTINGS}))

    def write(self, document):
        fresh = self.file.with_suffix(".fresh")
        fresh.write_text(document if isinstance(document, str) else json.dumps(document))
        fresh.replace(self.file)

    def change(self, **servers):
        """Other keys for some servers; None takes one away."""
        document = json.loads(self.file.read_text())
        for name, more in servers.items():
            if more is None:
                del document["mcpServers"][name]
            else:
                document["mcpServers"].setdefault(name, dict(document["mcpServers"]["plain"])).update(more)
        self.write(document)

    def arguments(self, server):
        which = ["--server", server] if server else []
        return ["serve", "--mode", "stdio", "--config", str(self.file), *which, "--log-level", "debug"]

    def leaves_nothing(self):
        until(lambda: not [pid for pid in marked(self.mark) if is_alive(pid)], "the end of all processes")


@pytest.fixture
def local(tmp_path):
    made = Local(tmp_path)
    yield made
    made.leaves_nothing()


@contextlib.asynccontextmanager
async def connected(local, server, mode, user=None):
    more = {}
    if user is not None:
        more = {
            "elicitation_callback": user.elicit,
            "sampling_callback": user.sample,
            "list_roots_callback": user.list_roots,
            "message_handler": user.message,
        }
    parameters = StdioServerParameters(command=str(BINARY), args=local.arguments(server))
    with open(os.devnull, "w") as nothing:
        transport = stdio_client(parameters, errlog=nothing)
        async with Client(transport, mode=mode, read_timeout_seconds=30, cache=None, **more) as client:
            yield client


async def test_the_sdk_lists_and_calls(local, server, mode):
    async with connected(local, server, mode) as client:
        assert "echo" in {tool.name for tool in (await client.list_tools()).tools}
        assert "ü" in text(await client.call_tool("echo", {"text": "ü"}))


async def test_the_sdk_is_asked_and_answers(local, server, mode):
    user = User()
    async with connected(local, server, mode, user) as client:
        assert value(await client.call_tool("ask_form", {"question": "Wer?"}))["action"] == "accept"
    assert user.asked[0].message == "Wer?"


async def test_the_sdk_hears_progress(local, server, mode):
    seen = []

    async def progress(done, total, message):
        seen.append(done)

    async with connected(local, server, mode) as client:
        await client.call_tool("progress", {"steps": 3}, progress_callback=progress)
        await until_async(lambda: len(seen) == 3, "the progress")


async def test_many_calls_at_once_each_get_their_own_answer(local, server, mode):
    async with connected(local, server, mode) as client:
        results = {}

        async def call(number):
            results[number] = text(await client.call_tool("echo", {"text": f"<{number}>"}))

        async with anyio.create_task_group() as group:
            for number in range(200):
                group.start_soon(call, number)
    assert all(f"<{number}>" in results[number] for number in range(200))


async def test_the_client_of_fastmcp_lists_and_calls(local, server, mode):
    transport = StdioTransport(str(BINARY), local.arguments(server), keep_alive=False)
    async with FastClient(transport, mode=mode, timeout=30) as client:
        assert "echo" in {tool.name for tool in await client.list_tools()}
        assert "hello" in text(await client.call_tool("echo", {"text": "hello"}))


class Pipes:
    """A raw client on the pipes of a gateway."""

    def __init__(self, local, server="plain", stdout=subprocess.PIPE):
        self.process = subprocess.Popen(
            [str(BINARY), *local.arguments(server)],
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=subprocess.PIPE,
        )
        self.log = []
        self.reader = threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True)
        self.reader.start()

    def write(self, data):
        self.process.stdin.write(data if isinstance(data, bytes) else data.encode())
        self.process.stdin.flush()

    def send(self, message):
        self.write(json.dumps(message) + "\n")

    def request(self, id, method, modern=False, **params):
        if modern:
            params["_meta"] = {**META, **params.get("_meta", {})}
        self.send({"jsonrpc": "2.0", "id": id, "method": method, "params": params})

    def message(self):
        line = self.process.stdout.readline()
        assert line, b"".join(self.log).decode()
        return json.loads(line)

    def answer(self, id):
        return next(message for message in iter(self.message, None) if message.get("id") == id)

    def ask(self, id, method, modern=False, **params):
        self.request(id, method, modern, **params)
        return self.answer(id)

    def greet(self, version="2025-11-25"):
        information = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}}
        answer = self.ask(0, "initialize", **information)
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return answer

    def whoami(self, id, modern=False):
        return self.ask(id, "tools/call", modern, name="whoami", arguments={})["result"]["_meta"]["test/whoami"]["pid"]

    def heard(self, words):
        return sum(words.encode() in line for line in self.log)

    def reload(self, words="the configuration is used"):
        """SIGHUP; waits until the log says what came of it."""
        before = self.heard(words)
        self.process.send_signal(signal.SIGHUP)
        until(lambda: self.heard(words) > before, "another configuration")

    def end(self, timeout=15):
        """The end of the input; what came after it, and the exit status."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        rest = self.process.stdout.read() if self.process.stdout else b""
        return [json.loads(line) for line in rest.splitlines()], self.process.wait(timeout)


@pytest.fixture
def pipes(local):
    made = []

    def make(**more):
        made.append(Pipes(local, **more))
        return made[-1]

    yield make
    for one in made:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


def test_both_eras_on_one_pipe(pipes):
    one = pipes()
    assert one.ask("a", "server/discover", modern=True)["result"]["supportedVersions"] == ["2026-07-28"]
    assert one.greet()["result"]["protocolVersion"] == "2025-11-25"
    assert one.ask(1, "tools/list")["result"]["tools"]
    assert one.ask(2, "tools/list", modern=True)["result"]["resultType"] == "complete"
    assert one.ask(3, "ping")["result"] == {}
    assert one.end() == ([], 0)


def test_what_is_sent_at_once_is_answered_before_the_end(pipes):
    one = pipes()
    information = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}}
    one.request(0, "initialize", **information)
    one.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
    for id in range(1, 51):
        one.request(id, "tools/list")
    one.write(json.dumps({"jsonrpc": "2.0", "id": 51, "method": "tools/list"}))
    rest, status = one.end()
    assert [message["id"] for message in rest if "result" in message] == list(range(52))
    assert status == 0


def test_thousands_of_messages(pipes):
    one = pipes()
    one.greet()
    for start in range(1, 5001, 250):
        for id in range(start, start + 250):
            one.request(id, "ping")
        assert [one.message()["id"] for _ in range(250)] == list(range(start, start + 250))
    assert one.end() == ([], 0)


def test_what_is_no_message_is_answered_without_an_id(pipes):
    one = pipes()
    one.greet()
    for line, code in [
        ("hello", -32700),
        ('{"jsonrpc": "2.0", "id": 1, "meth', -32700),
        ("[]", -32600),
        ('[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600),
        ('{"a":1,"a":2}', -32600),
        ("\x00\x01", -32700),
        ('{"jsonrpc":"2.0","method":7,"id":1}', -32600),
    ]:
        one.write(line + "\n")
        message = one.message()
        assert message["error"]["code"] == code, line
    one.write("\n\r\n  \n")
    assert one.ask(9, "ping")["result"] == {}


def test_arrays_are_taken_from_sessions_that_have_them(pipes):
    one = pipes()
    one.greet("2025-03-26")
    one.send([{"jsonrpc": "2.0", "id": id, "method": "ping"} for id in (1, 2)])
    assert sorted(one.message()["id"] for _ in range(2)) == [1, 2]


def test_a_message_may_come_in_pieces(pipes):
    one = pipes()
    one.greet()
    for byte in json.dumps({"jsonrpc": "2.0", "id": "ü", "method": "ping"}).encode() + b"\n":
        one.write(bytes([byte]))
    assert one.message() == {"jsonrpc": "2.0", "id": "ü", "result": {}}


def test_a_line_that_is_too_long_ends_it(pipes):
    one = pipes()
    one.greet()
    with contextlib.suppress(BrokenPipeError):
        one.write("x" * 200_000)
    message = one.message()
    assert message["error"]["code"] == -32600
    rest, status = one.end()
    assert (rest, status) == ([], 1)


def test_a_cancelled_modern_call_says_nothing_more(pipes):
    one = pipes()
    one.request("slow", "tools/call", modern=True, name="wait", arguments={})
    one.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "slow", "_meta": META}})
    assert one.ask("next", "server/discover", modern=True)["result"]
    rest, status = one.end()
    assert (rest, status) == ([], 0)


def test_an_id_that_waits_is_not_used_twice(pipes):
    one = pipes()
    one.request(1, "subscriptions/listen", modern=True, notifications={"toolsListChanged": True})
    assert one.message()["method"] == "notifications/subscriptions/acknowledged"
    one.request(1, "tools/list", modern=True)
    assert one.message()["error"]["code"] == -32600
    rest, status = one.end()
    assert [message["id"] for message in rest] == [1], "the subscription ends with its result"
    assert status == 0


def test_the_end_of_the_input_in_a_call_waits_no_longer_than_the_grace(pipes):
    one = pipes()
    one.greet()
    one.request(1, "tools/call", name="wait", arguments={})
    rest, status = one.end()
    assert [message["id"] for message in rest] == [1] and "error" in rest[0]
    assert status == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(pipes, number):
    one = pipes()
    one.greet()
    one.process.send_signal(number)
    assert one.process.wait(10) == 0


def test_a_client_that_dies_ends_it(pipes):
    one = pipes()
    one.greet()
    one.process.stdout.close()
    one.request(1, "ping")
    assert one.process.wait(10) == 0


def test_a_client_that_does_not_read_ends_it(pipes):
    one = pipes()
    one.greet()
    with contextlib.suppress(BrokenPipeError):
        for id in itertools.count(1):
            one.request(id, "tools/call", name="flood", arguments={"text": "20"})
    assert one.process.wait(10) == 1
    assert any(b"does not read" in line for line in one.log)


def test_a_file_and_nothing_are_good_inputs(local, tmp_path):
    lines = tmp_path / "lines"
    lines.write_text(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": {"_meta": META}}))
    command = [str(BINARY), *local.arguments("plain")]
    with open(lines) as source, open(tmp_path / "answers", "w") as target:
        assert subprocess.run(command, stdin=source, stdout=target, stderr=subprocess.DEVNULL, timeout=20).returncode == 0
    assert json.loads((tmp_path / "answers").read_text())["id"] == 1
    assert run(*local.arguments("plain"))[0:2] == (0, "")


def test_bad_usage(local):
    assert run("serve", "--mode", "api", "--config", str(local.file))[0] == 2
    assert run("serve", "--mode", "odd", "--config", str(local.file))[0] == 2
    assert run("serve", "--server", "plain", "--config", str(local.file))[0] == 2
    assert run("serve", "--mode", "stdio", "--port", "0", "--config", str(local.file))[0] == 2
    assert run(*local.arguments("nobody"))[0] == 2


def test_several_servers_are_one(local):
    command = [str(BINARY), "serve", "--mode", "stdio", "--config", str(local.file)]
    question = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": META}}
    done = subprocess.run(command, input=json.dumps(question), capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["result"]["tools"]


CHANGED = {"description": "another one"}


def test_a_session_of_an_unchanged_server_does_not_notice_a_reload(local, pipes):
    one = pipes()
    one.greet()
    pid = one.whoami(1)
    local.change(other={})
    one.reload()
    one.reload()
    assert one.whoami(2) == pid
    assert one.end() == ([], 0)


def test_a_file_that_was_written_is_read_without_being_asked(local, pipes):
    one = pipes()
    one.greet()
    local.change(other={})
    until(lambda: one.heard("the configuration is used"), "another configuration")
    assert one.end() == ([], 0)


@pytest.mark.parametrize("document, said", [("{", "gatehouse.json"), ('{"mcpServers": {"plain": {"comand": "x"}}}', "comand")])
def test_a_bad_file_changes_nothing_and_says_why(local, pipes, document, said):
    one = pipes()
    one.greet()
    pid = one.whoami(1)
    local.write(document)
    one.reload("nothing has changed")
    until(lambda: one.heard(said), "what is wrong with the file")
    assert one.whoami(2) == pid
    assert one.end() == ([], 0)


def test_a_changed_server_answers_what_was_asked_and_ends_the_session(local, pipes, tmp_path):
    one, released = pipes(), tmp_path / "released"
    one.greet()
    one.request(1, "tools/call", name="hold", arguments={"text": str(released)}, _meta={"progressToken": 1})
    assert one.message()["method"] == "notifications/progress", "the server has the call"
    local.change(plain=CHANGED)
    one.reload()
    released.touch()
    assert one.answer(1)["result"]["content"][0]["text"] == "released"
    assert one.process.wait(10) == 1
    until(lambda: one.heard("has changed or is gone"), "the reason")


def test_a_server_that_is_gone_ends_it(local, pipes):
    one = pipes()
    assert one.ask(1, "tools/list", modern=True)["result"]
    local.change(plain=None)
    one.process.send_signal(signal.SIGHUP)
    assert one.process.wait(10) == 1
    until(lambda: one.heard("has changed or is gone"), "the reason")


def test_a_call_that_does_not_end_is_failed_when_the_grace_is_over(local, pipes):
    one = pipes()
    one.greet()
    one.request(1, "tools/call", name="wait", arguments={})
    local.change(plain=CHANGED)
    one.process.send_signal(signal.SIGHUP)
    assert "error" in one.answer(1)
    assert one.process.wait(10) == 1


def test_a_session_stays_where_it_is_when_another_default_comes(local, pipes):
    document = json.loads(local.file.read_text())
    document["gateway"] = {**SETTINGS, "default": "plain"}
    local.write(document)
    one = pipes(server=None)
    one.greet()
    pid = one.whoami(1)
    document["gateway"]["default"] = "everything-legacy"
    local.write(document)
    one.reload()
    assert one.whoami(2) == pid
    assert one.end() == ([], 0)


def test_a_client_without_a_session_goes_on_with_the_server_as_it_is_now(local, pipes):
    one = pipes()
    pid = one.whoami(1, modern=True)
    local.change(plain=CHANGED)
    one.reload()
    assert one.whoami(2, modern=True) != pid
    assert one.greet()["result"]
    assert one.end() == ([], 0)


def test_it_takes_as_many_descriptors_as_it_may(local):
    command = ["sh", "-c", 'ulimit -Sn 256; ulimit -Hn 4096; exec "$@"', "sh", str(BINARY), *local.arguments("plain")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as one:
        message = {"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": {"_meta": META}}
        one.stdin.write(json.dumps(message).encode() + b"\n")
        one.stdin.flush()
        assert one.stdout.readline()
        assert resource.prlimit(one.pid, resource.RLIMIT_NOFILE) == (4096, 4096)
        one.stdin.close()
