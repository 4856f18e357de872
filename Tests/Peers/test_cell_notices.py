"""All four cells: progress, logging, and lists that change while the server runs.

Modern clients that want a log declare nothing: a call that another test left parked could be the one that logs.
"""

import anyio
import mcp_types as types
from mcp.client.subscriptions import PromptsListChanged, ResourcesListChanged, ResourceUpdated, ToolsListChanged

from peers.clients import LEGACY, MODERN, User, connected, text
from peers.waiting import until_async


async def test_progress_arrives_in_order_and_before_the_answer(gateway, mode, server, ledger):
    seen = []

    async def progress(done, total, message):
        seen.append((done, total, message))

    async with connected(gateway, server, mode, ledger) as client:
        result = await client.call_tool("progress", {"steps": 5}, progress_callback=progress)
        assert text(result) == "5 steps"
        await until_async(lambda: len(seen) == 5, "five steps of progress")
    assert seen == [(n, 5, f"step {n}") for n in range(1, 6)]


async def test_progress_of_concurrent_calls_does_not_mix(gateway, mode, server, ledger):
    seen = {steps: [] for steps in (2, 3, 4, 5, 6)}

    async with connected(gateway, server, mode, ledger) as client:

        async def call(steps):
            async def progress(done, total, message):
                seen[steps].append((done, total))

            assert (
                text(await client.call_tool("progress", {"steps": steps}, progress_callback=progress))
                == f"{steps} steps"
            )

        async with anyio.create_task_group() as group:
            for steps in seen:
                group.start_soon(call, steps)
        await until_async(lambda: all(len(seen[s]) == s for s in seen), "all progress")
    assert all(seen[steps] == [(n, steps) for n in range(1, steps + 1)] for steps in seen)


async def test_no_progress_is_sent_to_a_caller_that_did_not_ask(gateway, mode, server, ledger):
    async with connected(gateway, server, mode, ledger) as client:
        await client.call_tool("progress", {"steps": 3})
    assert not [m for m in ledger.received if m.get("method") == "notifications/progress"]


async def test_a_legacy_sessions_log_arrives_during_the_call(gateway, server, ledger):
    user = User()
    async with connected(gateway, server, LEGACY, ledger, user) as client:
        await client.set_logging_level("debug")
        await client.call_tool("talk", {})
        await until_async(lambda: len(user.logs) == 4, "four lines of log")
    assert user.logs == [(level, {"said": level}) for level in ("debug", "info", "warning", "error")]


async def test_a_modern_call_gets_the_log_that_it_asked_for(gateway, server, ledger):
    user = User()
    async with connected(gateway, server, MODERN, ledger, log_level="warning", logging_callback=user.log) as client:
        await client.call_tool("talk", {})
        await until_async(lambda: len(user.logs) == 2, "two lines of log")
    assert [level for level, _ in user.logs] == ["warning", "error"]


async def test_a_modern_call_that_asked_for_no_log_gets_none(gateway, server, ledger):
    user = User()
    async with connected(gateway, server, MODERN, ledger, user) as client:
        await client.call_tool("talk", {})
    assert user.logs == []
    assert not [m for m in ledger.received if m.get("method") == "notifications/message"]


async def test_no_modern_call_hears_a_level_that_it_did_not_ask_for(gateway, server, ledger):
    """On stdio a log line names no call, so lines of concurrent calls may be lost; they must not go astray."""
    loud, quiet, silent = User(), User(), User()
    async with (
        connected(gateway, server, MODERN, ledger, log_level="debug", logging_callback=loud.log) as one,
        connected(gateway, server, MODERN, ledger, log_level="error", logging_callback=quiet.log) as two,
        connected(gateway, server, MODERN, ledger, logging_callback=silent.log) as three,
    ):
        async with anyio.create_task_group() as group:
            for client in (one, two, three) * 5:
                group.start_soon(client.call_tool, "talk", {})
        await one.call_tool("talk", {})
        await until_async(lambda: len(loud.logs) >= 4, "the lines of the last call, which was alone")
    assert loud.logs[-4:] == [(level, {"said": level}) for level in ("debug", "info", "warning", "error")]
    assert {level for level, _ in quiet.logs} <= {"error"} and silent.logs == []


