"""A legacy server asks while a modern caller waits: the call is parked, and the retry wakes it.

Nothing runs twice, and nobody sees another's question; the server's own journal says so. That a retry by another person
is refused cannot be shown while nobody signs in: all callers here are one principal.
"""

import base64
import threading

import pytest

from peers.gateway import bad, plain
from peers.parking import (
    ALL,
    Caller,
    accepted,
    answers_to,
    asked,
    cancelled_ids,
    fresh_tag,
    is_cancelled,
    modelled,
    runs,
)
from peers.raw import ModernClient, error_of, rpc, text_of
from peers.waiting import until


def legacy(**more):
    return plain("--era", "legacy", era="legacy", **more)


SERVERS = {
    "asks": legacy(),
    "other": legacy(),
    "alone": legacy(),
    "calls": legacy(isolation="call"),
    "shared": legacy(isolation="shared"),
    "lists": bad("asks_in_list", "--era", "legacy", era="legacy"),
}
ROOTS = {"roots": [{"uri": "file:///home/ada"}]}
WORDS = ("Ada", "Grace", "Edsger")


@pytest.fixture
def client(gateway, ledger):
    return Caller(gateway, ledger)


def test_a_parked_call_goes_on_with_its_answer(gateway, client):
    tag = fresh_tag()
    result = client.park("form_one", tag)
    (key,) = result["inputRequests"]
    assert result["inputRequests"][key] == {
        "method": "elicitation/create",
        "params": {
            "mode": "form",
            "message": tag,
            "requestedSchema": {
                "type": "object",
                "properties": {"name": {"type": "string"}},
                "required": ["name"],
            },
        },
    }
    done = client.finish("form_one", tag, result, {key: accepted()})
    assert text_of(done) == f"done {tag}" and done["_meta"]["test/answers"] == [accepted()]
    assert len(runs(gateway, "asks", tag)) == 1


@pytest.mark.parametrize("answer", [{"action": "decline"}, {"action": "cancel"}])
def test_a_refusal_is_an_answer_too(client, answer):
    tag = fresh_tag()
    result = client.park("form_one", tag)
    done = client.finish("form_one", tag, result, {asked(result)[tag]: answer})
    assert done["_meta"]["test/answers"] == [answer]


def test_a_state_is_good_once(gateway, client):
    tag = fresh_tag()
    result = client.park("form_one", tag)
    answers = {asked(result)[tag]: accepted()}
    client.finish("form_one", tag, result, answers)
    heard = len(gateway.journal("asks", "read"))
    for _ in range(3):
        assert error_of(client.retry("form_one", tag, result, answers)) == -32602
    assert len(gateway.journal("asks", "read")) == heard, "the child saw nothing of it"
    assert len(runs(gateway, "asks", tag)) == 1


