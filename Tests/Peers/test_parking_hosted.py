"""Questions of a server written in Swift, hosted and bridged: what may go wrong between the rounds of a modern client.

The server counts how often each call ran; it must be once whatever the client does.
"""

import threading
import uuid

import pytest

from peers.conformance import Hosted, tool
from peers.parking import Caller, accepted
from peers.raw import error_of, text_of

ASKS = "test_counted_elicitation"


class Asking:
    """A call that asks for a name, under a key of its own."""

    def __init__(self, client):
        self.client, self.key = client, uuid.uuid4().hex
        self.first = self.send({}).json()["result"]
        assert self.first["resultType"] == "input_required" and list(self.first["inputRequests"]) == ["user_name"]

    def send(self, more, key=None):
        return self.client.send("tools/call", {**tool(ASKS, key=key or self.key), **more}, timeout=30)

    def retry(self, answers=None, state=None, key=None):
        state = self.first["requestState"] if state is None else state
        answers = {"user_name": accepted("Ada")} if answers is None else answers
        return self.send({"inputResponses": answers, "requestState": state}, key)

    def runs(self):
        return text_of(self.client.call_tool("read_count", key=self.key))


class Counting(Caller):
    def call_tool(self, name, /, **arguments):
        return self.request("tools/call", tool(name, **arguments), timeout=30)["result"]


@pytest.fixture
def client(suite):
    return Counting(suite.at, suite.ledger, suite.server)


def test_a_state_is_good_once(client):
    call = Asking(client)
    assert text_of(call.retry().json()["result"]) == "Hello, Ada! Run 1."
    for _ in range(2):
        assert error_of(call.retry()) == -32602
    assert call.runs() == "1"


def test_two_retries_at_once_wake_it_once(client):
    call, outcomes = Asking(client), []
    threads = [threading.Thread(target=lambda: outcomes.append(call.retry().json())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum("result" in outcome for outcome in outcomes) == 1, outcomes
    assert {outcome["error"]["code"] for outcome in outcomes if "error" in outcome} == {-32602}
    assert call.runs() == "1"


def test_a_retry_must_be_the_same_call(client):
    call, other = Asking(client), Asking(client)
    assert error_of(call.retry(key=other.key)) == -32602
    params = {"requestState": call.first["requestState"], "inputResponses": {"user_name": accepted()}}
    wrong = client.send("tools/call", {**tool("test_input_required_result_elicitation"), **params})
    assert error_of(wrong) == -32602
    wrong = client.send("prompts/get", {"name": "test_input_required_result_prompt", **params})
    assert error_of(wrong) == -32602
    for one in (other, call):
        assert text_of(one.retry().json()["result"]) == "Hello, Ada! Run 1."
    assert (call.runs(), other.runs()) == ("1", "1")


def test_a_tampered_state_is_refused(client):
    call = Asking(client)
    state = call.first["requestState"]
    middle = len(state) // 2
    for wrong in (state[1:], state + "A", state[:middle], "", "nonsense", state.swapcase(), "x" * 50_000):
        assert error_of(call.retry(state=wrong)) == -32602, wrong[:50]
    assert text_of(call.retry().json()["result"]) == "Hello, Ada! Run 1."


@pytest.mark.parametrize("answers", [{}, {"nobody asked": accepted()}], ids=["none", "others"])
def test_missing_answers_are_asked_for_again(client, answers):
    call = Asking(client)
    again = call.retry(answers).json()["result"]
    assert again["resultType"] == "input_required" and list(again["inputRequests"]) == ["user_name"]
    assert text_of(call.retry(state=again["requestState"]).json()["result"]) == "Hello, Ada! Run 1."


@pytest.mark.parametrize(
    "wrong", [7, None, "x", [], {"action": "perhaps"}, {"action": "accept", "content": 7}], ids=str
)
def test_a_malformed_answer_does_no_harm(client, wrong):
    call = Asking(client)
    message = call.retry({"user_name": wrong}).json()
    state = None
    if "error" in message:
        assert message["error"]["code"] == -32602
    else:
        assert message["result"]["resultType"] == "input_required"
        state = message["result"]["requestState"]
    assert text_of(call.retry(state=state).json()["result"]) == "Hello, Ada! Run 1."
    assert call.runs() == "1"


def test_hundreds_of_parked_calls_each_get_their_own_answer(client):
    calls, errors = [], []

    def work():
        try:
            own = [Asking(client) for _ in range(25)]
            calls.extend(own)
            for number, call in enumerate(reversed(own)):
                done = call.retry({"user_name": accepted(f"{call.key}{number}")}).json()["result"]
                assert text_of(done) == f"Hello, {call.key}{number}! Run 1."
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors[0]
    assert len(calls) == 200


def test_a_question_expires(ledger):
    """Alone, with half a second to answer; a second call is the clock."""
    hosted = Hosted("--question-time", "500")
    try:
        client = Counting(hosted, ledger, "everything")
        left = Asking(client)
        waiting = client.send("tools/call", tool("slow_compute", seconds=2), timeout=30)
        assert "Computed" in text_of(waiting.json(30)["result"])
        assert error_of(left.retry()) == -32602
        assert left.runs() == "1"
    finally:
        assert hosted.stop() == 0
