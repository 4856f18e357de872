"""`input_required` on the wire: the state is sealed, bound and short-lived; the retry finds its process."""

import base64

import pytest
from peers.gateway import plain
from peers.raw import ModernClient, error_of, text_of
from peers.waiting import until

SERVERS = {"plain": plain(), "second": plain(), "calls": plain(isolation="call")}
SETTINGS = {"timeouts": {"requestState": 2}}
ANSWER = {"name": {"action": "accept", "content": {"name": "Ada"}}}


@pytest.fixture
def client(gateway, ledger):
    return ModernClient(gateway, ledger)


def first(client, tool="rounds", text=None):
    """The first round: the state and the questions."""
    result = client.call(tool, text)
    assert result["resultType"] == "input_required"
    return result


def retry(client, state, tool="rounds", text=None, answer=ANSWER, **more):
    params = {"name": tool, "arguments": {} if text is None else {"text": text}}
    if answer is not None:
        params["inputResponses"] = answer
    if state is not None:
        params["requestState"] = state
    return client.send("tools/call", params, **more)


def calls(gateway, server="plain"):
    return len(gateway.seen(server, "tools/call"))


def test_the_servers_state_is_not_shown_and_comes_back_byte_for_byte(client):
    own = 'state "of the server" \u00fc\U0001f9c0 \\ \n ' + "z" * 3000
    result = first(client, text=own)
    assert own not in result["requestState"] and "state" not in result["requestState"]
    assert result["inputRequests"]["name"]["method"] == "elicitation/create"
    answer = retry(client, result["requestState"], text=own).json()["result"]
    facts = answer["_meta"]["test/rounds"]
    assert facts["state"] == own and facts["inputs"] == ANSWER


def test_the_retry_reaches_the_process_that_asked(client):
    pid = client.whoami()["pid"]
    for _ in range(3):
        state = first(client)["requestState"]
        facts = retry(client, state).json()["result"]["_meta"]["test/rounds"]
        assert facts["pid"] == pid and facts["state"].startswith(f"state of {pid} ")


def test_the_retry_finds_its_process_when_each_call_has_its_own(gateway, ledger):
    client = ModernClient(gateway, ledger, "calls")
    states = [first(client)["requestState"] for _ in range(3)]
    for state in reversed(states):
        facts = retry(client, state).json()["result"]["_meta"]["test/rounds"]
        assert facts["state"].startswith(f"state of {facts['pid']} ")


def test_a_round_may_have_a_state_and_no_questions(client):
    result = first(client, "reconsider")
    assert "inputRequests" not in result or result["inputRequests"] == {}
    assert text_of(retry(client, result["requestState"], "reconsider", answer=None).json()["result"]) == (
        "back with only a state"
    )


def tampered(state):
    middle = len(state) // 2
    sign = "A" if state[middle] != "A" else "B"
    yield state[:middle] + sign + state[middle + 1 :]
    yield state[:-2] + ("AA" if state[-2:] != "AA" else "BB")
    yield state[1:]
    yield state + "A"
    yield state[: len(state) // 2]
    yield ""
    yield "nonsense"
    yield base64.b64encode(b"x" * 100).decode()
    yield state * 2
    yield "x" * 100_000


def test_a_state_that_was_touched_is_refused(gateway, client):
    state = first(client)["requestState"]
    before = calls(gateway)
    for wrong in tampered(state):
        reply = retry(client, wrong)
        assert error_of(reply) == -32602, wrong[:80]
        assert reply.status in (200, 400)
    assert calls(gateway) == before, "the child saw nothing of it"
    assert retry(client, state).json()["result"]["resultType"] == "complete"


def test_a_state_is_bound_to_the_tool_its_arguments_and_the_server(gateway, client, ledger):
    state = first(client, text="mine")["requestState"]
    second = ModernClient(gateway, ledger, "second")
    before = calls(gateway), calls(gateway, "second")
    for reply in (
        retry(client, state, text="others"),
        retry(client, state, text=None),
        retry(client, state, tool="reconsider", text="mine"),
        retry(second, state, text="mine"),
    ):
        assert error_of(reply) == -32602
    assert (calls(gateway), calls(gateway, "second")) == before
    assert retry(client, state, text="mine").json()["result"]["resultType"] == "complete"


def test_a_state_expires(gateway, client):
    state = first(client)["requestState"]
    before = calls(gateway)
    taken = []

    def is_refused():
        reply = retry(client, state).json()
        taken.append("result" in reply)
        return "error" in reply and reply["error"]["code"] == -32602

    until(is_refused, "the end of the state's life", timeout=6)
    assert calls(gateway) - before == sum(taken), "what was refused did not reach the child"


def test_answers_of_the_wrong_shape_are_refused_or_asked_again(client):
    for wrong in (7, None, [], "x", {"name": 7}):
        state = first(client)["requestState"]
        reply = retry(client, state, answer={"name": wrong} if not isinstance(wrong, dict) else wrong)
        assert reply.status in (200, 400)


def test_rounds_of_many_calls_do_not_mix(client):
    states = {n: first(client, text=f"number {n}")["requestState"] for n in range(10)}
    assert len(set(states.values())) == 10
    for n in reversed(range(10)):
        facts = retry(client, states[n], text=f"number {n}").json()["result"]["_meta"]["test/rounds"]
        assert facts["state"] == f"number {n}"
