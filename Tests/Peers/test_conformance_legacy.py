"""The official suite's server scenarios of 2025-11-25 alone. A test is named after its scenario."""

import pytest

from peers.conformance import choices_fit, defaults_fit, tool
from peers.parking import accepted, modelled
from peers.raw import rpc, text_of


@pytest.fixture
def client(suite):
    return suite.legacy()


def converse(client, name, answers, /, **arguments):
    """Call a tool, answer its questions; the questions' parameters and the result."""
    connection, exchange = client.begin(rpc("tools/call", tool(name, **arguments), 90))
    reply, asked, answers = connection.read(exchange), [], iter(answers)
    while True:
        message = reply.message() if reply.is_stream else reply.json()
        if "method" not in message:
            assert "result" in message, message
            return asked, message["result"]
        if "id" in message:
            asked.append(message)
            client.answer(message, next(answers))


def test_server_initialize(client):
    assert client.opened["protocolVersion"] == "2025-11-25"
    assert client.opened["serverInfo"]["name"] and client.opened["serverInfo"]["version"]
    assert client.opened["capabilities"]["tools"] is not None
    assert client.id and all(0x21 <= ord(character) <= 0x7E for character in client.id)


def test_logging_set_level(client):
    assert client.request("logging/setLevel", {"level": "info"})["result"] == {}


def test_ping(client):
    assert client.request("ping")["result"] == {}


def test_tools_call_with_logging(client):
    client.request("logging/setLevel", {"level": "debug"})
    answer = client.request("tools/call", tool("test_tool_with_logging"))
    assert text_of(answer["result"])
    logs = [notice["params"] for notice in client.notices if notice["method"] == "notifications/message"]
    assert [log["level"] for log in logs] == ["info"] * 3, "during the call, on its own stream"
    assert logs[0]["data"] == "Tool execution started"
    assert "processing data" in logs[1]["data"] and "completed" in logs[2]["data"]


def test_tools_call_sampling(client):
    asked, result = converse(client, "test_sampling", [modelled("four")], prompt="What is 2+2?")
    (question,) = asked
    assert question["method"] == "sampling/createMessage" and question["params"]["maxTokens"] == 100
    assert question["params"]["messages"][0]["content"] == {"type": "text", "text": "What is 2+2?"}
    assert text_of(result) == "LLM response: four"


@pytest.mark.parametrize("action", ["accept", "decline", "cancel"])
def test_tools_call_elicitation(client, action):
    content = {"username": "ada", "email": "ada@example.com"}
    answer = {"action": action, **({"content": content} if action == "accept" else {})}
    (question,), result = converse(client, "test_elicitation", [answer], message="Who are you?")
    assert question["method"] == "elicitation/create" and question["params"]["message"] == "Who are you?"
    schema = question["params"]["requestedSchema"]
    assert schema["type"] == "object" and set(schema["properties"]) == {"username", "email"}
    assert action in text_of(result) and (action != "accept" or "ada@example.com" in text_of(result))


def test_elicitation_sep1034_defaults(client):
    (question,), result = converse(client, "test_elicitation_sep1034_defaults", [accepted()])
    defaults_fit(question["params"])
    assert text_of(result)


def test_elicitation_sep1330_enums(client):
    (question,), result = converse(client, "test_elicitation_sep1330_enums", [{"action": "accept", "content": {}}])
    choices_fit(question["params"])
    assert text_of(result)


def test_resources_subscribe_and_unsubscribe(client):
    params = {"uri": "test://watched-resource"}
    assert client.request("resources/subscribe", params)["result"] == {}
    assert client.request("resources/unsubscribe", params)["result"] == {}


def test_a_subscribed_resource_is_told_of(client):
    """More than the suite asks: the subscription has its effect."""
    stream = client.stream()
    client.request("resources/subscribe", {"uri": "test://watched-resource"})
    client.call("test_touch_resource")
    client.request("resources/unsubscribe", {"uri": "test://watched-resource"})
    notices = list(client.notices)
    client.call("test_touch_resource")
    notices += client.notices
    client.delete()
    notices += stream.messages()
    told = [n["params"]["uri"] for n in notices if n["method"] == "notifications/resources/updated"]
    assert told == ["test://watched-resource"]


def test_server_session_lifecycle(client):
    """Not scored by the suite."""
    reply = client.delete()
    assert reply.status in (200, 202, 204, 405)
    if reply.status != 405:
        assert client.post(rpc("tools/list", {}, 5)).status == 404


def test_server_sse_polling(client):
    """Not scored by the suite: a stream begins with an event to come back to, and what was missed is sent again.

    A call that says nothing meanwhile may be answered without a stream, for which the suite only warns; so a second one
    tells its progress, which needs a stream.
    """
    assert text_of(client.call("test_reconnection")) == "Reconnection test completed."
    params = {**tool("wait_for_cancellation", seconds=0.3), "_meta": {"progressToken": 1}}
    connection, exchange = client.begin(rpc("tools/call", params, 77))
    reply = connection.read(exchange)
    assert reply.is_stream
    primer = reply.event()
    assert primer.is_priming and primer.data in (None, "")
    reply.connection.close()
    told = client.stream(last=primer.id).messages()
    assert told[-1]["id"] == 77 and text_of(told[-1]["result"]) == "Nobody cancelled."
    assert [message["params"]["progress"] for message in told[:-1]] == [1]
