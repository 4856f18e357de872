"""A legacy session in front of a modern server: rounds, subscriptions, tasks and levels of log, by hand."""

import json

import pytest

from peers.gateway import bad, plain
from peers.parking import Session, accepted, fresh_tag, modelled
from peers.processes import is_alive
from peers.raw import LegacySession, ModernClient, error_of, rpc, text_of
from peers.waiting import until

SERVERS = {
    "modern": plain("--era", "modern", era="modern"),
    "legacy": plain("--era", "legacy", era="legacy"),
    "lists": bad("needs_input_in_list", "--era", "modern", era="modern"),
}
TASKS = "io.modelcontextprotocol/tasks"
PREFIX = "io.modelcontextprotocol/"


@pytest.fixture
def open_session(gateway, ledger):
    opened = []

    def make(*arguments, **more):
        opened.append(Session(gateway, ledger, *arguments, **more).open())
        return opened[-1]

    yield make
    for session in opened:
        session.delete()


@pytest.fixture
def session(open_session):
    return open_session()


def noted(gateway, event, tag):
    return [note for note in gateway.journal("modern", event) if note.get("tag") == tag]


def read(gateway, pid, method):
    return [
        note["message"]
        for note in gateway.journal("modern", "read")
        if note["pid"] == pid and note["message"].get("method") == method
    ]


def test_a_round_is_a_request_and_the_state_goes_back_as_it_was(gateway, session):
    tag = fresh_tag() + ' "quoted" \\ ü'
    asked, last = session.converse("one_round", tag, [accepted()])
    assert [question["method"] for question in asked] == ["elicitation/create"]
    assert asked[0]["params"]["message"] == tag and asked[0]["params"].get("mode", "form") == "form"
    facts = last["result"]["_meta"]["test/round"]
    assert facts["inputs"] == {"name": accepted()}
    assert json.loads(facts["state"]) == {"tag": tag}
    (first,), (second,) = noted(gateway, "asked", tag), noted(gateway, "retried", tag)
    assert first["id"] != second["id"], "a retry is a request of its own"


def test_a_server_that_always_asks_is_asked_ten_times_again(gateway, session):
    tag = fresh_tag()
    asked, last = session.converse("always_asks", tag, [accepted()] * 20)
    assert [question["params"]["message"] for question in asked] == [f"round {n}" for n in range(1, 11)]
    assert len({question["id"] for question in asked}) == 10
    assert last["error"]["code"] == -32603
    assert [note["number"] for note in noted(gateway, "round", tag)] == list(range(11))
    assert text_of(session.call("echo", "still")) == "still"


def test_a_server_that_always_wants_to_be_called_again_is_not(gateway, session):
    tag = fresh_tag()
    assert "error" in session.request("tools/call", session.tool("always_again", tag))
    assert len(noted(gateway, "again", tag)) <= 11
    assert text_of(session.call("echo", "still")) == "still"


def test_what_the_client_did_not_declare_is_an_error(gateway, open_session):
    session = open_session({"roots": {}})
    for tool in ("needs_capability", "asks_undeclared"):
        error = session.request("tools/call", session.tool(tool))["error"]
        assert error["code"] == -32021 and error["data"]["requiredCapabilities"] == {"sampling": {}}
        assert not session.notices, "the client was not asked"
    error = session.request("tools/call", session.tool("one_round", fresh_tag()))["error"]
    assert error["code"] == -32021 and "elicitation" in error["data"]["requiredCapabilities"]
    assert not session.notices


def test_a_declared_capability_reaches_the_server(session):
    assert text_of(session.call("needs_capability")) == "declared"
    asked, last = session.converse("asks_undeclared", None, [modelled()])
    assert [question["method"] for question in asked] == ["sampling/createMessage"]
    assert last["result"]["_meta"]["test/inputs"] == {"model": modelled()}