async def test_a_legacy_session_hears_of_a_changed_list_of_tools(gateway, server, ledger):
    user = User()
    async with connected(gateway, server, LEGACY, ledger, user) as client:
        before = {tool.name for tool in (await client.list_tools()).tools}
        await client.call_tool("add_tool", {"name": "fresh_legacy"})
        await until_async(lambda: user.heard(types.ToolListChangedNotification), "the news")
        after = {tool.name for tool in (await client.list_tools()).tools}
        assert after - before == {"fresh_legacy"}
        assert text(await client.call_tool("fresh_legacy", {})) == "called fresh_legacy"


async def test_a_legacy_session_hears_of_prompts_and_resources(gateway, server, ledger):
    user = User()
    async with connected(gateway, server, LEGACY, ledger, user) as client:
        await client.call_tool("add_prompt", {"name": "fresh_prompt"})
        await until_async(lambda: user.heard(types.PromptListChangedNotification), "the prompts' news")
        await client.call_tool("touch", {"uri": "test://watched"})
        await until_async(lambda: user.heard(types.ResourceListChangedNotification), "the resources' news")
        assert not user.heard(types.ResourceUpdatedNotification), "nobody subscribed"


async def test_one_sessions_changes_are_not_told_to_another(gateway, server, ledger):
    first, second = User(), User()
    async with connected(gateway, server, LEGACY, ledger, first) as one:
        async with connected(gateway, server, LEGACY, ledger, second) as two:
            await one.call_tool("add_tool", {"name": "only_here"})
            await until_async(lambda: first.heard(types.ToolListChangedNotification), "the news")
            await two.call_tool("echo", {"text": "a round trip"})
            if not _is_one_process(gateway):
                assert "only_here" not in {tool.name for tool in (await two.list_tools()).tools}
    assert not second.heard(types.ToolListChangedNotification)


async def test_a_modern_listener_hears_exactly_what_it_asked_for(gateway, server, ledger):
    async with connected(gateway, server, MODERN, ledger) as client:
        async with client.listen(tools_list_changed=True) as events:
            assert events.honored.tools_list_changed and not events.honored.prompts_list_changed
            await client.call_tool("add_prompt", {"name": "unheard"})
            await client.call_tool("add_tool", {"name": "heard"})
            with anyio.fail_after(10):
                assert await anext(events) == ToolsListChanged()


async def test_several_listeners_each_hear_their_own(gateway, server, ledger):
    async with connected(gateway, server, MODERN, ledger) as client:
        async with (
            client.listen(prompts_list_changed=True) as prompts,
            client.listen(resource_subscriptions=["test://watched"]) as watched,
            client.listen(resources_list_changed=True) as resources,
        ):
            assert len({prompts.subscription_id, watched.subscription_id, resources.subscription_id}) == 3
            await client.call_tool("add_prompt", {"name": "fresh"})
            await client.call_tool("touch", {"uri": "test://other"})
            await client.call_tool("touch", {"uri": "test://watched"})
            with anyio.fail_after(10):
                assert await anext(prompts) == PromptsListChanged()
                assert await anext(watched) == ResourceUpdated(uri="test://watched")
                assert await anext(resources) == ResourcesListChanged()


async def test_a_listener_of_another_client_hears_the_same_child(gateway, server, ledger):
    async with connected(gateway, server, MODERN, ledger) as one:
        async with connected(gateway, server, MODERN, ledger) as two:
            async with one.listen(tools_list_changed=True) as events:
                await two.call_tool("add_tool", {"name": "from_two"})
                with anyio.fail_after(10):
                    assert await anext(events) == ToolsListChanged()


async def test_a_subscribed_resource_is_told_of_until_the_subscription_ends(gateway, server, ledger):
    user = User()
    async with connected(gateway, server, LEGACY, ledger, user) as client:
        await client.subscribe_resource("test://watched")
        await client.call_tool("touch", {"uri": "test://watched"})
        await until_async(lambda: user.heard(types.ResourceUpdatedNotification), "the update")
        assert user.heard(types.ResourceUpdatedNotification)[0].params.uri == "test://watched"
        await client.unsubscribe_resource("test://watched")
        await client.call_tool("touch", {"uri": "test://watched"})
        await until_async(lambda: len(user.heard(types.ResourceListChangedNotification)) == 2, "the second touch")
    assert len(user.heard(types.ResourceUpdatedNotification)) == 1


async def test_a_level_of_log_can_be_set(gateway, server, ledger):
    async with connected(gateway, server, LEGACY, ledger, User()) as client:
        for level in ("debug", "emergency"):
            await client.set_logging_level(level)
    assert not [m for m in ledger.received if "error" in m]


def _is_one_process(gateway):
    from peers.gateway import IS_STANDIN

    return IS_STANDIN
