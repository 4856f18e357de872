"""Parked calls and rounds at the end of things: of a process, of its time, of room for it, of the gateway."""

import pytest

from peers.gateway import plain
from peers.parking import ALL, Caller, Session, accepted, answers_to, asked, fresh_tag, is_cancelled, retried, runs
from peers.processes import is_alive
from peers.raw import error_of, text_of
from peers.waiting import until


def of_era(era, **more):
    return plain("--era", era, era=era, **more)


def pid_of(gateway, server, tag):
    (note,) = runs(gateway, server, tag)
    return note["pid"]


def test_a_parked_call_does_not_hold_up_the_end_of_the_gateway(make_gateway, ledger):
    gateway = make_gateway({"asks": of_era("legacy")}, {"timeouts": {"shutdownGrace": 60}})
    tag = fresh_tag()
    Caller(gateway, ledger).park("form_one", tag)
    pid = pid_of(gateway, "asks", tag)
    assert gateway.terminate(timeout=20) == 0
    assert not is_alive(pid)


def test_a_round_that_waits_for_the_user_is_ended_with_the_gateway(make_gateway, ledger):
    gateway = make_gateway({"modern": of_era("modern")}, {"timeouts": {"shutdownGrace": 0.5}})
    session = Session(gateway, ledger, server="modern").open()
    reply = session.start("one_round", fresh_tag())
    assert reply.message()["method"] == "elicitation/create"
    assert gateway.terminate(timeout=20) == 0
    rest = reply.messages()
    assert rest and "error" in rest[-1] and rest[-1]["id"] == 90, "the call is told, not dropped"


class TestAfterASecond:
    """With states that live for a second, a process of its own for each call, and sessions that idle for a second."""

    @pytest.fixture(scope="class")
    def hurried(self, make_gateway):
        servers = {"calls": of_era("legacy", isolation="call"), "session": of_era("legacy")}
        return make_gateway(servers, {"timeouts": {"requestState": 1, "session": 1}})

    def test_the_process_of_a_call_that_nobody_comes_back_for_ends(self, hurried, ledger):
        client, tag = Caller(hurried, ledger, "calls"), fresh_tag()
        result = client.park("form_one", tag)
        pid = pid_of(hurried, "calls", tag)
        until(lambda: not is_alive(pid), "the end of the process")
        assert answers_to(hurried, "calls", tag)[0]["result"] == {"action": "cancel"}
        assert error_of(client.retry("form_one", tag, result, {asked(result)[tag]: accepted()})) == -32602
        assert len(runs(hurried, "calls", tag)) == 1


def test_a_parked_call_outlives_the_idleness_of_its_process(make_gateway, ledger):
    """What ends an idle session does not end a process in which a call is parked."""
    servers = {"asks": of_era("legacy"), "clock": of_era("legacy")}
    gateway = make_gateway(servers, {"timeouts": {"requestState": 60, "session": 1}})
    client, tag = Caller(gateway, ledger), fresh_tag()
    result = client.park("form_one", tag)
    clock = Session(gateway, ledger, server="clock").open().whoami()["pid"]
    until(lambda: not is_alive(clock), "the end of a session that is idle", timeout=30)
    done = client.finish("form_one", tag, result, {asked(result)[tag]: accepted()})
    assert text_of(done) == f"done {tag}" and len(runs(gateway, "asks", tag)) == 1


@pytest.fixture
def narrow(make_gateway):
    return make_gateway({"asks": of_era("legacy", limits={"children": 2})})


def living(gateway):
    return {note["pid"] for note in gateway.journal("asks", "start") if is_alive(note["pid"])}


def test_an_idle_process_makes_room_for_other_capabilities(narrow, ledger):
    """Each set of capabilities needs a process of its own at a legacy server; one that is not used may go."""
    for declared in ({"elicitation": {}}, ALL, {}, {"roots": {}}, {"sampling": {}}):
        client = Caller(narrow, ledger, capabilities=declared)
        assert text_of(client.call("echo", str(declared))) == str(declared)
        until(lambda: len(living(narrow)) <= 2, "no more processes than are allowed")


def test_a_parked_call_is_not_given_up_for_anothers_sake(narrow, ledger):
    parked = []
    for declared in ({"elicitation": {}}, ALL):
        client, tag = Caller(narrow, ledger, capabilities=declared), fresh_tag()
        parked.append((client, tag, client.park("form_one", tag)))
    reply = Caller(narrow, ledger, capabilities={}).send("tools/list")
    assert reply.status == 503 and reply.header("retry-after")
    assert len(living(narrow)) == 2
    for client, tag, result in parked:
        assert text_of(client.finish("form_one", tag, result, {asked(result)[tag]: accepted()})) == f"done {tag}"


