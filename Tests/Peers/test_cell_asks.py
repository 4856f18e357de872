"""All four cells: the server asks the client.

A legacy server sends requests, a modern one answers with questions; a legacy client gets requests, a modern one rounds.
"""

import uuid

import anyio
import mcp_types as types
import pytest
from mcp.shared.exceptions import MCPError

from peers.clients import LEGACY, MODERN, User, connected, text, value
from peers.gateway import IS_STANDIN
from peers.waiting import until_async

LEGACY_SERVER = "everything" if IS_STANDIN else "everything-legacy"


async def test_a_form_is_shown_and_its_answer_comes_back(gateway, mode, server, ledger):
    user = User()
    async with connected(gateway, server, mode, ledger, user) as client:
        result = value(await client.call_tool("ask_form", {"question": "Wer? ü"}))
    assert (result["action"], result["content"]) == ("accept", {"name": "Ada"})
    assert user.asked[0].message == "Wer? ü"
    assert user.asked[0].requested_schema["properties"] == {"name": {"type": "string"}}


async def test_a_refused_form_is_told_to_the_server(gateway, mode, server, ledger):
    user = User()
    async with connected(gateway, server, mode, ledger, user) as client:
        for user.answer in ("decline", "cancel"):
            result = value(await client.call_tool("ask_form", {}))
            assert (result["action"], result["content"]) == (user.answer, None)


async def test_a_url_is_shown_to_the_user(gateway, mode, server, ledger):
    user = User()
    async with connected(gateway, server, mode, ledger, user) as client:
        assert value(await client.call_tool("ask_url", {})) == {"action": "accept"}
        if mode == LEGACY and server == LEGACY_SERVER:
            await until_async(lambda: user.heard(types.ElicitCompleteNotification), "the end of the visit")
            assert user.heard(types.ElicitCompleteNotification)[0].params.elicitation_id == "sign-in-1"
    assert (user.asked[0].mode, user.asked[0].url) == ("url", "https://example.com/sign-in")
    if mode == MODERN:
        assert user.asked[0].elicitation_id is None
    elif server == LEGACY_SERVER:
        assert user.asked[0].elicitation_id == "sign-in-1"
    else:
        assert user.asked[0].elicitation_id, "the modern era has no such id, so the gateway gives one"
        assert not user.heard(types.ElicitCompleteNotification), "and nobody knows when the visit is over"


async def test_a_page_that_must_be_visited_first_is_an_error_with_its_address(gateway, ledger):
    async with connected(gateway, LEGACY_SERVER, LEGACY, ledger, User()) as client:
        with pytest.raises(MCPError) as caught:
            await client.call_tool("need_url", {"tag": uuid.uuid4().hex})
    assert caught.value.code == -32042
    asked = caught.value.data["elicitations"][0]
    assert (asked["url"], asked["elicitationId"]) == ("https://example.com/x", "need-1")


async def test_the_clients_model_is_asked(gateway, mode, server, ledger):
    user = User()
    async with connected(gateway, server, mode, ledger, user) as client:
        result = await client.call_tool("sample", {"prompt": "Why?"})
    assert text(result) == "model said: an answer to Why?"
    assert user.asked[0].max_tokens == 100


async def test_all_roots_of_the_client_are_told(gateway, mode, server, ledger):
    user = User()
    async with connected(gateway, server, mode, ledger, user) as client:
        assert value(await client.call_tool("roots", {})) == user.roots


async def test_changed_roots_are_told_to_a_legacy_server(gateway, server, ledger):
    user = User()
    async with connected(gateway, server, LEGACY, ledger, user) as client:
        await client.send_roots_list_changed()
        if server == LEGACY_SERVER:
            await until_async(lambda: gateway.journal(server, "roots changed"), "the server's note")
        user.roots = ["file:///moved"]
        assert value(await client.call_tool("roots", {})) == ["file:///moved"], "a modern server asks each time"


async def test_several_questions_at_once_are_all_answered(gateway, mode, server, ledger):
    user = User()
    async with connected(gateway, server, mode, ledger, user) as client:
        name, said, count = value(await client.call_tool("ask_all", {}))
    assert name in ("Ada", "Grace") and said == "an answer to Hello?" and count == 3
    assert len(user.asked) == 3


