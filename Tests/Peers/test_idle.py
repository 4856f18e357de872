"""Processes of callers without a session end when nobody has needed them for long, when others need their place, or
when a schedule says so."""

import threading

import pytest

from peers.gateway import plain
from peers.parking import ALL, Caller, accepted
from peers.processes import is_alive
from peers.raw import LegacySession, text_of
from peers.waiting import until

TASKS = "io.modelcontextprotocol/tasks"
SERVERS = {
    **{era: plain("--era", era, era=era) for era in ("legacy", "modern")},
    **{f"clock-{era}": plain("--era", era, era=era) for era in ("legacy", "modern")},
    **{f"two-{era}": plain("--era", era, era=era, limits={"children": 2}) for era in ("legacy", "modern")},
}
SETTINGS = {"timeouts": {"session": 1, "requestState": 60}}


@pytest.fixture(params=["legacy", "modern"])
def era(request):
    return request.param


def pid_of(client):
    return client.whoami()["pid"]


def idleness_passes(gateway, ledger, era):
    """A clock: another server's process is used, and then ends because it is not."""
    pid = pid_of(Caller(gateway, ledger, f"clock-{era}"))
    until(lambda: not is_alive(pid), "the end of a process that is idle", timeout=20)


def test_a_process_that_nobody_needs_ends_and_the_next_call_starts_another(gateway, ledger, era):
    client = Caller(gateway, ledger, era)
    pid = pid_of(client)
    until(lambda: not is_alive(pid), "the end of a process that is idle", timeout=20)
    assert pid_of(client) != pid


def test_a_listen_keeps_its_process(gateway, ledger, era):
    client = Caller(gateway, ledger, era)
    pid, stream = pid_of(client), client.listen(id="kept", toolsListChanged=True)
    assert stream.message()["method"] == "notifications/subscriptions/acknowledged"
    idleness_passes(gateway, ledger, era)
    assert pid_of(client) == pid
    client.call("change")
    assert stream.message()["method"] == "notifications/tools/list_changed"
    stream.connection.close()


def test_a_running_call_keeps_its_process(gateway, ledger, era, tmp_path):
    client, gate = Caller(gateway, ledger, era), tmp_path / "gate"
    connection, exchange = client.begin(client.message("tools/call", LegacySession.tool("hold", str(gate))))
    until(lambda: [n for n in gateway.journal(era, "hold") if n["path"] == str(gate)], "the call")
    idleness_passes(gateway, ledger, era)
    gate.touch()
    assert text_of(connection.read(exchange).json()["result"]) == "released"


def test_a_task_keeps_its_process(gateway, ledger):
    client = Caller(gateway, ledger, "modern", {"extensions": {TASKS: {}}})
    name = client.call("task", "working")["taskId"]
    idleness_passes(gateway, ledger, "modern")
    state = client.send("tasks/get", {"taskId": name}, {"Mcp-Name": name}).json()
    assert state["result"]["status"] == "working"


def test_a_round_can_be_answered_although_its_process_has_idled(gateway, ledger):
    """A state is taken back as long as it lives, whether the process is kept or another takes its place."""
    client = Caller(gateway, ledger, "modern")
    result = client.park("one_round", "words")
    idleness_passes(gateway, ledger, "modern")
    done = client.finish("one_round", "words", result, {"name": accepted()})
    assert text_of(done) == "done words"


# An hour without use, so that nothing ends by being idle.
LONG = {"timeouts": {"session": 3600}}
EVERY_SECOND = {**LONG, "cleanupSchedule": "* * * * * *"}


def cleanings(gateway):
    return gateway.log.count("cleaning up, as scheduled")


def test_a_schedule_ends_a_process_that_nobody_needs_and_without_one_it_stays(make_gateway, ledger, era):
    servers = {"plain": plain("--era", era, era=era)}
    kept, cleaned = make_gateway(servers, LONG), make_gateway(servers, EVERY_SECOND)
    patient, client = Caller(kept, ledger, "plain"), Caller(cleaned, ledger, "plain")
    staying = pid_of(patient)
    for _ in range(3):
        pid = pid_of(client)
        until(lambda: not is_alive(pid), "the end of a process that nobody needs when it is time", timeout=20)
    assert cleanings(cleaned) >= 3 and cleanings(kept) == 0
    assert pid_of(patient) == staying, "it has been idle for longer than each of those that ended"


def test_a_schedule_leaves_a_running_call_a_listen_and_a_session(make_gateway, ledger, era, tmp_path):
    gateway = make_gateway({name: plain("--era", era, era=era) for name in ("call", "listen", "session")}, EVERY_SECOND)
    session = LegacySession(gateway, ledger, "session").open()
    listening, calling = Caller(gateway, ledger, "listen"), Caller(gateway, ledger, "call")
    stream = listening.listen(id="kept", toolsListChanged=True)
    assert stream.message()["method"] == "notifications/subscriptions/acknowledged"
    gate = tmp_path / "gate"
    connection, exchange = calling.begin(calling.message("tools/call", LegacySession.tool("hold", str(gate))))
    held = until(lambda: gateway.journal("call", "hold"), "the call")
    pids = [session.whoami()["pid"], pid_of(listening), held[0]["pid"]]
    before = cleanings(gateway)
    until(lambda: cleanings(gateway) >= before + 3, "three times of the schedule", timeout=20)
    assert all(is_alive(pid) for pid in pids)
    gate.touch()
    assert text_of(connection.read(exchange).json()["result"]) == "released"
    until(lambda: not is_alive(pids[2]), "the end of the process whose call is over", timeout=20)
    listening.call("change")
    assert stream.message()["method"] == "notifications/tools/list_changed"
    assert session.whoami()["pid"] == pids[0], "no session has ended"
    stream.connection.close()


def test_callers_with_many_sets_of_capabilities_share_the_places(gateway, ledger, era):
    """There are places for two processes: each call is answered or told to come again, and nobody waits for ever."""
    sets = (ALL, {}, {"elicitation": {}}, {"roots": {}}, {"sampling": {}})
    said = []

    def work(declared):
        client = Caller(gateway, ledger, f"two-{era}", declared)
        for turn in range(6):
            reply = client.send("tools/call", LegacySession.tool("echo", str(turn)), timeout=30)
            message = reply.json(30)
            said.append(text_of(message["result"]) == str(turn) if "result" in message else reply.status)

    threads = [threading.Thread(target=work, args=(declared,)) for declared in sets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
        assert not thread.is_alive(), "a client waits for ever"
    assert len(said) == 30 and True in said and set(said) <= {True, 503}
    alone = Caller(gateway, ledger, f"two-{era}", {"sampling": {"context": {}}})
    assert text_of(alone.call("echo", "at last")) == "at last"