def test_a_call_that_was_woken_ends_with_its_caller(make_gateway, ledger, tmp_path):
    """The retry's stream is closed while the server works on: that cancels the call, as it would any other."""
    gateway = make_gateway({"asks": of_era("legacy")})
    client, tag = Caller(gateway, ledger), fresh_tag()
    result = client.park("form_and_wait", tag)
    params = {"name": "form_and_wait", "arguments": {"text": tag}, "requestState": result["requestState"]}
    params["inputResponses"] = {asked(result)[tag]: accepted("Ada")}
    connection, _ = client.begin(client.message("tools/call", params))
    until(lambda: answers_to(gateway, "asks", tag), "the answer at the server")
    connection.close()
    until(lambda: is_cancelled(gateway, "asks", tag), "the cancellation at the server")
    assert text_of(client.call("echo", "still")) == "still"
    assert len(runs(gateway, "asks", tag)) == 1


def test_a_question_of_a_call_that_was_given_up_is_asked_of_nobody(make_gateway, ledger, tmp_path):
    """The server has not yet heard that its caller is gone, and asks; another call waits for its turn meanwhile."""
    gateway = make_gateway({"asks": of_era("legacy")})
    client, lost, kept = Caller(gateway, ledger), str(tmp_path / "lost"), fresh_tag()
    gone, _ = client.begin(client.message("tools/call", retried("ponder", lost, {})))
    until(lambda: runs(gateway, "asks", lost), "the first call")
    gone.close()
    waiting = client.begin(client.message("tools/call", retried("form_one", kept, {})))
    (tmp_path / "lost").touch()
    result = waiting[0].read(waiting[1]).json()["result"]
    assert list(asked(result)) == [kept], "the question of another"
    done = client.finish("form_one", kept, result, {asked(result)[kept]: accepted(kept)})
    assert done["_meta"]["test/answers"] == [accepted(kept)]
    assert all("error" in answer for answer in answers_to(gateway, "asks", lost))


def test_a_server_that_hears_nothing_any_more_holds_up_nobody_for_ever(make_gateway, ledger, tmp_path):
    """It never reads that its call was given up; who waits behind it gets an answer or an error in bounded time."""
    gateway = make_gateway({"asks": of_era("legacy", request_timeout_seconds=1)}, {"timeouts": {"shutdownGrace": 1}})
    client, lost = Caller(gateway, ledger), str(tmp_path / "never")
    gone, _ = client.begin(client.message("tools/call", retried("ponder", lost, {})))
    until(lambda: runs(gateway, "asks", lost), "the first call")
    gone.close()
    for _ in range(2):
        message = client.retry("echo", "behind", {}, timeout=30).json(30)
        assert "error" in message or text_of(message["result"]) == "behind"
    (tmp_path / "never").touch()

    def works():
        message = client.retry("echo", "after", {}, timeout=30).json(30)
        return "result" in message and text_of(message["result"]) == "after"

    until(works, "an answer once it hears again", timeout=30)


@pytest.mark.parametrize("busy", ["form_one", "hold"])
def test_a_server_that_asks_on_after_its_caller_gave_up_asks_nobody(make_gateway, ledger, tmp_path, busy):
    """The parked call expires while another one has the turn, and the server does not take `cancel` for an answer."""
    servers = {"asks": of_era("legacy"), "clock": of_era("legacy")}
    gateway = make_gateway(servers, {"timeouts": {"requestState": 1}})
    client, clock = Caller(gateway, ledger), Caller(gateway, ledger, "clock")
    lost, gate, tag = fresh_tag(), tmp_path / "gate", fresh_tag()
    client.park("insists", lost)
    other = client.begin(client.message("tools/call", retried("hold", str(gate), {})))
    until(lambda: gateway.journal("asks", "hold"), "the other call")
    clock.park("form_one", tag)
    until(lambda: is_cancelled(gateway, "clock", tag), "the end of what was parked later")
    if busy == "form_one":
        next_one = client.begin(client.message("tools/call", retried("form_one", tag, {})))
    gate.touch()
    assert text_of(other[0].read(other[1]).json()["result"]) == "released"
    if busy == "form_one":
        result = next_one[0].read(next_one[1]).json()["result"]
        assert list(asked(result)) == [tag], "the question of another"
        client.finish("form_one", tag, result, {asked(result)[tag]: accepted()})
    until(lambda: is_cancelled(gateway, "asks", lost), "the cancellation at the server")
    assert text_of(client.call("echo", "still")) == "still"
    assert not [a for a in answers_to(gateway, "asks", lost) if a.get("result", {}).get("action") == "accept"]


