"""Another configuration while the gateway runs: what changed is replaced, what did not change does not notice."""

import json
import os
import signal

import pytest

from peers.gateway import plain
from peers.raw import LegacySession, ModernClient, rpc, text_of
from peers.waiting import until


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