def test_two_retries_at_once_wake_it_once(gateway, client):
    tag = fresh_tag()
    result = client.park("form_one", tag)
    outcomes = []

    def retry():
        outcomes.append(client.retry("form_one", tag, result, {asked(result)[tag]: accepted()}).json())

    threads = [threading.Thread(target=retry) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum("result" in outcome for outcome in outcomes) == 1
    assert {outcome["error"]["code"] for outcome in outcomes if "error" in outcome} == {-32602}
    assert len(runs(gateway, "asks", tag)) == 1 and len(answers_to(gateway, "asks", tag)) == 1


def test_a_retry_must_be_the_same_call(gateway, client, ledger):
    tag = fresh_tag()
    result = client.park("form_one", tag)
    answers = {asked(result)[tag]: accepted()}
    heard = len(gateway.journal("asks", "read"))
    other = Caller(gateway, ledger, "other")
    for reply in (
        client.retry("form_one", tag + "x", result, answers),
        client.retry("form_two", tag, result, answers),
        other.retry("form_one", tag, result, answers),
    ):
        assert error_of(reply) == -32602
    params = {"uri": "test://x", "inputResponses": answers, "requestState": result["requestState"]}
    assert error_of(client.send("resources/read", params)) == -32602
    assert len(gateway.journal("asks", "read")) == heard, "the child saw nothing of it"
    assert not runs(gateway, "other", tag)
    assert text_of(client.finish("form_one", tag, result, answers)) == f"done {tag}"


def test_a_retry_with_other_capabilities_runs_nothing_twice(gateway, client, ledger):
    tag = fresh_tag()
    result = client.park("form_one", tag)
    answers = {asked(result)[tag]: accepted()}
    less = Caller(gateway, ledger, capabilities={"elicitation": {}})
    first = less.retry("form_one", tag, result, answers).json()
    if "error" in first:
        assert first["error"]["code"] == -32602
        assert text_of(client.finish("form_one", tag, result, answers)) == f"done {tag}"
    assert len(runs(gateway, "asks", tag)) == 1


def tampered(state):
    middle = len(state) // 2
    sign = "A" if state[middle] != "A" else "B"
    yield state[:middle] + sign + state[middle + 1 :]
    yield state[1:]
    yield state + "A"
    yield state[: len(state) // 2]
    yield ""
    yield "1"
    yield "anew"
    yield base64.b64encode(b"1" * 60).decode()
    yield "x" * 100_000


def test_a_tampered_state_is_refused(gateway, client):
    tag = fresh_tag()
    result = client.park("form_one", tag)
    answers = {asked(result)[tag]: accepted()}
    heard = len(gateway.journal("asks", "read"))
    for wrong in tampered(result["requestState"]):
        assert error_of(client.retry("form_one", tag, {"requestState": wrong}, answers)) == -32602, wrong[:60]
    assert len(gateway.journal("asks", "read")) == heard, "the child saw nothing of it"
    assert text_of(client.finish("form_one", tag, result, answers)) == f"done {tag}"


def test_answers_without_a_state_are_a_call_of_their_own(gateway, client):
    tag = fresh_tag()
    result = client.park("form_one", tag)
    again = client.retry("form_one", tag, {}, {asked(result)[tag]: accepted()}).json()["result"]
    assert again["resultType"] == "input_required" and again["requestState"] != result["requestState"]
    for state in (result, again):
        client.finish("form_one", tag, state, {asked(state)[tag]: accepted()})
    assert len(runs(gateway, "asks", tag)) == 2


@pytest.mark.parametrize("answers", [None, {}, {"nobody asked": accepted()}])
def test_missing_answers_are_asked_for_again(gateway, client, answers):
    tag = fresh_tag()
    first = client.park("form_one", tag)
    second = client.retry("form_one", tag, first, answers).json()["result"]
    assert second["resultType"] == "input_required" and second["inputRequests"] == first["inputRequests"]
    assert not answers_to(gateway, "asks", tag)
    done = client.finish("form_one", tag, second, {asked(second)[tag]: accepted(), "more": 7})
    assert done["_meta"]["test/answers"] == [accepted()]
    assert len(runs(gateway, "asks", tag)) == 1


def test_what_is_missing_of_several_answers_is_asked_for_again(gateway, client):
    tag = fresh_tag()
    first = client.park("form_two", tag)
    keys = asked(first)
    second = client.retry("form_two", tag, first, {keys[f"{tag} 2"]: accepted("two")}).json()["result"]
    assert set(asked(second)) == {f"{tag} 1"}, "what was answered is not asked again"
    done = client.finish("form_two", tag, second, {asked(second)[f"{tag} 1"]: accepted("one")})
    assert done["_meta"]["test/answers"] == [accepted("one"), accepted("two")]
    assert len(answers_to(gateway, "asks", tag)) == 2


@pytest.mark.parametrize(
    "wrong",
    [7, None, "accept", [], {}, {"action": "perhaps"}, {"action": "accept", "content": 7},
     {"action": "accept", "content": {"name": {"deep": 1}}}, {"content": {"name": "Ada"}}],
    ids=str,
)  # fmt: skip
def test_a_malformed_answer_is_refused_and_can_be_mended(gateway, client, wrong):
    tag = fresh_tag()
    result = client.park("form_one", tag)
    key = asked(result)[tag]
    reply = client.retry("form_one", tag, result, {key: wrong}).json()
    if "error" in reply:
        assert reply["error"]["code"] == -32602
    else:
        result = reply["result"]
        assert result["resultType"] == "input_required"
    assert not answers_to(gateway, "asks", tag), "the child saw nothing of it"
    assert client.finish("form_one", tag, result, {key: accepted()})["_meta"]["test/answers"] == [accepted()]


@pytest.mark.parametrize("wrong", [7, "x", [], None], ids=str)
def test_answers_that_are_no_object_are_refused(gateway, client, wrong):
    tag = fresh_tag()
    result = client.park("form_one", tag)
    params = {"name": "form_one", "arguments": {"text": tag}, "inputResponses": wrong}
    message = client.send("tools/call", {**params, "requestState": result["requestState"]}).json()
    assert message.get("error", {}).get("code") == -32602 or message["result"]["resultType"] == "input_required"
    assert not answers_to(gateway, "asks", tag)


@pytest.mark.parametrize(
    "tool, wrong",
    [("sample_one", {"role": "robot"}), ("sample_one", accepted()), ("mixed", {"roots": [{"name": "no uri"}]})],
    ids=["role", "another kind", "a root without uri"],
)
def test_malformed_answers_of_the_other_kinds_are_refused(gateway, client, tool, wrong):
    tag = fresh_tag()
    result = client.park(tool, tag)
    key = asked(result)["roots" if tool == "mixed" else tag]
    assert error_of(client.retry(tool, tag, result, {key: wrong})) == -32602
    assert not answers_to(gateway, "asks", tag)


def test_questions_asked_at_once_are_one_round(gateway, client):
    tag = fresh_tag()
    result = client.park("mixed", tag)
    methods = {request["method"]: key for key, request in result["inputRequests"].items()}
    assert set(methods) == {"elicitation/create", "sampling/createMessage", "roots/list"}
    answers = {
        methods["elicitation/create"]: accepted(),
        methods["sampling/createMessage"]: modelled(),
        methods["roots/list"]: ROOTS,
    }
    done = client.finish("mixed", tag, result, answers)
    assert done["_meta"]["test/answers"] == [accepted(), modelled(), ROOTS]
    assert len(runs(gateway, "asks", tag)) == 1


def test_a_call_may_take_several_rounds(gateway, client):
    tag = fresh_tag()
    result, states = client.park("series", tag), []
    for number, name in enumerate(WORDS, 1):
        assert list(asked(result)) == [f"{tag} {number}"]
        states.append(result["requestState"])
        result = client.retry("series", tag, result, {asked(result)[f"{tag} {number}"]: accepted(name)}).json()[
            "result"
        ]
    assert result["resultType"] == "complete" and result["_meta"]["test/answers"] == list(WORDS)
    assert len(set(states)) == 3 and len(runs(gateway, "asks", tag)) == 1
    for state in states:
        assert error_of(client.retry("series", tag, {"requestState": state}, {})) == -32602


def test_questions_that_have_names_keep_them(client):
    tag = fresh_tag()
    result = client.park("keyed", tag)
    assert set(result["inputRequests"]) == {"first_name", "last_name"}
    assert "inputKey" not in str(result["inputRequests"]), "the name is for the gateway alone"
    answers = {"first_name": accepted("Grace"), "last_name": accepted("Hopper")}
    done = client.finish("keyed", tag, result, answers)
    assert done["_meta"]["test/answers"] == [accepted("Grace"), accepted("Hopper")]


def test_a_question_that_was_taken_back_is_not_asked(client):
    tag = fresh_tag()
    result = client.park("withdraws", tag)
    assert set(asked(result)) == {f"{tag} wanted"}
    client.finish("withdraws", tag, result, {asked(result)[f"{tag} wanted"]: accepted()})


def test_a_question_that_was_taken_back_while_its_caller_was_asked_makes_room_for_the_next(gateway, ledger, tmp_path):
    """The next is taken for the parked call's own because no other call is with the server or parked there."""
    client, gate = Caller(gateway, ledger, "alone"), tmp_path / "gate"
    tag = str(gate)
    first = client.park("withdraws_late", tag)
    key = asked(first)[f"{tag} first"]
    gate.touch()
    until(lambda: [n for n in gateway.journal("alone", "changed") if n["tag"] == tag], "the change of mind")
    second = client.retry("withdraws_late", tag, first, {key: accepted("unwanted")}).json()["result"]
    assert second["resultType"] == "input_required" and set(asked(second)) == {f"{tag} second"}
    done = client.finish("withdraws_late", tag, second, {asked(second)[f"{tag} second"]: accepted("wanted")})
    assert done["_meta"]["test/answers"] == [accepted("wanted")]
    assert not [note for note in gateway.journal("alone", "unwanted") if note["tag"] == tag]


def test_questions_by_the_same_key_are_kept_apart(client):
    tag = fresh_tag()
    result = client.park("same_keys", tag)
    keys = asked(result)
    assert len(keys) == len(result["inputRequests"]) == 2 and "name" in result["inputRequests"]
    answers = {keys[f"{tag} {n}"]: accepted(str(n)) for n in (1, 2)}
    assert client.finish("same_keys", tag, result, answers)["_meta"]["test/answers"] == [accepted("1"), accepted("2")]


def test_more_questions_than_a_round_may_have_are_refused(client):
    tag = fresh_tag()
    result = client.park("forms_many", tag)
    assert len(result["inputRequests"]) == 32
    done = client.finish("forms_many", tag, result, {key: accepted() for key in result["inputRequests"]})
    answers = done["_meta"]["test/answers"]
    assert answers[:32] == [accepted()] * 32 and all("code" in answer for answer in answers[32:])


def test_questions_that_nobody_understands_are_refused_at_once(client):
    tag = fresh_tag()
    message = client.retry("bad_questions", tag, {}).json()
    codes = [answer["code"] for answer in message["result"]["_meta"]["test/answers"]]
    assert codes == [-32602] * 4 + [-32601]


def test_a_model_with_tools_needs_the_word_of_the_client(gateway, ledger):
    error = Caller(gateway, ledger).retry("sample_with_tools", fresh_tag(), {}).json()["error"]
    assert error["code"] == -32021 and error["data"]["requiredCapabilities"] == {"sampling": {"tools": {}}}
    client, tag = Caller(gateway, ledger, capabilities={"sampling": {"tools": {}}}), fresh_tag()
    result = client.park("sample_with_tools", tag)
    (question,) = result["inputRequests"].values()
    assert question["params"]["tools"][0]["name"] == "t"
    client.finish("sample_with_tools", tag, result, {asked(result)[tag]: modelled()})


def test_context_that_was_not_declared_is_not_asked_for(gateway, ledger):
    for declared, is_kept in (({"sampling": {}}, False), ({"sampling": {"context": {}}}, True)):
        client, tag = Caller(gateway, ledger, capabilities=declared), fresh_tag()
        result = client.park("sample_with_context", tag)
        (question,) = result["inputRequests"].values()
        assert ("includeContext" in question["params"]) == is_kept
        client.finish("sample_with_context", tag, result, {asked(result)[tag]: modelled()})


def test_progress_goes_to_the_token_of_the_retry(client):
    tag = fresh_tag()
    call = {"name": "form_and_progress", "arguments": {"text": tag}, "_meta": {"progressToken": "first"}}
    told = client.send("tools/call", call).messages()
    assert [m["params"]["progressToken"] for m in told if "method" in m] == ["first"]
    state, answers = told[-1]["result"], {asked(told[-1]["result"])[tag]: accepted()}
    call |= {"inputResponses": answers, "requestState": state["requestState"], "_meta": {"progressToken": 2}}
    told = client.send("tools/call", call).messages()
    assert [(m["params"]["progressToken"], m["params"]["progress"]) for m in told if "method" in m] == [(2, 2), (2, 3)]
    assert text_of(told[-1]["result"]) == f"done {tag}"


def test_a_result_that_came_without_the_answer_waits_for_the_retry(gateway, client, tmp_path):
    gate = tmp_path / "gate"
    tag = str(gate)
    result = client.park("impatient", tag)
    gate.touch()
    until(lambda: answers_to(gateway, "asks", tag), "the refusal of the question: the call is over")
    assert "error" in answers_to(gateway, "asks", tag)[0]
    done = client.finish("impatient", tag, result, {asked(result)[tag]: accepted()})
    assert text_of(done) == f"done {tag} alone"
    assert len(answers_to(gateway, "asks", tag)) == 1 and len(runs(gateway, "asks", tag)) == 1


def test_calls_whose_questions_come_together_each_get_their_own(gateway, client):
    tags = [fresh_tag() for _ in range(12)]
    done = {}

    def call(tag):
        result = client.park("form_one", tag)
        assert list(asked(result)) == [tag], "a question of another call"
        done[tag] = client.finish("form_one", tag, result, {asked(result)[tag]: accepted(tag)})

    threads = [threading.Thread(target=call, args=(tag,)) for tag in tags]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 12
    for tag in tags:
        assert text_of(done[tag]) == f"done {tag}" and done[tag]["_meta"]["test/answers"] == [accepted(tag)]
        assert len(runs(gateway, "asks", tag)) == 1


def test_a_call_waits_while_another_could_still_ask(gateway, client, tmp_path):
    gate, tag = tmp_path / "gate", fresh_tag()
    holding = client.begin(client.message("tools/call", {"name": "hold", "arguments": {"text": str(gate)}}))
    until(lambda: [n for n in gateway.journal("asks", "hold") if n["path"] == str(gate)], "the first call")
    waiting = client.begin(client.message("tools/call", {"name": "form_one", "arguments": {"text": tag}}))
    assert client.request("prompts/list")["result"]["prompts"] == [], "what cannot ask does not wait"
    assert not runs(gateway, "asks", tag)
    gate.touch()
    assert text_of(holding[0].read(holding[1]).json()["result"]) == "released"
    result = waiting[0].read(waiting[1]).json()["result"]
    client.finish("form_one", tag, result, {asked(result)[tag]: accepted()})


def test_a_call_that_is_given_up_while_it_waits_never_runs(gateway, client, tmp_path):
    gate, tag = tmp_path / "gate", fresh_tag()
    holding = client.begin(client.message("tools/call", {"name": "hold", "arguments": {"text": str(gate)}}))
    until(lambda: [n for n in gateway.journal("asks", "hold") if n["path"] == str(gate)], "the first call")
    waiting, _ = client.begin(client.message("tools/call", {"name": "form_one", "arguments": {"text": tag}}))
    assert client.request("prompts/list")["result"]["prompts"] == []
    waiting.close()
    last, gone = fresh_tag(), len(cancelled_ids(gateway, "asks"))
    after = client.begin(client.message("tools/call", {"name": "form_one", "arguments": {"text": last}}))
    gate.touch()
    assert text_of(holding[0].read(holding[1]).json()["result"]) == "released"
    result = after[0].read(after[1]).json()["result"]
    client.finish("form_one", last, result, {asked(result)[last]: accepted()})
    assert not runs(gateway, "asks", tag) and len(cancelled_ids(gateway, "asks")) == gone


def test_a_retry_that_is_given_up_ends_the_call(gateway, client, tmp_path):
    gate, tag = tmp_path / "gate", fresh_tag()
    result = client.park("form_one", tag)
    holding = client.begin(client.message("tools/call", {"name": "hold", "arguments": {"text": str(gate)}}))
    until(lambda: [n for n in gateway.journal("asks", "hold") if n["path"] == str(gate)], "the other call")
    params = {"name": "form_one", "arguments": {"text": tag}, "requestState": result["requestState"]}
    params["inputResponses"] = {asked(result)[tag]: accepted()}
    returning, _ = client.begin(client.message("tools/call", params))
    assert client.request("prompts/list")["result"]["prompts"] == []
    returning.close()
    assert error_of(client.retry("form_one", tag, result, params["inputResponses"])) == -32602
    gate.touch()
    assert text_of(holding[0].read(holding[1]).json()["result"]) == "released"
    # It is given up when it has the turn, so that nothing it still asks is taken for another call's question.
    until(lambda: is_cancelled(gateway, "asks", tag), "the cancellation at the server")
    assert text_of(client.call("echo", "still")) == "still"
    assert len(runs(gateway, "asks", tag)) == 1


def test_a_notice_of_cancellation_does_not_touch_a_parked_call(client):
    """Over HTTP a modern client cancels by closing its stream; a guessed id must not do it."""
    tag = fresh_tag()
    result = client.park("form_one", tag)
    for id in (1, 2, "1"):
        reply = client.post(rpc("notifications/cancelled", {"requestId": id}))
        assert reply.status in (202, 400)
    client.finish("form_one", tag, result, {asked(result)[tag]: accepted()})


@pytest.mark.parametrize("tool", ["crash", "killed"])
def test_a_parking_that_died_with_its_server_runs_nothing_again(gateway, client, tool):
    tags = [fresh_tag() for _ in range(3)]
    parked = {tag: client.park("form_one", tag) for tag in tags}
    assert "error" in client.request("tools/call", {"name": tool, "arguments": {}})
    for tag in tags:
        code = error_of(client.retry("form_one", tag, parked[tag], {asked(parked[tag])[tag]: accepted()}))
        assert code in (-32602, -32603)
        assert error_of(client.retry("form_one", tag, parked[tag], {asked(parked[tag])[tag]: accepted()})) == -32602
        assert len(runs(gateway, "asks", tag)) == 1 and not answers_to(gateway, "asks", tag)
    again = fresh_tag()
    result = client.park("form_one", again)
    client.finish("form_one", again, result, {asked(result)[again]: accepted()})


def test_a_page_to_be_visited_is_a_round_whose_retry_is_a_call_of_its_own(gateway, client):
    tag = fresh_tag()
    result = client.park("page_first", tag)
    pages = list(result["inputRequests"].values())
    assert [page["params"]["url"] for page in pages] == ["https://example.com/1", "https://example.com/2"]
    assert all(page["params"]["mode"] == "url" and "elicitationId" not in page["params"] for page in pages)
    done = client.finish("page_first", tag, result, {key: {"action": "accept"} for key in result["inputRequests"]})
    assert text_of(done) == f"done {tag}" and len(runs(gateway, "asks", tag)) == 2


def test_a_page_for_a_client_that_opens_none_is_an_error(gateway, ledger):
    client = Caller(gateway, ledger, capabilities={"elicitation": {"form": {}}})
    reply = client.retry("page_first", fresh_tag(), {})
    assert error_of(reply) == -32021
    assert reply.json()["error"]["data"]["requiredCapabilities"] == {"elicitation": {"url": {}}}


@pytest.mark.parametrize(
    "tool, declared, required",
    [
        ("form_one", {}, {"elicitation": {"form": {}}}),
        ("form_one", {"sampling": {}}, {"elicitation": {"form": {}}}),
        ("form_one", {"elicitation": {"url": {}}}, {"elicitation": {"form": {}}}),
        ("sample_one", {"elicitation": {}}, {"sampling": {}}),
        ("mixed", {"elicitation": {}, "sampling": {}}, {"roots": {}}),
    ],
    ids=["nothing", "another kind", "another mode", "sampling", "one of three"],
)
def test_what_was_not_declared_is_not_asked(gateway, ledger, tool, declared, required):
    client, tag = Caller(gateway, ledger, capabilities=declared), fresh_tag()
    reply = client.retry(tool, tag, {})
    error = reply.json()["error"]
    assert error["code"] == -32021 and error["data"]["requiredCapabilities"] == required
    assert reply.status == 400 or reply.is_stream
    until(lambda: answers_to(gateway, "asks", tag), "the refusal at the server")
    codes = [answer.get("error", {}).get("code") for answer in answers_to(gateway, "asks", tag)]
    assert -32601 in codes
    assert len(runs(gateway, "asks", tag)) == 1


def test_a_server_is_told_what_its_callers_declared_and_serves_no_others(gateway, ledger):
    pids = {}
    sets = {
        "none": {},
        "form": {"elicitation": {}},
        "all": ALL,
        "roots": {"roots": {"listChanged": True}},
    }
    for name, declared in sets.items():
        pids[name] = {ModernClient(gateway, ledger, "asks", declared).whoami()["pid"] for _ in range(2)}
    assert all(len(found) == 1 for found in pids.values())
    assert len({pid for found in pids.values() for pid in found}) == 4
    same = ModernClient(gateway, ledger, "asks", {"elicitation": {"form": {}}}).whoami()["pid"]
    assert {same} == pids["form"], "an empty elicitation means forms"
    told = {
        note["pid"]: note["message"]["params"]["capabilities"]
        for note in gateway.journal("asks", "read")
        if note["message"].get("method") == "initialize"
    }
    assert told[min(pids["none"])] == {} and set(told[min(pids["form"])]) == {"elicitation"}
    assert set(told[min(pids["all"])]) == {"elicitation", "sampling", "roots"}
    assert set(told[min(pids["roots"])]) == {"roots"}


def test_a_question_outside_of_calls_is_answered_with_an_error(gateway, ledger):
    client = Caller(gateway, ledger, "lists")
    answer = client.request("tools/list")
    assert "form_one" in {tool["name"] for tool in answer["result"]["tools"]}
    refused = gateway.journal("lists", "answer in list")
    assert refused and all("error" in note["answer"] for note in refused)


def test_each_call_of_its_own_child_finds_it_again(gateway, ledger):
    client = Caller(gateway, ledger, "calls")
    tags = [fresh_tag() for _ in range(4)]
    parked = {tag: client.park("form_one", tag) for tag in tags}
    for tag in reversed(tags):
        done = client.finish("form_one", tag, parked[tag], {asked(parked[tag])[tag]: accepted(tag)})
        assert done["_meta"]["test/answers"] == [accepted(tag)]
    assert len({runs(gateway, "calls", tag)[0]["pid"] for tag in tags}) == 4


def test_a_child_that_all_share_may_not_ask(gateway, ledger):
    client, tag = Caller(gateway, ledger, "shared"), fresh_tag()
    message = client.retry("form_one", tag, {}).json()
    assert message.get("result", {}).get("resultType") != "input_required", message
    until(lambda: answers_to(gateway, "shared", tag), "the refusal at the server")
    assert answers_to(gateway, "shared", tag)[0]["error"]["code"] == -32601
    told = [m["params"]["capabilities"] for m in gateway.seen("shared", "initialize")]
    assert told and all(capabilities == {} for capabilities in told)
