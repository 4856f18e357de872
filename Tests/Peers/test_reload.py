"""Another configuration while the gateway runs: what changed is replaced, what did not change does not notice."""

import json
import os
import signal
import sys

import pytest

from peers.channels import Channel
from peers.gateway import SERVERS as SERVERS_FOLDER
from peers.gateway import Gateway, bad, plain
from peers.processes import end_all, is_alive
from peers.raw import LegacySession, ModernClient, rpc, text_of
from peers.waiting import until
from peers.wire import once


# Settings with which all servers answer at /mcp together.
TOGETHER = {"hosts": []}


@pytest.fixture
def one(make_gateway):
    return make_gateway({"kept": plain(), "changed": plain(), "gone": plain()}, {"federation": False})


def write(one, servers, settings=None):
    document = {"mcpServers": servers, "gateway": settings or {"federation": False}}
    fresh = one.folder / "fresh.json"
    fresh.write_text(json.dumps(document))
    fresh.replace(one.config)


def apply(one, servers, settings=None):
    """Writes the file and asks for it; waits until the gateway says that it is used."""
    before = one.log.count("the configuration is used")
    write(one, servers, settings)
    os.kill(one.pid, signal.SIGHUP)
    until(lambda: one.log.count("the configuration is used") > before, "the new configuration")


def opened(one, ledger, server):
    return LegacySession(one, ledger, server=server).open()


def refused(session):
    """The status with which a session cannot be opened."""
    return session.post(session.offer()).status


def test_servers_come_and_go_and_the_others_do_not_notice(one, ledger):
    kept, changed = opened(one, ledger, "kept"), opened(one, ledger, "changed")
    process = one.children("kept")
    servers = dict(one.servers)
    del servers["gone"]
    servers["changed"] = {**servers["changed"], "description": "another one"}
    servers["new"] = one._marked("new", plain())
    apply(one, servers)
    assert text_of(kept.call("echo", "still here")) == "still here"
    assert one.children("kept") == process
    assert text_of(opened(one, ledger, "new").call("echo", "hello")) == "hello"
    assert changed.post(rpc("tools/list", {}, 1)).status == 404
    assert refused(LegacySession(one, ledger, server="gone")) == 404
    until(lambda: not one.children("gone"), "the end of what is gone")


@pytest.mark.parametrize(
    "text, said",
    [
        ("{", "gatehouse.json"),
        ('{"mcpServers": {"kept": {"comand": "x"}}}', "comand"),
        ('{"mcpServers": {"kept": {"command": "/bin/cat"}}, "gateway": {"prot": 1}}', "prot"),
    ],
)
def test_a_bad_file_changes_nothing_and_says_why(one, ledger, text, said):
    session = opened(one, ledger, "kept")
    one.config.write_text(text)
    os.kill(one.pid, signal.SIGHUP)
    until(lambda: "nothing has changed" in one.log and said in one.log, "what is wrong with the file")
    assert text_of(session.call("echo", "on")) == "on"


def test_a_file_that_was_written_is_read_without_being_asked(one, ledger):
    write(one, {**one.servers, "new": one._marked("new", plain())})
    until(lambda: "the configuration is used" in one.log, "the new configuration")
    assert text_of(opened(one, ledger, "new").call("echo", "hello")) == "hello"


def test_calls_of_a_changed_server_may_finish(one, ledger, tmp_path):
    released = tmp_path / "released"
    session = opened(one, ledger, "changed")
    connection, exchange = session.begin(rpc("tools/call", session.tool("hold", str(released)), 5))
    until(lambda: one.journal("changed", "hold"), "the call at the server")
    apply(one, {**one.servers, "changed": {**one.servers["changed"], "description": "another one"}})
    released.touch()
    reply = connection.read(exchange)
    messages = reply.messages() if reply.is_stream else [reply.json()]
    assert text_of(messages[-1]["result"]) == "released"


def test_limits_take_effect_and_sessions_stay(one, ledger):
    session = opened(one, ledger, "kept")
    apply(one, one.servers, {"federation": False, "limits": {"sessions": 1}})
    assert refused(LegacySession(one, ledger, server="kept")) == 503
    assert text_of(session.call("echo", "on")) == "on"


