"""Another configuration while the gateway runs: what changed is replaced, what did not change does not notice."""

import json
import os
import signal

import pytest

from peers.gateway import plain
from peers.raw import LegacySession, ModernClient, rpc, text_of
from peers.waiting import until


@pytest.fixture
def gateway(make_gateway):
    return make_gateway({"kept": plain(), "changed": plain(), "gone": plain()}, {"federation": False})


def write(gateway, servers, settings=None):
    document = {"mcpServers": servers, "gateway": settings or {"federation": False}}
    fresh = gateway.folder / "fresh.json"
    fresh.write_text(json.dumps(document))
    fresh.replace(gateway.config)


def apply(gateway, servers, settings=None):
    """Writes the file and asks for it; waits until the gateway says that it is used."""
    before = gateway.log.count("the configuration is used")
    write(gateway, servers, settings)
    os.kill(gateway.pid, signal.SIGHUP)
    until(lambda: gateway.log.count("the configuration is used") > before, "the new configuration")


def opened(gateway, ledger, server):
    return LegacySession(gateway, ledger, server=server).open()


def refused(session):
    """The status with which a session cannot be opened."""
    return session.post(session.offer()).status


def test_servers_come_and_go_and_the_others_do_not_notice(gateway, ledger):
    kept, changed = opened(gateway, ledger, "kept"), opened(gateway, ledger, "changed")
    process = gateway.children("kept")
    servers = dict(gateway.servers)
    del servers["gone"]
    servers["changed"] = {**servers["changed"], "description": "another one"}
    servers["new"] = gateway._marked("new", plain())
    apply(gateway, servers)
    assert text_of(kept.call("echo", "still here")) == "still here"
    assert gateway.children("kept") == process
    assert text_of(opened(gateway, ledger, "new").call("echo", "hello")) == "hello"
    assert changed.post(rpc("tools/list", {}, 1)).status == 404
    assert refused(LegacySession(gateway, ledger, server="gone")) == 404
    until(lambda: not gateway.children("gone"), "the end of what is gone")


@pytest.mark.parametrize(
    "text, said",
    [
        ("{", "gatehouse.json"),
        ('{"mcpServers": {"kept": {"comand": "x"}}}', "comand"),
        ('{"mcpServers": {"kept": {"command": "/bin/cat"}}, "gateway": {"prot": 1}}', "prot"),
    ],
)
def test_a_bad_file_changes_nothing_and_says_why(gateway, ledger, text, said):
    session = opened(gateway, ledger, "kept")
    gateway.config.write_text(text)
    os.kill(gateway.pid, signal.SIGHUP)
    until(lambda: "nothing has changed" in gateway.log and said in gateway.log, "what is wrong with the file")
    assert text_of(session.call("echo", "on")) == "on"


def test_a_file_that_was_written_is_read_without_being_asked(gateway, ledger):
    write(gateway, {**gateway.servers, "new": gateway._marked("new", plain())})
    until(lambda: "the configuration is used" in gateway.log, "the new configuration")
    assert text_of(opened(gateway, ledger, "new").call("echo", "hello")) == "hello"


def test_calls_of_a_changed_server_may_finish(gateway, ledger, tmp_path):
    released = tmp_path / "released"
    session = opened(gateway, ledger, "changed")
    connection, exchange = session.begin(rpc("tools/call", session.tool("hold", str(released)), 5))
    until(lambda: gateway.journal("changed", "hold"), "the call at the server")
    apply(gateway, {**gateway.servers, "changed": {**gateway.servers["changed"], "description": "another one"}})
    released.touch()
    reply = connection.read(exchange)
    messages = reply.messages() if reply.is_stream else [reply.json()]
    assert text_of(messages[-1]["result"]) == "released"


def test_limits_take_effect_and_sessions_stay(gateway, ledger):
    session = opened(gateway, ledger, "kept")
    apply(gateway, gateway.servers, {"federation": False, "limits": {"sessions": 1}})
    assert refused(LegacySession(gateway, ledger, server="kept")) == 503
    assert text_of(session.call("echo", "on")) == "on"


def test_what_needs_a_restart_is_said(gateway, ledger):
    apply(gateway, gateway.servers, {"federation": False, "host": "127.0.0.2"})
    assert "gateway.host" in gateway.log and "restart" in gateway.log


def test_modern_callers_do_not_notice_many_reloads(gateway, ledger):
    client = ModernClient(gateway, ledger, server="kept")
    for index in range(20):
        apply(gateway, {**gateway.servers, "changed": {**gateway.servers["changed"], "description": str(index)}})
        assert text_of(client.call("echo", str(index))) == str(index)
