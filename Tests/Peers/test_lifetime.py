"""The end of things: of sessions, of children with grandchildren, of the gateway, also by kill -9."""

import os
import signal
import socket
import time

import pytest

from peers.gateway import BINARY, Gateway, bad, plain
from peers.processes import end_all, is_alive
from peers.raw import LegacySession, ModernClient, encoded, rpc, text_of
from peers.waiting import until
from peers.wire import Connection, once


@pytest.fixture
def fresh(tmp_path):
    """Starts a gateway of the test's own; what it leaves behind is killed at the end."""
    started = []

    def start(servers, settings=None, **more):
        gateway = Gateway(tmp_path / f"gateway-{len(started)}", servers, settings, **more).start()
        started.append(gateway)
        return gateway

    yield start
    for gateway in started:
        if gateway.process.poll() is None:
            gateway.kill()
        end_all(gateway.run)


def grandchildren(gateway, server):
    notes = gateway.journal(server, "grandchild")
    return [note["grandchild"] for note in notes if is_alive(note["grandchild"])]


def test_the_end_of_a_session_ends_a_stubborn_child_and_its_grandchild(fresh, ledger):
    gateway = fresh({"stubborn": bad("stubborn", era="legacy", framing="newline")})
    session = LegacySession(gateway, ledger, "stubborn").open()
    pid = session.whoami()["pid"]
    helper = [note["grandchild"] for note in gateway.journal("stubborn", "grandchild") if note["child"] == pid]
    assert len(helper) == 1 and is_alive(helper[0])
    assert session.delete().status in (200, 202, 204)
    until(lambda: not is_alive(pid) and not is_alive(helper[0]), "the end of both", timeout=10)
    assert gateway.process.poll() is None
    assert gateway.terminate() == 0


def test_sigterm_ends_the_gateway_and_all_stubborn_trees(fresh, ledger):
    gateway = fresh({"stubborn": bad("stubborn"), "forks": bad("forks"), "plain": plain()})
    sessions = [LegacySession(gateway, ledger, name).open() for name in ("stubborn", "forks", "plain", "stubborn")]
    assert len(gateway.children()) >= 4 and len(grandchildren(gateway, "stubborn")) >= 2
    for session in sessions:
        session.whoami()
    assert gateway.terminate(timeout=20) == 0


def test_sigint_ends_the_gateway_too(fresh, ledger):
    gateway = fresh({"plain": plain()})
    LegacySession(gateway, ledger).open()
    gateway.process.send_signal(signal.SIGINT)
    assert gateway.process.wait(15) == 0
    gateway.leaves_nothing(5)


def test_kill_9_of_the_gateway_leaves_no_process(fresh, ledger):
    gateway = fresh({"stubborn": bad("stubborn"), "forks": bad("forks"), "plain": plain()})
    for name in ("stubborn", "forks", "plain", "plain", "stubborn"):
        LegacySession(gateway, ledger, name).open().whoami()
    ModernClient(gateway, ledger).whoami()
    assert len(gateway.children()) >= 8
    gateway.kill()
    gateway.leaves_nothing(10)


def test_kill_9_in_the_middle_of_calls_leaves_no_process(fresh, ledger):
    gateway = fresh({"stubborn": bad("stubborn"), "plain": plain()})
    ledger.is_judged = False
    for name in ("stubborn", "plain"):
        session = LegacySession(gateway, ledger, name).open()
        for number in range(5):
            session.begin(rpc("tools/call", session.tool("wait"), number))
    gateway.kill()
    gateway.leaves_nothing(10)


def test_a_child_that_is_killed_from_outside_is_noticed_and_replaced(fresh, ledger):
    gateway = fresh({"plain": plain()})
    session = LegacySession(gateway, ledger).open()
    pid = session.whoami()["pid"]
    connection, exchange = session.begin(rpc("tools/call", session.tool("wait"), "w"))
    until(lambda: [m for m in gateway.seen("plain", "tools/call") if m["params"]["name"] == "wait"], "the call")
    os.kill(pid, signal.SIGKILL)
    answer = connection.read(exchange).json()
    assert "SIGKILL" in str(answer["error"]) or "9" in str(answer["error"])
    assert session.whoami()["pid"] != pid
    assert gateway.terminate() == 0


def test_a_call_in_flight_is_finished_within_the_grace_when_the_gateway_ends(fresh, ledger, tmp_path):
    gateway = fresh({"plain": plain()}, {"timeouts": {"shutdownGrace": 10}})
    session = LegacySession(gateway, ledger).open()
    connection, exchange = session.begin(rpc("tools/call", session.tool("hold", str(tmp_path / "gate")), "w"))
    until(lambda: gateway.journal("plain", "hold"), "the call at the child")
    gateway.process.send_signal(signal.SIGTERM)
    until(lambda: _refuses(gateway.port), "no new connections")
    (tmp_path / "gate").touch()
    answer = connection.read(exchange, timeout=10).json()
    assert answer["id"] == "w" and text_of(answer["result"]) == "released"
    assert gateway.process.wait(15) == 0
    gateway.leaves_nothing(5)