def test_what_needs_a_restart_is_said(one, ledger):
    apply(one, one.servers, {"federation": False, "publicURL": "https://mcp.example.com"})
    assert "gateway.publicURL" in one.log and "restart" in one.log


def test_modern_callers_do_not_notice_many_reloads(one, ledger):
    client = ModernClient(one, ledger, server="kept")
    for index in range(20):
        apply(one, {**one.servers, "changed": {**one.servers["changed"], "description": str(index)}})
        assert text_of(client.call("echo", str(index))) == str(index)


@pytest.fixture
def gate(tmp_path):
    """A file that servers wait for before they answer `initialize`."""
    return tmp_path / "gate"


def held(gate, **more):
    return bad("held", "--era", "legacy", env={"PEER_GATE": str(gate)}, era="legacy", framing="newline", **more)


def test_no_session_begins_at_a_server_that_was_replaced_meanwhile(make_gateway, ledger, gate):
    one = make_gateway({"plain": held(gate)})
    session = LegacySession(one, ledger)
    connection, exchange = session.begin(session.offer())
    until(lambda: one.seen("plain", "initialize"), "the handshake at the server")
    apply(one, {"plain": {**one.servers["plain"], "description": "another one"}})
    gate.touch()
    reply = connection.read(exchange)
    assert reply.status == 503 and "configuration has changed" in reply.json()["error"]["message"]
    old = one.journal("plain", "start")[0]["pid"]
    assert text_of(opened(one, ledger, "plain").call("echo", "new")) == "new"
    until(lambda: not is_alive(old), "the end of the process of before")


@pytest.mark.parametrize("change, status", [("description", 200), ("env", 404)])
def test_no_session_is_brought_back_at_a_server_that_was_replaced_meanwhile(tmp_path, ledger, gate, change, status):
    gate.touch()
    one = Gateway(tmp_path / "gateway", {"plain": held(gate)}, {"state": str(tmp_path / "state")}).start()
    try:
        session = opened(one, ledger, "plain")
        assert opened(one, ledger, "plain").delete().status == 200, "what came before is written"
        one.restart()
        gate.unlink()
        connection, exchange = session.begin(rpc("ping", None, 5))
        until(lambda: len(one.seen("plain", "initialize")) == 3, "the handshake at the server")
        old = one.journal("plain", "start")[-1]["pid"]
        changed = dict(one.servers["plain"])
        changed[change] = {**changed["env"], "MORE": "1"} if change == "env" else "another one"
        apply(one, {"plain": changed}, one.settings)
        gate.touch()
        reply = connection.read(exchange)
        assert reply.status == 503 and int(reply.header("retry-after")) >= 1
        assert "configuration has changed" in reply.json()["error"]["message"]
        assert session.post(rpc("ping", None, 6)).status == status
        until(lambda: not is_alive(old), "the end of the process of before")
    finally:
        one.kill()
        end_all(one.run)


def test_a_channel_without_a_session_ends_with_its_server(one):
    changed, kept = Channel(one, "changed").open(), Channel(one, "kept").open()
    apply(one, {**one.servers, "changed": {**one.servers["changed"], "description": "another one"}})
    assert changed.event() is None
    assert kept.greet()["result"]["serverInfo"]["name"] == "plain"
    again = Channel(one, "changed").open()
    assert again.greet()["result"]["serverInfo"]["name"] == "plain"
    for channel in (changed, kept, again):
        channel.end()


def test_a_channel_that_is_being_greeted_is_told_and_ends(make_gateway, gate):
    one = make_gateway({"plain": held(gate)})
    channel = Channel(one, "plain").open()
    channel.post(LegacySession(one, None, "plain").offer("2024-11-05"))
    until(lambda: one.seen("plain", "initialize"), "the handshake at the server")
    apply(one, {"plain": {**one.servers["plain"], "description": "another one"}})
    gate.touch()
    assert "configuration has changed" in channel.message(0)["error"]["message"]
    assert channel.event() is None
    channel.end()