def test_a_call_taken_back_during_a_round_is_not_continued(gateway, session):
    tag = fresh_tag()
    reply = session.start("one_round", tag, id=91)
    question = reply.message()
    assert session.post(rpc("notifications/cancelled", {"requestId": 91})).status == 202
    rest = reply.messages()
    withdrawn = [m for m in rest if m.get("method") == "notifications/cancelled"]
    assert [m["params"]["requestId"] for m in withdrawn] == [question["id"]], "the question is taken back"
    assert not [m for m in rest if m.get("id") == 91], "a call that was cancelled has no answer"
    assert session.post({"jsonrpc": "2.0", "id": question["id"], "result": accepted()}).status == 202
    assert text_of(session.call("echo", "still")) == "still"
    assert not noted(gateway, "retried", tag)


def test_a_session_that_ends_during_a_round_ends_the_call(gateway, session):
    tag = fresh_tag()
    reply = session.start("one_round", tag)
    assert reply.message()["method"] == "elicitation/create"
    (pid,) = {note["pid"] for note in noted(gateway, "asked", tag)}
    session.delete()
    until(lambda: not is_alive(pid), "the end of the session's process")
    assert not noted(gateway, "retried", tag)


def test_an_answer_to_another_sessions_question_is_not_taken(gateway, session, open_session):
    tag, other = fresh_tag(), open_session()
    reply = session.start("one_round", tag)
    question = reply.message()
    stolen = {"jsonrpc": "2.0", "id": question["id"], "result": accepted("Mallory")}
    assert other.post(stolen).status in (202, 400, 404)
    session.answer(question, accepted("Ada"))
    last = reply.message()
    assert last["result"]["_meta"]["test/round"]["inputs"] == {"name": accepted("Ada")}


def test_a_client_that_loses_its_stream_in_a_round_gets_the_question_again(gateway, session):
    tag = fresh_tag()
    reply = session.start("one_round", tag)
    primer, event = reply.event(), reply.event()
    assert primer.is_priming and "elicitation/create" in event.data
    reply.connection.reset()
    again = session.stream(last=primer.id)
    question = again.message()
    assert question["method"] == "elicitation/create" and question["params"]["message"] == tag
    session.answer(question, accepted())
    assert again.message()["result"]["_meta"]["test/round"]["inputs"] == {"name": accepted()}
    assert len(noted(gateway, "asked", tag)) == 1 and len(noted(gateway, "retried", tag)) == 1


def test_a_client_that_answers_without_a_stream_finds_the_result_when_it_is_back(gateway, session):
    tag = fresh_tag()
    reply = session.start("one_round", tag)
    reply.event()
    event = reply.event()
    question = json.loads(event.data)
    reply.connection.reset()
    session.answer(question, accepted())
    until(lambda: noted(gateway, "retried", tag), "the retry at the server")
    back = session.stream(last=event.id)
    assert back.message()["result"]["_meta"]["test/round"]["inputs"] == {"name": accepted()}


def test_all_questions_of_a_round_are_asked_before_the_call_goes_on(gateway, session):
    tag = fresh_tag()
    reply = session.start("all_kinds", tag)
    questions = {message["method"]: message for message in (reply.message() for _ in range(3))}
    session.answer(questions["roots/list"], {"roots": []})
    session.answer(questions["sampling/createMessage"], modelled())
    assert text_of(session.call("echo", "meanwhile")) == "meanwhile"
    assert not noted(gateway, "retried", tag), "one answer is missing"
    session.answer(questions["elicitation/create"], accepted())
    inputs = {"name": accepted(), "model": modelled(), "roots": {"roots": []}}
    assert reply.message()["result"]["_meta"]["test/inputs"] == inputs


