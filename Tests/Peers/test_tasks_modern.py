"""Tasks, a modern client with a modern server: ids are sealed, and lead back to the process that has the task."""

import sys

import pytest

from peers.gateway import SERVERS as FOLDER
from peers.raw import SUBSCRIPTION, ModernClient, error_of, text_of
from peers.waiting import until

SCRIPT = {"command": sys.executable, "args": ["-S", "-E", str(FOLDER / "tasks.py")]}
SERVERS = {name: {**SCRIPT, "isolation": "principal"} for name in ("tasks", "second")}
SERVERS["calls"] = {**SCRIPT, "isolation": "call"}
CAPABLE = {"elicitation": {"form": {}}, "extensions": {"io.modelcontextprotocol/tasks": {}}}


@pytest.fixture(params=["tasks", "calls"])
def server(request):
    """A process that the calls of a caller share, and one for each call."""
    return request.param


@pytest.fixture
def client(gateway, ledger, server):
    return ModernClient(gateway, ledger, server, CAPABLE)


@pytest.fixture
def shared(gateway, ledger):
    return ModernClient(gateway, ledger, "tasks", CAPABLE)


def make(client, tool="work", text=None):
    result = client.call(tool, text)
    assert result["resultType"] == "task", result
    return result


def get(client, number, **more):
    return client.send("tasks/get", {"taskId": number}, **more)


def state(client, number):
    reply = get(client, number)
    assert reply.status == 200, reply.json()
    return reply.json()["result"]


def asked(gateway, server="tasks"):
    return [m for method in ("get", "update", "cancel") for m in gateway.seen(server, f"tasks/{method}")]


def acknowledged(stream):
    message = stream.message()
    assert message["method"] == "notifications/subscriptions/acknowledged", message
    return message["params"]["notifications"]


def test_the_servers_id_is_not_shown_and_comes_back_to_it(gateway, client, server):
    made = make(client)
    assert "own" not in made["taskId"] and made["status"] == "working" and made["ttlMs"] == 60_000
    get(client, made["taskId"])
    own = gateway.journal(server, "made")[-1]["task"]
    assert gateway.seen(server, "tasks/get")[-1]["params"]["taskId"] == own


def test_a_task_is_followed_to_its_end(client):
    made = make(client)
    number = made["taskId"]
    first = state(client, number)
    assert (first["status"], first["taskId"], first["resultType"]) == ("working", number, "complete")
    last = state(client, number)
    assert (last["status"], last["taskId"]) == ("completed", number)
    assert text_of(last["result"]).startswith("worked in ")


def test_a_task_that_asks_is_answered(client):
    made = make(client, "confirm")
    number = made["taskId"]
    assert state(client, number)["inputRequests"]["sure"]["method"] == "elicitation/create"
    answers = {"sure": {"action": "accept", "content": {"sure": True}}}
    reply = client.send("tasks/update", {"taskId": number, "inputResponses": answers})
    assert reply.status == 200 and reply.json()["result"]["resultType"] == "complete"
    assert state(client, number)["status"] == "working"


def test_a_task_is_cancelled_as_often_as_one_likes(client):
    number = make(client)["taskId"]
    for _ in range(2):
        assert client.send("tasks/cancel", {"taskId": number}).status == 200
    assert state(client, number)["status"] == "cancelled"


