"""Processes that are kept ready: who gets one, who never does, and what becomes of those that nobody took."""

import os
import signal
import threading

import pytest

from peers.gateway import plain
from peers.processes import is_alive
from peers.raw import LegacySession, ModernClient, text_of
from peers.waiting import until

STATED = {"framing": "newline", "era": "legacy"}


def ready(one, count, server="plain"):
    """Waits until so many processes have been started in all; the newest."""
    until(lambda: len(one.journal(server, "start")) >= count, f"{count} processes")
    return one.journal(server, "start")[-1]["pid"]


def untouched(one, pid, server="plain"):
    """Whether a process was told nothing so far."""
    return not [note for note in one.journal(server, "read") if note["pid"] == pid]


def test_a_new_session_is_given_a_ready_process(make_gateway, ledger):
    one = make_gateway({"plain": plain("--era", "legacy", warm=1, **STATED)})
    first = ready(one, 1)
    assert untouched(one, first), "nobody has greeted it: that is for its session to do"
    session = LegacySession(one, ledger).open()
    assert session.whoami() == {**session.whoami(), "pid": first, "calls": 1}
    second = ready(one, 2)
    assert second != first and untouched(one, second)
    assert LegacySession(one, ledger).open().whoami()["pid"] == second
    assert session.whoami()["pid"] == first


def test_a_process_that_was_used_is_never_given_to_another_session(make_gateway, ledger):
    one = make_gateway({"plain": plain("--era", "legacy", warm=2, **STATED)})
    used = []
    for round in range(6):
        ready(one, round + 2)
        session = LegacySession(one, ledger).open()
        facts = session.whoami()
        assert facts["calls"] == 1 and facts["pid"] not in used
        used.append(facts["pid"])
        assert session.delete().status == 200
        until(lambda: not is_alive(used[-1]), "the end of the process with its session")
    for pid in used:
        greetings = [note for note in one.journal("plain", "read") if note["pid"] == pid]
        assert [note["message"]["method"] for note in greetings].count("initialize") == 1


def test_sessions_that_come_together_get_one_process_each(make_gateway, ledger):
    one = make_gateway({"plain": plain("--era", "legacy", warm=3, **STATED)})
    kept = {ready(one, 3), *(note["pid"] for note in one.journal("plain", "start"))}
    pids, failures = [], []

    def use():
        try:
            pids.append(LegacySession(one, None).open().whoami()["pid"])
        except AssertionError as error:
            failures.append(error)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures and len(set(pids)) == 8
    assert kept <= set(pids), "those that were ready go first"


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_each_call_of_its_own_gets_a_fresh_one(make_gateway, ledger, era):
    server = plain("--era", era, warm=1, isolation="call", framing="newline", era=era)
    one = make_gateway({"plain": server})
    client, pids = ModernClient(one, ledger), []
    for _ in range(4):
        before = set(pids)
        until(lambda: {n["pid"] for n in one.journal("plain", "start")} - before, "a process that is ready")
        facts = client.whoami()
        assert facts["calls"] == 1 and facts["pid"] not in pids
        pids.append(facts["pid"])


def test_a_ready_process_that_ends_is_made_up_for(make_gateway, ledger):
    one = make_gateway({"plain": plain("--era", "legacy", warm=1, **STATED)})
    first = ready(one, 1)
    os.kill(first, signal.SIGKILL)
    until(lambda: "a process that was kept ready ended" in one.log, "that it is noticed")
    second = ready(one, 2)
    assert LegacySession(one, ledger).open().whoami()["pid"] == second != first


def test_a_ready_process_gives_way_to_a_session_of_another_server(make_gateway, ledger):
    servers = {"plain": plain("--era", "legacy", warm=1, **STATED), "other": plain("--era", "legacy", **STATED)}
    one = make_gateway(servers, {"limits": {"children": 1}})
    first = ready(one, 1)
    session = LegacySession(one, ledger, "other").open()
    assert text_of(session.call("echo", "on")) == "on"
    until(lambda: not is_alive(first), "the end of the one that was ready")
    assert session.delete().status == 200
    assert untouched(one, ready(one, 2)), "when the place is free again, one is kept ready again"


def test_a_ready_process_does_not_count_against_anybody(make_gateway, ledger):
    one = make_gateway({"plain": plain("--era", "legacy", warm=2, **STATED)}, {"limits": {"childrenPerPrincipal": 1}})
    ready(one, 2)
    LegacySession(one, ledger).open()
    late = LegacySession(one, ledger)
    assert "Too many processes of yours run" in late.post(late.offer()).json()["error"]["message"]
    assert len(one.journal("plain", "start")) >= 2


def test_what_is_ready_ends_with_the_gateway_and_with_its_configuration(make_gateway, ledger):
    one = make_gateway({"plain": plain("--era", "legacy", warm=2, **STATED)})
    pids = [ready(one, 2), one.journal("plain", "start")[0]["pid"]]
    one.config.write_text(one.config.read_text().replace('"warm": 2', '"warm": 0'))
    until(lambda: not any(map(is_alive, pids)), "the end of those that were ready")
    assert text_of(LegacySession(one, ledger).open().call("echo", "on")) == "on"