@pytest.mark.parametrize("era", ["legacy", "modern"])
@pytest.mark.parametrize("server", ["legacy", "modern"])
def test_a_call_that_outlasts_the_grace_is_told_that_the_gateway_ends_its_server(fresh, ledger, era, server):
    gateway = fresh({"plain": plain("--era", server, era=server)}, {"timeouts": {"shutdownGrace": 1}})
    if era == "legacy":
        client = LegacySession(gateway, ledger).open()
        call = rpc("tools/call", client.tool("wait"), "w")
    else:
        client = ModernClient(gateway, ledger)
        call = client.message("tools/call", LegacySession.tool("wait"), "w")
    connection, exchange = client.begin(call)
    until(lambda: gateway.seen("plain", "tools/call"), "the call at the child")
    gateway.process.send_signal(signal.SIGTERM)
    reply = connection.read(exchange, timeout=10)
    answer = reply.json() if "json" in reply.header("content-type") else reply.message()
    assert answer["id"] == "w" and answer["error"]["message"] == "The gateway is stopping the server"
    assert gateway.process.wait(15) == 0
    gateway.leaves_nothing(5)


def _refuses(port):
    try:
        with Connection(port, timeout=1) as connection:
            return connection.request("GET", "/readyz", timeout=2).status == 503
    except (OSError, AssertionError, Exception):  # noqa: BLE001
        return True


def test_a_listener_is_told_the_end_when_the_gateway_ends(fresh, ledger):
    gateway = fresh({"plain": plain()}, {"timeouts": {"shutdownGrace": 2}})
    client = ModernClient(gateway, ledger)
    stream = client.listen(id="l", toolsListChanged=True)
    assert stream.message()["method"] == "notifications/subscriptions/acknowledged"
    gateway.process.send_signal(signal.SIGTERM)
    messages = stream.messages(timeout=15)
    assert not messages or messages[-1]["id"] == "l"
    assert gateway.process.wait(15) == 0


def test_sessions_have_a_limit_and_a_freed_place_can_be_taken(fresh, ledger):
    gateway = fresh({"plain": plain()}, {"limits": {"sessions": 3}})
    sessions = [LegacySession(gateway, ledger).open() for _ in range(3)]
    extra = LegacySession(gateway, ledger)
    reply = extra.post(extra.offer())
    assert reply.status in (429, 503) and int(reply.header("retry-after")) >= 0
    assert reply.header("mcp-session-id") is None
    sessions[0].delete()
    until(lambda: LegacySession(gateway, None).post(extra.offer()).status == 200, "a place")
    assert text_of(sessions[1].call("echo", "x")) == "x"
    assert gateway.terminate() == 0


@pytest.mark.parametrize("message", [rpc("ping", id=7), rpc("notifications/roots/list_changed")])
def test_a_session_that_ends_while_a_request_comes_is_not_found(fresh, ledger, message):
    gateway = fresh({"plain": plain()})
    session = LegacySession(gateway, ledger).open()
    body = encoded(message)
    with Connection(gateway.port) as connection:
        fields = [("Host", "127.0.0.1"), *session.fields(), ("Content-Length", str(len(body))), ("Expect", "100-continue")]
        head = "".join(f"{name}: {value}\r\n" for name, value in fields)
        connection.send(f"POST {session.path} HTTP/1.1\r\n{head}\r\n".encode() + body[:5])
        interim = [connection.line(time.monotonic() + 10) for _ in range(2)]
        assert interim == [b"HTTP/1.1 100 Continue", b""], "the head is read"
        assert session.delete().status == 200
        connection.send(body[5:])
        assert connection.read().status == 404
    assert gateway.terminate() == 0


def test_an_idle_session_ends_and_takes_its_process_with_it(fresh, ledger):
    gateway = fresh({"plain": plain()}, {"timeouts": {"session": 1, "heartbeat": 1}})
    session = LegacySession(gateway, ledger).open()
    pid = session.whoami()["pid"]
    until(lambda: not is_alive(pid), "the end of the idle session's child")
    assert session.post(rpc("ping", id=1)).status == 404
    assert gateway.terminate() == 0


def test_a_session_with_an_open_stream_or_a_running_call_is_not_idle(fresh, ledger, tmp_path):
    gateway = fresh({"plain": plain()}, {"timeouts": {"session": 1, "heartbeat": 1}})
    listening, calling = (LegacySession(gateway, ledger).open() for _ in range(2))
    lazy = LegacySession(gateway, ledger).open()
    lazy_pid = lazy.whoami()["pid"]
    pids = [listening.whoami()["pid"], calling.whoami()["pid"]]
    stream = listening.stream()
    connection, exchange = calling.begin(rpc("tools/call", calling.tool("hold", str(tmp_path / "gate")), "w"))
    until(lambda: not is_alive(lazy_pid), "the end of the idle one")
    until(lambda: not gateway.children("nothing"), "nothing")
    assert all(is_alive(pid) for pid in pids)
    (tmp_path / "gate").touch()
    assert text_of(connection.read(exchange).json()["result"]) == "released"
    stream.connection.close()
    until(lambda: not [pid for pid in pids if is_alive(pid)], "the end of those that are idle now")
    assert gateway.terminate() == 0


