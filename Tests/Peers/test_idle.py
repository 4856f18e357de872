"""Processes of callers without a session end when nobody has needed them for long, or when others need their place."""

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
