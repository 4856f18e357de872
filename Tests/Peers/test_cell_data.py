"""All four cells: resources, templates, prompts, completion and pages."""

import base64

import mcp_types as types
import pytest
from mcp.shared.exceptions import MCPError

from peers.clients import LEGACY, MODERN, connected


async def pages_of(lister, field):
    found, cursors, cursor = [], [], None
    while True:
        page = await lister(cursor=cursor)
        found.append(getattr(page, field))
        cursor = page.next_cursor
        if cursor is None:
            return found, cursors
        cursors.append(cursor)


async def test_resources_come_in_pages_without_gap_or_repetition(gateway, mode, server, ledger):
    async with connected(gateway, server, mode, ledger) as client:
        pages, cursors = await pages_of(client.list_resources, "resources")
    assert [len(page) for page in pages] == [10, 10, 9]
    uris = [resource.uri for page in pages for resource in page]
    assert len(set(uris)) == 29 and {"test://text", "test://item/24"} <= set(uris)
    assert len(set(cursors)) == 2


async def test_templates_and_prompts_come_in_pages(gateway, mode, server, ledger):
    async with connected(gateway, server, mode, ledger) as client:
        templates, _ = await pages_of(client.list_resource_templates, "resource_templates")
        prompts, _ = await pages_of(client.list_prompts, "prompts")
    assert [len(page) for page in templates] == [10, 2]
    assert templates[0][3].uri_template == "test://template3/{id}"
    names = [prompt.name for page in prompts for prompt in page]
    assert names[:5] == ["plain", "greet", "picture", "asks", "last"]


@pytest.mark.parametrize("lister", ["list_resources", "list_prompts", "list_resource_templates"])
async def test_a_cursor_that_nobody_gave_is_refused(gateway, mode, server, ledger, lister):
    async with connected(gateway, server, mode, ledger) as client:
        with pytest.raises(MCPError) as caught:
            await getattr(client, lister)(cursor="never given")
    assert caught.value.code == -32602


async def test_a_text_and_a_binary_resource_are_read(gateway, mode, server, ledger):
    async with connected(gateway, server, mode, ledger) as client:
        text = (await client.read_resource("test://text")).contents[0]
        assert isinstance(text, types.TextResourceContents)
        assert (text.uri, text.mime_type, text.text) == ("test://text", "text/plain", "contents of test://text")
        blob = (await client.read_resource("test://binary")).contents[0]
        assert isinstance(blob, types.BlobResourceContents)
        assert base64.b64decode(blob.blob).startswith(b"\x89PNG")


async def test_a_resource_of_a_template_and_one_with_a_name_beyond_ascii_are_read(gateway, mode, server, ledger):
    async with connected(gateway, server, mode, ledger) as client:
        for uri in ("test://template3/a%20b", "test://käse/ü"):
            assert (await client.read_resource(uri)).contents[0].text == f"contents of {uri}"


async def test_a_resource_that_does_not_exist_is_an_error_with_its_name(gateway, mode, server, ledger):
    async with connected(gateway, server, mode, ledger) as client:
        with pytest.raises(MCPError) as caught:
            await client.read_resource("test://nowhere")
    assert caught.value.code == (-32002 if mode == LEGACY else -32602)
    assert caught.value.data == {"uri": "test://nowhere"}


async def test_prompts_are_filled_with_their_arguments(gateway, mode, server, ledger):
    async with connected(gateway, server, mode, ledger) as client:
        plain = await client.get_prompt("plain")
        assert plain.messages[0].content.text == "This is plain."
        filled = await client.get_prompt("greet", {"name": "Grace", "city": "Zürich"})
        assert filled.messages[0].content.text == "Greet Grace in Zürich."
        picture = await client.get_prompt("picture")
        assert [message.content.type for message in picture.messages] == ["image", "resource", "text"]


async def test_a_prompt_that_is_unknown_or_lacks_an_argument_is_an_error(gateway, mode, server, ledger):
    async with connected(gateway, server, mode, ledger) as client:
        for name, arguments in (("nothing", {}), ("greet", {})):
            with pytest.raises(MCPError) as caught:
                await client.get_prompt(name, arguments)
            assert caught.value.code == -32602


async def test_arguments_are_completed_with_their_context(gateway, mode, server, ledger):
    prompt = types.PromptReference(name="greet")
    template = types.ResourceTemplateReference(uri="test://template3/{id}")
    async with connected(gateway, server, mode, ledger) as client:
        done = await client.complete(prompt, {"name": "city", "value": "par"})
        assert done.completion.values == ["paris", "park", "parrot", "party"]
        assert done.completion.total == 4 and done.completion.has_more is False
        done = await client.complete(template, {"name": "id", "value": "lon"})
        assert done.completion.values == ["id-london"]
        done = await client.complete(prompt, {"name": "city", "value": "x"}, {"country": "france"})
        assert done.completion.values == ["in-france"]


async def test_modern_lists_say_how_long_they_hold(gateway, server, ledger):
    async with connected(gateway, server, MODERN, ledger) as client:
        for result in (
            await client.list_tools(),
            await client.list_resources(),
            await client.list_resource_templates(),
            await client.list_prompts(),
            await client.read_resource("test://text"),
        ):
            assert result.ttl_ms >= 0 and result.cache_scope in ("public", "private")
    listed = [m["result"] for m in ledger.received if "result" in m]
    assert len(listed) == 5 and all({"ttlMs", "cacheScope", "resultType"} <= set(result) for result in listed)


async def test_legacy_results_carry_nothing_of_the_modern_era(gateway, server, ledger):
    async with connected(gateway, server, LEGACY, ledger) as client:
        await client.list_tools()
        await client.read_resource("test://text")
        await client.call_tool("echo", {"text": "x"})
    results = [m["result"] for m in ledger.received if "result" in m]
    assert results and not any({"ttlMs", "cacheScope", "resultType"} & set(result) for result in results)