def test_a_silent_stream_is_kept_alive_with_comments(fresh, ledger):
    gateway = fresh({"plain": plain()}, {"timeouts": {"heartbeat": 0.3, "shutdownGrace": 0.5}})
    session = LegacySession(gateway, ledger, revision="2025-06-18").open()
    client = ModernClient(gateway, ledger)
    listening = client.listen(toolsListChanged=True)
    assert listening.message()
    waiting, exchange = client.begin(client.message("tools/call", session.tool("wait", meta={"progressToken": 1})))
    calling = waiting.read(exchange)
    assert calling.message()["method"] == "notifications/progress"
    for stream in (session.stream(), listening, calling):
        event = stream.event(comments=True)
        assert event.is_comment, event
    assert gateway.terminate() == 0


def test_in_flight_calls_of_a_session_have_a_limit(fresh, ledger):
    gateway = fresh({"plain": plain()}, {"limits": {"inFlight": 4}})
    session = LegacySession(gateway, ledger).open()
    waiting = [session.begin(rpc("tools/call", session.tool("wait"), n)) for n in range(100, 104)]
    until(
        lambda: len([m for m in gateway.seen("plain", "tools/call") if m["params"]["name"] == "wait"]) == 4,
        "four calls at the child",
    )
    reply = session.post(rpc("tools/call", session.tool("echo", "x"), "too many"))
    assert "error" in reply.json() and reply.json()["id"] == "too many"
    session.post(rpc("notifications/cancelled", {"requestId": 100}))
    until(lambda: "result" in session.post(rpc("tools/call", session.tool("echo", "x"), 5)).json(), "a place")
    for connection, _ in waiting:
        connection.close()
    assert gateway.terminate() == 0


def test_many_sessions_come_and_go_without_a_trace(fresh, ledger):
    gateway = fresh({"plain": plain()})
    descriptors = lambda: len(os.listdir(f"/proc/{gateway.pid}/fd"))  # noqa: E731
    for _ in range(3):
        session = LegacySession(gateway, ledger).open()
        session.call("echo", "x")
        session.delete()
    until(lambda: not gateway.children(), "no child")
    before = descriptors()
    for _ in range(30):
        session = LegacySession(gateway, ledger).open()
        stream = session.stream()
        session.call("echo", "x")
        session.delete()
        stream.connection.close()
    until(lambda: not gateway.children(), "no child")
    until(lambda: descriptors() <= before + 2, "as many descriptors as before")
    assert gateway.terminate() == 0


def test_broken_clients_leave_nothing_open(fresh, ledger):
    gateway = fresh({"plain": plain()})
    ledger.is_judged = False
    client = ModernClient(gateway, ledger)
    client.whoami()
    descriptors = lambda: len(os.listdir(f"/proc/{gateway.pid}/fd"))  # noqa: E731
    before = descriptors()
    for number in range(60):
        connection, _ = client.begin(client.message("tools/call", LegacySession.tool("wait"), id=number))
        connection.reset() if number % 2 else connection.close()
    for data in (
        b"",
        b"GET",
        b"\0" * 100,
        b"POST /mcp/plain HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n\r\n{",
    ):
        connection = Connection(gateway.port)
        connection.send(data)
        connection.reset()
    until(lambda: descriptors() <= before + 2, "as many descriptors as before")
    assert client.whoami()
    assert gateway.terminate() == 0


def test_a_port_in_use_is_told_and_ends_with_status_1(tmp_path):
    import subprocess

    config = tmp_path / "gatehouse.json"
    config.write_text('{"mcpServers": {"sh": {"command": "sh"}}}')
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [BINARY, "serve", "--config", config, "--host", "127.0.0.1", "--port", str(port)],
            capture_output=True,
            text=True,
            timeout=20,
        )
    assert done.returncode == 1
    assert str(port) in done.stderr and "in use" in done.stderr
    assert len(done.stderr) < 2000 and "Fatal error" not in done.stderr


def test_a_single_server_answers_at_the_short_path(fresh, ledger):
    gateway = fresh({"only": plain()})
    for path in ("/mcp", "/mcp/", "/api/mcp"):
        session = LegacySession(gateway, ledger)
        session.path = path
        session.open()
        assert text_of(session.call("echo", path)) == path
        session.delete()
    client = ModernClient(gateway, ledger)
    client.path = "/mcp"
    assert text_of(client.call("echo", "modern")) == "modern"
    assert once(gateway.port, "GET", "/mcp").json()
    assert gateway.terminate() == 0


def test_the_default_server_answers_at_the_short_path(fresh, ledger):
    gateway = fresh({"a": plain(), "b": plain()}, {"default": "b"})
    session = LegacySession(gateway, ledger)
    session.path = "/mcp"
    session.open().call("echo", "x")
    assert gateway.seen("b", "tools/call") and not gateway.seen("a", "tools/call")
    assert gateway.terminate() == 0