def test_an_error_of_the_client_closes_a_form_and_ends_the_call_else(gateway, session):
    tag = fresh_tag()
    reply = session.start("all_kinds", tag)
    questions = {message["method"]: message for message in (reply.message() for _ in range(3))}

    def refuse(question):
        error = {"code": -32097, "message": "not now"}
        assert session.post({"jsonrpc": "2.0", "id": question["id"], "error": error}).status == 202

    refuse(questions["elicitation/create"])
    refuse(questions["sampling/createMessage"])
    rest = reply.messages()
    assert (rest[-1]["error"]["code"], rest[-1]["error"]["message"]) == (-32097, "not now")
    withdrawn = [m["params"]["requestId"] for m in rest if m.get("method") == "notifications/cancelled"]
    assert withdrawn == [questions["roots/list"]["id"]], "the question that is still open is taken back"
    assert not noted(gateway, "retried", tag)
    tag = fresh_tag()
    reply = session.start("one_round", tag)
    refuse(reply.message())
    assert reply.message()["result"]["_meta"]["test/round"]["inputs"] == {"name": {"action": "cancel"}}


@pytest.mark.parametrize(
    "wrong",
    [
        "nothing",
        "a list",
        "a state that is no string",
        "an unknown question",
        "a question without a method",
        "a form without a schema",
        "too many",
    ],
)
def test_a_round_that_makes_no_sense_is_an_error(session, wrong):
    answer = session.request("tools/call", session.tool("malformed_round", wrong))
    assert answer["error"]["code"] == -32603 and not session.notices
    assert text_of(session.call("echo", "still")) == "still"


def test_a_list_that_needs_input_is_an_error(gateway, ledger, open_session):
    assert open_session(server="lists").request("tools/list")["error"]["code"] == -32603
    assert error_of(ModernClient(gateway, ledger, "lists").send("tools/list")) == -32603


def test_a_server_that_dies_in_a_round_leaves_nobody_waiting(gateway, session):
    tag = fresh_tag()
    reply = session.start("one_round", tag)
    question = reply.message()
    assert "error" in session.request("tools/call", session.tool("crash"))
    session.answer(question, accepted())
    last = reply.message()
    assert "error" in last or last["result"]["_meta"]["test/round"]["inputs"] == {"name": accepted()}
    assert text_of(session.call("echo", "still")) == "still"


def test_rounds_of_concurrent_calls_keep_apart(gateway, session):
    tags = [fresh_tag() for _ in range(8)]
    replies = {tag: session.start("one_round", tag, id=tag) for tag in tags}
    questions = {tag: reply.message() for tag, reply in replies.items()}
    for tag in reversed(tags):
        assert questions[tag]["params"]["message"] == tag, "on the stream of its own call"
        session.answer(questions[tag], accepted(tag))
    for tag, reply in replies.items():
        assert reply.message()["result"]["_meta"]["test/round"]["inputs"] == {"name": accepted(tag)}


def test_a_type_of_result_that_nobody_knows_is_not_passed_on(session, gateway, ledger):
    assert session.request("tools/call", session.tool("odd_type"))["error"]["code"] == -32603
    reply = ModernClient(gateway, ledger, "modern").send("tools/call", session.tool("odd_type"))
    assert error_of(reply) == -32603


@pytest.mark.parametrize("server", ["modern", "legacy"])
@pytest.mark.parametrize("code", [-32020, -32022])
def test_an_error_about_the_servers_own_hop_is_not_told_as_the_callers(gateway, ledger, open_session, server, code):
    session = open_session(server=server)
    call = session.tool("hop_error", str(code))
    reply = ModernClient(gateway, ledger, server).send("tools/call", call)
    assert error_of(reply) == -32603
    if server == "modern":
        assert session.request("tools/call", call)["error"]["code"] == -32603