def test_a_log_line_of_a_parked_call_is_not_told_to_another_caller(make_gateway, ledger, tmp_path):
    """It cannot be told whose it is, so it is nobody's."""
    gateway = make_gateway({"asks": of_era("legacy")})
    client, tag, gate = Caller(gateway, ledger), str(tmp_path / "parked"), tmp_path / "gate"
    result = client.park("log_while_asking", tag)
    params = {"name": "hold", "arguments": {"text": str(gate)}, "_meta": {"io.modelcontextprotocol/logLevel": "debug"}}
    other = client.begin(client.message("tools/call", params))
    until(lambda: gateway.journal("asks", "hold"), "the other call")
    (tmp_path / "parked").touch()
    until(lambda: gateway.journal("asks", "logged"), "the log of the parked call")
    gate.touch()
    reply = other[0].read(other[1])
    messages = reply.messages() if reply.is_stream else [reply.json()]
    assert text_of(messages[-1]["result"]) == "released"
    assert not [m for m in messages if m.get("method") == "notifications/message"], "the log of another"
    client.finish("log_while_asking", tag, result, {asked(result)[tag]: accepted()})


class TestPatience:
    """A call has a second at the server; the time that its caller takes to answer does not count."""

    @pytest.fixture(scope="class")
    def brisk(self, make_gateway):
        return make_gateway({era: of_era(era, request_timeout_seconds=1) for era in ("legacy", "modern")})

    @staticmethod
    def a_call_times_out(gateway, ledger):
        """A clock: a call that is never answered gets an error after its second."""
        client = Caller(gateway, ledger, "modern")
        assert "error" in client.request("tools/call", {"name": "wait", "arguments": {}}, timeout=20)

    def test_a_parked_call_is_not_in_a_hurry(self, brisk, ledger):
        client, tag = Caller(brisk, ledger, "legacy"), fresh_tag()
        result = client.park("form_one", tag)
        for _ in range(2):
            self.a_call_times_out(brisk, ledger)
        done = client.finish("form_one", tag, result, {asked(result)[tag]: accepted()})
        assert text_of(done) == f"done {tag}"

    def test_a_call_that_was_woken_is(self, brisk, ledger):
        client, tag = Caller(brisk, ledger, "legacy"), fresh_tag()
        result = client.park("form_and_wait", tag)
        answers = {asked(result)[tag]: accepted()}
        message = client.retry("form_and_wait", tag, result, answers, timeout=20).json(20)
        assert message["error"]["code"] == -32603
        until(lambda: is_cancelled(brisk, "legacy", tag), "the cancellation at the server")
        assert text_of(client.call("echo", "still")) == "still"

    def test_a_user_who_is_asked_is_not_in_a_hurry(self, brisk, ledger):
        session, tag = Session(brisk, ledger, server="modern").open(), fresh_tag()
        reply = session.start("one_round", tag)
        question = reply.message()
        for _ in range(2):
            self.a_call_times_out(brisk, ledger)
        session.answer(question, accepted())
        assert reply.message()["result"]["_meta"]["test/round"]["inputs"] == {"name": accepted()}
        session.delete()


class TestStates:
    """With states that live for a second."""

    @pytest.fixture(scope="class")
    def hurried(self, make_gateway):
        return make_gateway({"asks": of_era("legacy")}, {"timeouts": {"requestState": 1}})

    def test_a_client_that_never_answers_has_cancelled_and_the_call_ends(self, hurried, ledger):
        client, tag = Caller(hurried, ledger), fresh_tag()
        result = client.park("mixed", tag)
        until(lambda: is_cancelled(hurried, "asks", tag), "the cancellation at the server")
        elicited, sampled, listed = answers_to(hurried, "asks", tag)
        assert elicited["result"] == {"action": "cancel"}
        assert "error" in sampled and "error" in listed
        reply = client.retry("mixed", tag, result, {asked(result)["roots"]: {"roots": []}})
        assert error_of(reply) == -32602
        assert len(runs(hurried, "asks", tag)) == 1
        assert text_of(client.call("echo", "still")) == "still"

    def test_a_state_that_is_too_old_is_refused(self, hurried, ledger):
        client, tag = Caller(hurried, ledger), fresh_tag()
        result = client.park("form_one", tag)
        until(lambda: is_cancelled(hurried, "asks", tag), "the cancellation at the server")
        assert answers_to(hurried, "asks", tag)[0]["result"] == {"action": "cancel"}
        for _ in range(2):
            assert error_of(client.retry("form_one", tag, result, {asked(result)[tag]: accepted()})) == -32602
        assert len(runs(hurried, "asks", tag)) == 1 and len(answers_to(hurried, "asks", tag)) == 1