def tampered(number):
    yield from ("", "own", number[1:], number + "A", number[:-2] + ("AA" if number[-2:] != "AA" else "BB"))
    yield number[: len(number) // 2]


@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
def test_an_id_that_was_touched_is_refused_and_not_passed_on(gateway, shared, method):
    number = make(shared)["taskId"]
    before = len(asked(gateway))
    for wrong in tampered(number):
        reply = shared.send(method, {"taskId": wrong, "inputResponses": {}})
        assert reply.status == 400 and error_of(reply) == -32602, wrong
    assert len(asked(gateway)) == before


def test_an_id_is_good_for_its_server_only(gateway, shared, ledger):
    number = make(shared)["taskId"]
    second = ModernClient(gateway, ledger, "second", CAPABLE)
    assert error_of(get(second, number)) == -32602
    assert not asked(gateway, "second")


def test_a_sealed_cursor_or_state_is_no_task(shared):
    state = shared.call("rounds")["requestState"]
    assert error_of(get(shared, state)) == -32602


def test_the_header_names_the_id_that_the_client_has(shared):
    number = make(shared)["taskId"]
    assert error_of(get(shared, number, changes={"Mcp-Name": number[:-1]})) == -32020
    assert error_of(get(shared, number, changes={"Mcp-Name": None})) == -32020
    assert get(shared, number).status == 200


@pytest.mark.parametrize(
    "capabilities", [{}, {"extensions": {}}, {"extensions": {"other/one-that-has-a-long-enough-name": {}}}]
)
def test_a_task_for_a_client_that_cannot_follow_one_is_the_servers_fault(gateway, ledger, server, capabilities):
    plain = ModernClient(gateway, ledger, server, capabilities)
    reply = plain.send("tools/call", {"name": "force", "arguments": {}})
    assert reply.status == 502 and error_of(reply) == -32603
    assert "own" not in str(reply.json())


def test_a_task_without_an_id_is_the_servers_fault(client):
    assert error_of(client.send("tools/call", {"name": "unnamed", "arguments": {}})) == -32603


def test_a_listener_hears_of_its_tasks_under_its_ids(client):
    number = make(client, "confirm")["taskId"]
    stream = client.listen(taskIds=[number])
    assert acknowledged(stream) == {"taskIds": [number]}
    client.send("tasks/update", {"taskId": number, "inputResponses": {}})
    news = stream.message()
    assert news["method"] == "notifications/tasks" and news["params"]["taskId"] == number
    assert SUBSCRIPTION in news["params"]["_meta"]
    stream.connection.close()
    assert state(client, number)["status"] == "working", "the end of a listen is not the end of the task"


def test_a_listener_hears_nothing_of_tasks_that_it_did_not_name(shared):
    one, other = (make(shared, "confirm")["taskId"] for _ in range(2))
    stream = shared.listen(taskIds=[other])
    acknowledged(stream)
    for number in (one, other):
        shared.send("tasks/cancel", {"taskId": number})
    assert stream.message()["params"]["taskId"] == other
    stream.connection.close()


def test_a_listen_with_an_id_of_someone_else_is_refused(gateway, shared):
    before = len(gateway.seen("tasks", "subscriptions/listen"))
    number = make(shared)["taskId"]
    for wrong in ([number, "own"], [number[:-1]], [number] * 1025):
        assert error_of(shared.listen(taskIds=wrong)) == -32602
    assert len(gateway.seen("tasks", "subscriptions/listen")) == before


def test_where_each_call_has_its_process_the_task_keeps_it(gateway, ledger):
    client = ModernClient(gateway, ledger, "calls", CAPABLE)
    numbers = [make(client)["taskId"] for _ in range(2)]
    made = {note["task"]: note["pid"] for note in gateway.journal("calls", "made")[-2:]}
    assert len(set(made.values())) == 2
    for number, pid in reversed(list(zip(numbers, made.values()))):
        state(client, number)
        assert text_of(state(client, number)["result"]) == f"worked in {pid}"
    stream = client.listen(taskIds=numbers)
    assert acknowledged(stream) == {"taskIds": numbers[:1]}, "a listen reaches one process"
    stream.connection.close()


def test_where_each_call_has_its_process_it_ends_with_the_task(gateway, ledger):
    client = ModernClient(gateway, ledger, "calls", CAPABLE)
    number = make(client, text="200")["taskId"]
    pid = gateway.journal("calls", "made")[-1]["pid"]
    until(lambda: pid not in gateway.children("calls"), "the end of the process")
    assert error_of(get(client, number)) == -32602


@pytest.mark.parametrize("method", ["tasks/list", "tasks/result"])
def test_what_the_extension_does_not_have_is_not_found(shared, method):
    assert error_of(shared.send(method, {"taskId": make(shared)["taskId"]})) == -32601