def test_each_request_says_what_the_client_said_at_its_beginning(session):
    meta = session.call("envelope", meta={"progressToken": "mine", "example.com/kept": {"a": 1}})["_meta"]["test/meta"]
    assert meta[PREFIX + "protocolVersion"] == "2026-07-28"
    assert meta[PREFIX + "clientInfo"] == {"name": "wire", "version": "1"}
    declared = {name: value for name, value in meta[PREFIX + "clientCapabilities"].items() if name != "extensions"}
    assert declared == {"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}}
    assert meta["example.com/kept"] == {"a": 1} and meta["progressToken"] != "mine"
    assert PREFIX + "logLevel" not in meta


def test_a_ping_is_answered_here(gateway, session):
    assert session.request("ping")["result"] == {}
    assert not gateway.seen("modern", "ping")


@pytest.mark.parametrize(
    "method", ["server/discover", "subscriptions/listen", "tasks/get", "tasks/update", "tasks/cancel", "tasks/list"]
)
def test_methods_of_the_modern_era_do_not_exist_in_a_session(session, method):
    params = {"notifications": {}, "taskId": "task-1", "inputResponses": {}}
    assert session.request(method, params)["error"]["code"] == -32601


class TestLogs:
    def test_the_level_of_the_session_goes_with_each_request(self, session):
        assert text_of(session.call("logs")) == "None" and not session.notices
        assert session.request("logging/setLevel", {"level": "warning"})["result"] == {}
        assert text_of(session.call("logs")) == "warning"
        assert [notice["params"]["data"] for notice in session.notices] == ["info for warning", "error for warning"]

    def test_a_level_that_does_not_exist_is_refused(self, session):
        assert session.request("logging/setLevel", {"level": "loud"})["error"]["code"] == -32602
        assert text_of(session.call("logs")) == "None"

    def test_one_sessions_level_is_not_anothers(self, session, open_session):
        session.request("logging/setLevel", {"level": "debug"})
        assert text_of(open_session().call("logs")) == "None"


class TestSubscriptions:
    """The session holds one listen; a change opens the next, awaits its acknowledgement, then ends the old."""

    @staticmethod
    def listens(gateway, pid):
        """What the server was told of listens, in order: their filters by id, and the ids that were ended."""
        told = []
        for note in gateway.journal("modern", "read"):
            message = note["message"]
            if note["pid"] == pid and message.get("method") == "subscriptions/listen":
                told.append(("open", message["id"], message["params"]["notifications"]))
            if note["pid"] == pid and message.get("method") == "notifications/cancelled":
                told.append(("end", message["params"]["requestId"], None))
        return told

    def opened(self, gateway, pid):
        told = self.listens(gateway, pid)
        ended = {id for kind, id, _ in told if kind == "end"}
        return [wanted for kind, id, wanted in told if kind == "open" and id not in ended]

    def test_the_lists_are_listened_to_from_the_beginning(self, gateway, session):
        pid = session.whoami()["pid"]
        until(lambda: self.opened(gateway, pid), "the listen")
        assert self.opened(gateway, pid) == [{"toolsListChanged": True}], "what the server offers, and no more"

    def test_a_change_opens_the_next_before_it_ends_the_old(self, gateway, session):
        pid = session.whoami()["pid"]
        for uri in ("test://one", "test://two"):
            assert session.request("resources/subscribe", {"uri": uri})["result"] == {}
        assert session.request("resources/unsubscribe", {"uri": "test://one"})["result"] == {}
        until(lambda: len([t for t in self.listens(gateway, pid) if t[0] == "end"]) == 3, "the end of three listens")
        told = self.listens(gateway, pid)
        assert [kind for kind, _, _ in told] == ["open", "open", "end", "open", "end", "open", "end"]
        opened, ended = [t[1] for t in told if t[0] == "open"], [t[1] for t in told if t[0] == "end"]
        assert ended == opened[:3], "the old ones, in order"
        wanted = [t[2].get("resourceSubscriptions", []) for t in told if t[0] == "open"]
        assert wanted == [[], ["test://one"], ["test://one", "test://two"], ["test://two"]]

    def test_updates_come_once_and_only_for_what_is_subscribed(self, session):
        stream = session.stream()
        for uri in ("test://a", "test://b"):
            session.request("resources/subscribe", {"uri": uri})
        session.request("resources/unsubscribe", {"uri": "test://b"})
        notices = []
        for uri in ("test://a", "test://b", "test://c"):
            session.call("update", uri)
            notices += session.notices
        session.delete()
        notices += stream.messages()
        updates = [n["params"] for n in notices if n["method"] == "notifications/resources/updated"]
        assert updates == [{"uri": "test://a"}], "without the subscription's id, which is the gateway's"

    def test_a_subscription_that_the_server_does_not_honour_is_refused(self, gateway, session):
        assert session.request("resources/subscribe", {"uri": "test://good"})["result"] == {}
        assert "error" in session.request("resources/subscribe", {"uri": "test://refused"})
        assert session.request("resources/unsubscribe", {"uri": "test://never"})["result"] == {}
        pid = session.whoami()["pid"]
        session.request("resources/subscribe", {"uri": "test://more"})
        until(lambda: len(self.opened(gateway, pid)) == 1, "one listen")
        assert self.opened(gateway, pid)[0]["resourceSubscriptions"] == ["test://good", "test://more"]

    @pytest.mark.parametrize("uri", [None, 7, []], ids=str)
    def test_a_subscription_without_a_uri_is_refused(self, session, uri):
        assert session.request("resources/subscribe", {"uri": uri})["error"]["code"] == -32602

    def test_a_changed_list_is_told_to_the_session(self, session):
        stream = session.stream()
        session.request("resources/subscribe", {"uri": "test://any"})
        session.call("change")
        notices = list(session.notices)
        session.delete()
        notices += stream.messages()
        assert len([n for n in notices if n["method"] == "notifications/tools/list_changed"]) == 1

    def test_a_listen_that_the_server_ended_is_opened_again(self, gateway, session):
        pid = session.whoami()["pid"]
        session.request("resources/subscribe", {"uri": "test://kept"})
        session.call("end_listens")
        session.call("echo", "x")

        def again():
            opened = [wanted for kind, _, wanted in self.listens(gateway, pid) if kind == "open"]
            return len(opened) == 3 and opened[-1].get("resourceSubscriptions") == ["test://kept"]

        until(again, "another listen for the same")

    def test_a_server_that_was_started_again_is_listened_to_again(self, gateway, session):
        session.request("resources/subscribe", {"uri": "test://kept"})
        assert "error" in session.request("tools/call", session.tool("crash"))
        pid = session.whoami()["pid"]
        until(lambda: self.opened(gateway, pid), "a listen at the new process")
        assert self.opened(gateway, pid)[0].get("resourceSubscriptions") == ["test://kept"]


class TestTasks:
    """A legacy client knows no tasks of this kind: they are waited for, and it gets the result."""

    def test_it_gets_the_result(self, session):
        result = session.call("task", "ok")
        assert text_of(result) == "the task is done" and not set(result) & {"resultType", "taskId", "status"}

    def test_a_task_whose_tool_failed_is_a_result_that_says_so(self, session):
        assert session.call("task", "fails")["isError"] is True

    def test_a_task_that_failed_is_an_error(self, session):
        error = session.request("tools/call", session.tool("task", "breaks"))["error"]
        assert (error["code"], error["message"], error["data"]) == (-22000, "broken", [1])

    def test_a_task_that_the_server_cancelled_is_an_error(self, session):
        assert "error" in session.request("tools/call", session.tool("task", "cancelled"))

    def test_a_question_of_a_task_is_asked_once(self, gateway, session):
        asked, last = session.converse("task", "asks", [accepted("Grace")])
        assert len(asked) == 1 and text_of(last["result"]) == "Grace"
        updates = [note["answers"] for note in gateway.journal("modern", "task updated")]
        assert updates[-1] == {"name": accepted("Grace")}

    def test_a_call_taken_back_cancels_its_task(self, gateway, session):
        before = len(gateway.journal("modern", "task cancelled"))
        connection, exchange = session.begin(rpc("tools/call", session.tool("task", "working"), 92))
        pid = session.whoami()["pid"]
        until(lambda: read(gateway, pid, "tasks/get"), "a look at the task")
        assert session.post(rpc("notifications/cancelled", {"requestId": 92})).status == 202
        until(lambda: len(gateway.journal("modern", "task cancelled")) > before, "the cancellation of the task")
        connection.close()

    def test_a_task_is_never_given_to_a_modern_client_without_the_extension(self, gateway, ledger):
        message = ModernClient(gateway, ledger, "modern").request("tools/call", LegacySession.tool("task", "ok"))
        assert "error" in message or message["result"]["resultType"] == "complete", message

    def test_a_modern_client_with_the_extension_gets_an_id_of_its_own(self, gateway, ledger):
        client = ModernClient(gateway, ledger, "modern", {"extensions": {TASKS: {}}})
        task = client.call("task", "ok")
        assert task["resultType"] == "task" and task["status"] == "working"
        name = task["taskId"]
        assert "task-" not in name, "the server's own id is sealed"

        def ended():
            reply = client.send("tasks/get", {"taskId": name}, changes={"Mcp-Name": name})
            state = reply.json()["result"]
            return state if state["status"] == "completed" else None

        assert text_of(until(ended, "the end of the task")["result"]) == "the task is done"
        wrong = client.send("tasks/get", {"taskId": "task-1-ok"}, changes={"Mcp-Name": "task-1-ok"})
        assert error_of(wrong) == -32602

    def test_a_legacy_server_offers_no_tasks_to_a_modern_client(self, gateway, ledger):
        client = ModernClient(gateway, ledger, "legacy", {"extensions": {TASKS: {}}})
        assert "extensions" not in client.request("server/discover")["result"]["capabilities"]
        reply = client.send("tasks/get", {"taskId": "x"}, changes={"Mcp-Name": "x"})
        assert error_of(reply) in (-32601, -32602)
        assert not gateway.seen("legacy", "tasks/get")


class TestTime:
    """With a client that has a second to answer."""

    @pytest.fixture(scope="class")
    def hurried(self, make_gateway):
        settings = {"timeouts": {"requestState": 1, "heartbeat": 0.2}}
        return make_gateway({"modern": plain("--era", "modern", era="modern")}, settings)

    def test_a_client_that_never_answers_gets_an_error(self, hurried, ledger):
        session, tag = Session(hurried, ledger).open(), fresh_tag()
        reply = session.start("one_round", tag)
        question = reply.message()
        assert question["method"] == "elicitation/create"
        rest = reply.messages(timeout=20)
        assert "error" in rest[-1] and rest[-1]["id"] == 90
        withdrawn = [m for m in rest if m.get("method") == "notifications/cancelled"]
        assert [m["params"]["requestId"] for m in withdrawn] == [question["id"]], "the question is taken back"
        assert not noted(hurried, "retried", tag)
        assert session.post({"jsonrpc": "2.0", "id": question["id"], "result": accepted()}).status == 202
        assert text_of(session.call("echo", "still")) == "still"
        assert not noted(hurried, "retried", tag)
        session.delete()

    def test_a_client_that_went_away_in_a_round_finds_an_error_when_it_is_back(self, hurried, ledger):
        session, tag = Session(hurried, ledger).open(), fresh_tag()
        reply = session.start("one_round", tag)
        primer, event = reply.event(), reply.event()
        assert "elicitation/create" in event.data
        reply.connection.reset()
        rest = session.stream(last=primer.id).messages(timeout=20)
        assert rest[0]["method"] == "elicitation/create" and "error" in rest[-1] and rest[-1]["id"] == 90
        assert not noted(hurried, "retried", tag)
        session.delete()