def test_calls_on_a_channel_may_finish_when_its_server_changes(one, tmp_path):
    released = tmp_path / "released"
    channel = Channel(one, "changed").open()
    channel.greet()
    channel.post(rpc("tools/call", LegacySession.tool("hold", str(released)), 5))
    until(lambda: one.journal("changed", "hold"), "the call at the server")
    apply(one, {**one.servers, "changed": {**one.servers["changed"], "description": "another one"}})
    released.touch()
    assert text_of(channel.message(5)["result"]) == "released"
    assert channel.event() is None
    channel.end()
    until(lambda: not one.children("changed"), "the end of the process of before")


def test_a_session_at_the_common_path_goes_on_when_another_server_comes(make_gateway, ledger):
    one = make_gateway({"kept": plain()})
    session, channel = opened(one, ledger, ""), Channel(one, "").open()
    channel.greet()
    process = session.whoami()["pid"]
    apply(one, {**one.servers, "new": one._marked("new", plain())}, TOGETHER)
    assert session.whoami()["pid"] == process
    assert text_of(channel.ask(5, "tools/call", session.tool("echo", "too"))["result"]) == "too"
    channel.close()
    assert "new_echo" in [tool["name"] for tool in opened(one, ledger, "").request("tools/list")["result"]["tools"]]
    assert opened(one, ledger, "kept").whoami()["pid"] != process


def test_a_session_of_several_servers_goes_on_when_another_comes(make_gateway, ledger):
    one = make_gateway({"first": plain(), "second": plain()})
    session, modern = opened(one, ledger, ""), ModernClient(one, ledger, "")

    def process():
        return session.call("first_whoami")["_meta"]["test/whoami"]["pid"]

    before = process()
    stream = modern.listen(toolsListChanged=True)
    assert stream.message()["method"] == "notifications/subscriptions/acknowledged"
    third = {**one.servers, "third": one._marked("third", plain())}
    apply(one, third, TOGETHER)
    assert process() == before
    assert "third_echo" not in [tool["name"] for tool in session.request("tools/list")["result"]["tools"]]
    assert stream.message()["result"]["resultType"] == "complete", "who listens is to come again"
    for client in (modern, opened(one, ledger, "")):
        assert "third_echo" in [tool["name"] for tool in client.request("tools/list")["result"]["tools"]]
    changed = {**third, "second": {**third["second"], "description": "another one"}}
    apply(one, changed, TOGETHER)
    assert session.post(rpc("tools/list", {}, 1)).status == 404
    assert text_of(modern.call("first_echo", "on")) == "on"


def test_the_bounds_of_a_server_hold_over_a_reload(make_gateway, ledger):
    one = make_gateway({"first": plain(limits={"sessions": 1}), "second": plain()}, TOGETHER)

    def reaches_first():
        session = opened(one, ledger, "")
        session.request("tools/list")
        return "result" in session.request("tools/call", session.tool("first_whoami"))

    assert reaches_first() and not reaches_first()
    apply(one, {**one.servers, "third": one._marked("third", plain())}, TOGETHER)
    assert not reaches_first()


def test_secrets_that_came_by_a_reload_are_in_no_line(make_gateway, ledger):
    one = make_gateway({"kept": plain()})
    script = str(SERVERS_FOLDER / "prying.py")
    told = {"command": sys.executable, "args": ["-S", "-E", script], "era": "legacy", "env": {"TOKEN": "quite-a-secret"}}
    apply(one, {**one.servers, "told": one._marked("told", told)}, TOGETHER)
    session = opened(one, ledger, "told")
    code = "import os, sys; print('it is', os.environ['TOKEN'], file=sys.stderr, flush=True); found = 1"
    assert session.request("tools/call", {"name": "run", "arguments": {"code": code}})["result"]

    def words():
        report = once(one.port, "GET", "/api/session_metrics").json()
        return next(server for server in report["servers"] if server["name"] == "told")["children"][0]["stderr_tail"]

    until(lambda: "it is" in words(), "the last words")
    assert words().strip() == "it is [redacted]"
