"""How much one client may have: sessions and processes, however they are asked for, and what the refusals say."""

import json
import os
import signal

import pytest

from peers.channels import Channel
from peers.gateway import Gateway, bad, plain
from peers.metrics import value
from peers.processes import end_all
from peers.raw import LegacySession, ModernClient, rpc, text_of
from peers.waiting import until

LEGACY = {"era": "legacy", "framing": "newline"}


@pytest.fixture
def gate(tmp_path):
    """A file that servers wait for before they answer `initialize`."""
    return tmp_path / "gate"


def held(gate, **more):
    return bad("held", "--era", "legacy", env={"PEER_GATE": str(gate)}, **LEGACY, **more)


def refusal(reply):
    """What a refusal for want of room says; it has to say when to come again."""
    assert reply.status == 503, reply.status
    assert int(reply.header("retry-after")) >= 1
    error = reply.json()["error"]
    assert error["code"] == -32603
    return error["message"]


def offers(one, ledger, count, server="plain"):
    """Sends `initialize` so often at once; what to read the answers with."""
    sessions = [LegacySession(one, ledger, server) for _ in range(count)]
    return [session.begin(session.offer()) for session in sessions]


@pytest.mark.parametrize("whose", ["gateway", "server"])
def test_asking_for_many_sessions_at_once_gets_no_more_than_one_after_the_other(make_gateway, ledger, gate, whose):
    limits = {"limits": {"sessionsPerPrincipal": 3}}
    one = make_gateway({"plain": held(gate, **(limits if whose == "server" else {}))}, limits if whose == "gateway" else None)
    waiting = offers(one, ledger, 10)
    until(lambda: len(one.seen("plain", "initialize")) == 3, "three sessions on their way")
    until(lambda: one.log.count("Too many sessions of yours are open") >= 7, "the others are refused")
    gate.touch()
    replies = [connection.read(exchange) for connection, exchange in waiting]
    assert sorted(reply.status for reply in replies) == [200] * 3 + [503] * 7
    assert {refusal(reply) for reply in replies if reply.status == 503} == {
        "Too many sessions of yours are open; end one, or try again later"
    }
    assert len(one.journal("plain", "start")) == 3
    session = LegacySession(one, ledger)
    session.id = next(reply.header("mcp-session-id") for reply in replies if reply.status == 200)
    assert session.delete().status == 200
    LegacySession(one, ledger).open()


def test_an_event_stream_counts_as_the_session_that_it_is_for(make_gateway, ledger):
    one = make_gateway({"plain": plain("--era", "legacy", **LEGACY)}, {"limits": {"sessionsPerPrincipal": 2}})
    first, second = Channel(one, "plain").open(), Channel(one, "plain").open()
    third = Channel(one, "plain")
    assert third.response.status_code == 503 and 3 <= int(third.response.headers["retry-after"]) <= 7
    refused = LegacySession(one, ledger)
    assert "sessions of yours" in refusal(refused.post(refused.offer()))
    assert first.greet()["result"]["serverInfo"]["name"] == "plain", "its place is its own"
    assert "sessions of yours" in refusal(refused.post(refused.offer()))
    second.close()
    until(lambda: refused.post(refused.offer()).status == 200, "the place of the stream that was closed")
    for channel in (first, second, third):
        channel.end()


def test_a_session_that_waits_for_its_server_keeps_its_place(make_gateway, ledger, gate):
    one = make_gateway({"plain": held(gate)}, {"limits": {"sessionsPerPrincipal": 1}})
    connection, _ = offers(one, ledger, 1)[0]
    until(lambda: one.seen("plain", "initialize"), "the session on its way")
    channel = Channel(one, "plain")
    assert channel.response.status_code == 503
    connection.close()
    gate.touch()
    until(lambda: LegacySession(one, ledger).post(LegacySession(one, ledger).offer()).status == 200, "the place is free")
    channel.end()