async def test_a_second_round_knows_the_first(gateway, mode, server, ledger):
    user = User()
    async with connected(gateway, server, mode, ledger, user) as client:
        assert text(await client.call_tool("ask_twice", {})) == "Ada and Grace"
    assert [asked.message for asked in user.asked] == ["First?", "Second, after Ada?"]


async def test_questions_of_concurrent_calls_are_answered_each_to_its_own(gateway, mode, server, ledger):
    class Echoing(User):
        async def elicit(self, context, params):
            await anyio.sleep(0.01 * (len(params.message) % 3))
            return types.ElicitResult(action="accept", content={"name": params.message})

    async with connected(gateway, server, mode, ledger, Echoing()) as client:
        answers = {}

        async def call(number):
            question = f"question {number}{'.' * number}"
            answers[question] = value(await client.call_tool("ask_form", {"question": question}))["content"]["name"]

        async with anyio.create_task_group() as group:
            for number in range(8):
                group.start_soon(call, number)
    assert len(answers) == 8 and all(question == answer for question, answer in answers.items())


@pytest.mark.skipif(IS_STANDIN, reason="is about the gateway's translation")
async def test_a_modern_client_visits_the_page_in_a_round_and_calls_again(gateway, ledger):
    user, tag = User(), uuid.uuid4().hex
    async with connected(gateway, LEGACY_SERVER, MODERN, ledger, user) as client:
        assert text(await client.call_tool("need_url", {"tag": tag})) == "visited"
    assert [(asked.mode, asked.url) for asked in user.asked] == [("url", "https://example.com/x")]
    called = [note for note in gateway.journal(LEGACY_SERVER, "need_url") if note["tag"] == tag]
    assert len(called) == 2, "the retry is a call of its own"


@pytest.mark.parametrize("tool, capability", [("ask_form", "elicitation"), ("sample", "sampling"), ("roots", "roots")])
async def test_what_the_client_cannot_do_is_refused_with_its_name(gateway, server, ledger, tool, capability):
    async with connected(gateway, server, MODERN, ledger) as client:
        with pytest.raises(MCPError) as caught:
            await client.call_tool(tool, {})
    assert caught.value.code == -32021
    assert capability in caught.value.data["requiredCapabilities"]


async def test_a_legacy_server_that_asks_too_much_gets_an_error_and_the_call_ends(gateway, server, ledger):
    async with connected(gateway, server, LEGACY, ledger) as client:
        for tool in ("ask_form", "sample", "roots"):
            with pytest.raises(MCPError):
                await client.call_tool(tool, {})
        assert text(await client.call_tool("echo", {"text": "still here"})) == "still here"


async def test_a_users_error_reaches_the_server(gateway, server, ledger):
    class Broken(User):
        async def elicit(self, context, params):
            return types.ErrorData(code=-32099, message="no screen")

        async def sample(self, context, params):
            return types.ErrorData(code=-32098, message="no model")

    async with connected(gateway, server, LEGACY, ledger, Broken()) as client:
        with pytest.raises(MCPError) as caught:
            await client.call_tool("sample", {"prompt": "?"})
        assert "no model" in caught.value.message
        if server == LEGACY_SERVER:
            with pytest.raises(MCPError) as caught:
                await client.call_tool("ask_form", {})
            assert "no screen" in caught.value.message
        else:
            # An answer has no place for an error; a form that cannot be shown is a form that was closed.
            assert value(await client.call_tool("ask_form", {}))["action"] == "cancel"


async def test_a_prompt_and_a_resource_can_ask_too(gateway, mode, server, ledger):
    user = User()
    async with connected(gateway, server, mode, ledger, user) as client:
        prompt = await client.get_prompt("asks", {})
        assert prompt.messages[0].content.text == "Hello Ada."
        resource = await client.read_resource("test://asks")
        assert resource.contents[0].text == "for Grace"


async def test_the_state_of_a_round_is_not_the_servers_own(gateway, server, ledger):
    async with connected(gateway, server, MODERN, ledger, User()) as client:
        result = await client.session.call_tool("ask_form", {}, allow_input_required=True)
        assert isinstance(result, types.InputRequiredResult)
        assert [type(asked) for asked in result.input_requests.values()] == [types.ElicitRequest]
        assert server == LEGACY_SERVER or "name" in result.input_requests, "a modern server's own key"
        if not IS_STANDIN:
            assert "step" not in result.request_state, "the gateway seals what the server wrote"
