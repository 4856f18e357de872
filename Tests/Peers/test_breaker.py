"""A server that dies as soon as it is started: it is left alone, tried by one, and taken back when it works."""

import time

import pytest

from peers.gateway import bad
from peers.metrics import value
from peers.raw import LegacySession, ModernClient, text_of
from peers.waiting import until

STATED = {"framing": "newline", "era": "legacy"}


@pytest.fixture
def mode(tmp_path):
    """The file that tells the server what to do."""
    return tmp_path / "mode"


@pytest.fixture
def one(make_gateway, mode):
    mode.write_text("die")
    server = bad("governed", "--era", "legacy", env={"PEER_GATE": str(mode)}, max_restarts=0, **STATED)
    return make_gateway({"plain": server})


def starts(one):
    return len(one.journal("plain", "start"))


def asked(one):
    """Asks for a session; the reply."""
    session = LegacySession(one, None)
    return session.post(session.offer())


def is_refused(reply):
    """Whether nothing was started for it; then it has to say so, whose fault it is and when to come again."""
    if reply.status != 503 or "keeps dying" not in reply.json()["error"]["message"]:
        return False
    error = reply.json()["error"]
    assert error["code"] == -32603 and error["data"]["retryAfter"] >= 1
    assert int(reply.header("retry-after")) == error["data"]["retryAfter"]
    assert f"tried again in {error['data']['retryAfter']} s" in error["message"]
    return True


def opened(one, pause=1):
    """Asks until nothing is started any more, and for so many seconds at least."""

    def look():
        reply = asked(one)
        return is_refused(reply) and int(reply.header("retry-after")) >= pause

    until(look, f"a breaker that is open for {pause} s", timeout=20.0)


def test_the_first_deaths_are_told_as_they_are(one, ledger):
    for _ in range(5):
        reply = asked(one)
        assert reply.status == 503
        assert "the database is closed" in str(reply.json()["error"]), "its last words help to mend it"
    assert starts(one) == 5
    opened(one)
    assert "keeps dying as soon as it is started" in one.log


def test_while_it_is_open_calls_are_refused_at_once_and_nothing_is_started(one, ledger):
    opened(one, pause=4)
    before, began = starts(one), time.monotonic()
    replies = [asked(one) for _ in range(20)]
    answers = [ModernClient(one, ledger).send("tools/call", LegacySession.tool("echo", "x")) for _ in range(5)]
    if time.monotonic() - began < 3:
        assert starts(one) == before, "none of them has started a process"
        assert all(is_refused(reply) for reply in replies)
        assert all(is_refused(answer) for answer in answers)


def test_one_tries_while_the_others_wait_for_what_comes_of_it(one, mode, ledger):
    opened(one)
    before = starts(one)
    mode.write_text("hold")
    tries = []

    def try_again():
        session = LegacySession(one, ledger)
        tries.append(session.begin(session.offer()))
        return starts(one) > before

    until(try_again, "the one that is let through")
    assert all(is_refused(asked(one)) for _ in range(10))
    assert value(one, "gatehouse_server_left_alone", server="plain") == 1
    assert starts(one) == before + 1, "one process is tried, however many ask"
    mode.write_text("run")
    replies = [connection.read(exchange) for connection, exchange in tries]
    assert [reply.status for reply in replies].count(200) == 1
    assert text_of(LegacySession(one, ledger).open().call("echo", "back")) == "back"
    assert [asked(one).status for _ in range(8)] == [200] * 8, "it is closed again, for all"
    assert value(one, "gatehouse_server_left_alone", server="plain") == 0


def test_a_try_that_dies_opens_it_for_longer(one, ledger):
    opened(one)
    first = starts(one)
    opened(one, pause=2)
    assert starts(one) > first, "one process died in between"


def test_another_server_does_not_notice(make_gateway, mode, ledger):
    mode.write_text("die")
    sick = bad("governed", "--era", "legacy", env={"PEER_GATE": str(mode)}, max_restarts=0, **STATED)
    well = bad("governed", "--era", "legacy", env={"PEER_GATE": str(mode.with_name("well"))}, **STATED)
    mode.with_name("well").write_text("run")
    one = make_gateway({"plain": sick, "well": well})
    opened(one)
    assert text_of(LegacySession(one, ledger, "well").open().call("echo", "on")) == "on"
