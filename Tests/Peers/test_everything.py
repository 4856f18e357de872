"""The fixture server with the PyPI client, hosted and bridged: what the official suite does not look at."""

import uuid

import anyio
import mcp_types as types
import pytest
from mcp.shared.exceptions import MCPError

from peers.clients import LEGACY, User, connected, text
from peers.conformance import Hosted, everything
from peers.waiting import until_async


@pytest.fixture
def user():
    return User()


def client_of(suite, mode, user=None, **more):
    return connected(suite.at, suite.server, mode, suite.ledger, user, **more)


async def test_structured_output_has_its_schema(suite, mode):
    async with client_of(suite, mode) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools["test_structured_content"].output_schema["properties"]) >= {"city", "celsius", "sunny"}
        result = await client.call_tool("test_structured_content", {"city": "Oslo"})
        assert result.structured_content["city"] == "Oslo" and text(result)
        many = await client.call_tool("test_structured_list", {"count": 3})
        if mode == LEGACY or suite.place == "over-legacy":
            assert many.structured_content in (None, {"result": [1, 2, 3]}) and "3" in text(many)
        else:
            assert many.structured_content == [1, 2, 3]


async def test_an_argument_that_is_wrong_is_told_to_the_model_by_name(suite, mode):
    async with client_of(suite, mode) as client:
        for arguments in ({"seconds": "soon"}, {"seconds": -1}):
            result = await client.call_tool("slow_compute", arguments)
            assert result.is_error and "seconds" in text(result)


async def test_errors_keep_their_code_message_and_data(suite, mode):
    async with client_of(suite, mode) as client:
        with pytest.raises(MCPError) as caught:
            await client.call_tool("test_protocol_error", {"code": -1234})
        assert (caught.value.code, caught.value.message) == (-1234, "Refused on purpose")
        assert caught.value.data == {"why": "a test"}
        with pytest.raises(MCPError) as caught:
            await client.call_tool("no_such_tool", {})
        assert caught.value.code == -32602
        with pytest.raises(MCPError) as caught:
            await client.read_resource("test://nowhere")
        assert caught.value.code == (-32002 if mode == LEGACY else -32602)
        assert caught.value.data == {"uri": "test://nowhere"}


async def test_a_page_is_opened(suite, mode, user):
    async with client_of(suite, mode, user) as client:
        assert "accept" in text(await client.call_tool("test_elicitation_url", {"url": "https://example.com/in"}))
    assert [(asked.mode, asked.url) for asked in user.asked] == [("url", "https://example.com/in")]


async def test_questions_one_after_another_and_all_at_once(suite, mode, user):
    async with client_of(suite, mode, user) as client:
        assert "file:///home/ada" in text(await client.call_tool("test_list_roots", {}))
        result = await client.call_tool("test_input_required_result_multiple_inputs", {})
        assert "3 roots" in text(result) and "Generate a greeting" in text(result)
    assert len(user.asked) == 4


async def test_questions_of_concurrent_calls_each_run_once(suite, mode):
    class Echoing(User):
        async def elicit(self, context, params):
            await anyio.lowlevel.checkpoint()
            return types.ElicitResult(action="accept", content={"name": "Ada"})

    said = {}
    async with client_of(suite, mode, Echoing()) as client:

        async def call(key):
            said[key] = text(await client.call_tool("test_counted_elicitation", {"key": key}))

        async with anyio.create_task_group() as group:
            for _ in range(8):
                group.start_soon(call, uuid.uuid4().hex)
    assert list(said.values()) == ["Hello, Ada! Run 1."] * 8


async def test_logs_come_from_the_level_that_was_wanted(suite, mode, user):
    """The client declares nothing, so that no parked call of another test could be the one that logs."""
    level = None if mode == LEGACY else "error"
    async with client_of(suite, mode, log_level=level, logging_callback=user.log) as client:
        if mode == LEGACY:
            await client.set_logging_level("error")
        await client.call_tool("test_log_levels", {})
        await until_async(lambda: len(user.logs) == 4, "four lines of log")
    assert [level for level, _ in user.logs] == ["error", "critical", "alert", "emergency"]


async def test_a_call_that_is_given_up_is_cancelled(suite, mode):
    key = uuid.uuid4().hex
    async with client_of(suite, mode) as client:

        async def counted(name):
            return (await client.call_tool("read_count", {"key": name})).content[0].text != "0"

        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "wait_for_cancellation", {"key": key})
            with anyio.fail_after(10):
                while not await counted(f"{key}-started"):
                    await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
        with anyio.fail_after(10):
            while not await counted(key):
                await anyio.lowlevel.checkpoint()


async def test_a_tool_comes_and_goes(suite, mode):
    name = f"made_{uuid.uuid4().hex[:8]}"
    async with client_of(suite, mode) as client:
        await client.call_tool("add_tool", {"name": name})
        assert name in {tool.name for tool in (await client.list_tools()).tools}
        assert text(await client.call_tool(name, {})) == f"I am {name}."
        await client.call_tool("remove_tool", {"name": name})
        assert name not in {tool.name for tool in (await client.list_tools()).tools}


async def test_arguments_are_completed_by_what_was_chosen_before(suite, mode):
    prompt = types.PromptReference(name="test_prompt_with_arguments")
    template = types.ResourceTemplateReference(uri="test://template/{id}/data")
    async with client_of(suite, mode) as client:
        done = await client.complete(prompt, {"name": "arg2", "value": "par"}, {"arg1": "park"})
        assert "paris" in done.completion.values and "park" not in done.completion.values
        done = await client.complete(template, {"name": "id", "value": "12"})
        assert done.completion.values == ["123", "124"]


class TestPages:
    """With pages of two."""

    @pytest.fixture(scope="class")
    def paged(self, make_gateway):
        hosted = Hosted("--page-size", "2")
        servers = {f"over-{era}": everything(era, "--page-size", "2") for era in ("legacy", "modern")}
        yield {"hosted": hosted, "bridged": make_gateway(servers)}
        hosted.stop()

    @pytest.mark.parametrize("place", ["hosted", "over-legacy", "over-modern"])
    async def test_lists_come_in_pages_without_gap_or_repetition(self, paged, place, mode, ledger):
        at, server = (paged["hosted"], "everything") if place == "hosted" else (paged["bridged"], place)
        async with connected(at, server, mode, ledger) as client:
            for lister, field in (
                (client.list_tools, "tools"),
                (client.list_resources, "resources"),
                (client.list_prompts, "prompts"),
                (client.list_resource_templates, "resource_templates"),
            ):
                names, cursor, sizes = [], None, []
                while True:
                    page = await lister(cursor=cursor)
                    names += [item.name for item in getattr(page, field)]
                    sizes.append(len(getattr(page, field)))
                    cursor = page.next_cursor
                    if cursor is None:
                        break
                assert len(set(names)) == len(names) and set(sizes[:-1]) <= {2}
                with pytest.raises(MCPError) as caught:
                    await lister(cursor="never given")
                assert caught.value.code == -32602