def test_sessions_that_are_brought_back_count_while_they_are(tmp_path, ledger, gate):
    gate.touch()
    one = Gateway(tmp_path / "gateway", {"plain": held(gate)}, {"state": str(tmp_path / "state")}).start()
    try:
        sessions = [LegacySession(one, ledger).open() for _ in range(3)]
        assert LegacySession(one, ledger).open().delete().status == 200, "all of them are written"
        one.settings["limits"] = {"sessionsPerPrincipal": 1}
        one.restart()
        gate.unlink()
        waiting = [session.begin(json.dumps({"jsonrpc": "2.0", "id": 9, "method": "ping"}).encode()) for session in sessions]
        until(lambda: one.log.count("Too many sessions of yours") == 2, "the refusal of the others")
        gate.touch()
        replies = [connection.read(exchange) for connection, exchange in waiting]
        assert sorted(reply.status for reply in replies) == [200, 503, 503]
        for reply in replies:
            assert reply.status == 200 or "sessions of yours" in refusal(reply)
        assert len([note for note in one.seen("plain", "initialize")]) == 5
    finally:
        one.kill()
        end_all(one.run)


def test_processes_of_one_client_are_refused_in_their_own_words(make_gateway, ledger):
    servers = {"plain": plain("--era", "legacy", **LEGACY), "other": plain("--era", "legacy", **LEGACY)}
    one = make_gateway(servers, {"limits": {"childrenPerPrincipal": 2}})
    sessions = [LegacySession(one, ledger, server).open() for server in servers]
    late = LegacySession(one, ledger)
    assert refusal(late.post(late.offer())) == "Too many processes of yours run; try again later"
    reply = ModernClient(one, ledger).send("tools/call", LegacySession.tool("echo", "x"))
    assert "processes of yours" in refusal(reply)
    assert text_of(sessions[0].call("echo", "on")) == "on"
    assert sessions[1].delete().status == 200
    until(lambda: not one.children("other"), "the end of the process")
    until(lambda: late.post(late.offer()).status == 200, "the place of the process that has ended")


def test_a_limit_of_all_has_other_words_than_that_of_one(make_gateway, ledger):
    one = make_gateway({"plain": plain("--era", "legacy", **LEGACY)}, {"limits": {"sessions": 2, "children": 1}})
    LegacySession(one, ledger).open()
    late = LegacySession(one, ledger)
    assert refusal(late.post(late.offer())) == "Too many processes run; try again later"


def test_a_server_has_a_limit_of_processes_for_each_client(make_gateway, ledger):
    limited = plain("--era", "legacy", limits={"childrenPerPrincipal": 1}, **LEGACY)
    one = make_gateway({"plain": limited, "other": plain("--era", "legacy", **LEGACY)})
    LegacySession(one, ledger).open()
    late = LegacySession(one, ledger)
    assert refusal(late.post(late.offer())) == "Too many processes of yours run; try again later"
    LegacySession(one, ledger, "other").open()


def test_a_session_whose_place_was_taken_waits_for_it_and_is_not_given_up(make_gateway, ledger):
    servers = {name: plain("--era", "legacy", **LEGACY) for name in ("first", "second")}
    one = make_gateway(servers, {"limits": {"children": 1}})
    first = LegacySession(one, ledger, "first").open()
    os.kill(first.whoami()["pid"], signal.SIGKILL)
    until(lambda: not one.children("first"), "the end of its process")
    second = LegacySession(one, ledger, "second").open()
    # More often than a server is started again that keeps dying: nothing was tried.
    for _ in range(6):
        reply = first.post(rpc("tools/call", first.tool("echo", "x"), 7))
        assert refusal(reply) == "Too many processes run; try again later"
    answer = ModernClient(one, ledger, "first").send("tools/list")
    assert refusal(answer) == "Too many processes run; try again later"
    assert second.delete().status == 200
    until(lambda: not one.children("second"), "the place")
    assert text_of(first.call("echo", "again")) == "again"
    assert value(one, "gatehouse_child_restarts_total", server="first") == 1
