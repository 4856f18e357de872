"""All four cells: a call that is given up reaches the server as cancelled, and only that one."""

import uuid

import anyio
import pytest
from mcp.shared.exceptions import MCPError

from peers.clients import LEGACY, MODERN, User, connected, text
from peers.gateway import IS_STANDIN
from peers.waiting import until_async


def noted(gateway, server, event, tag):
    return [note for note in gateway.journal(server, event) if note["tag"] == tag]


async def test_a_call_that_the_client_gives_up_is_cancelled_at_the_server(gateway, mode, server, ledger):
    tag = uuid.uuid4().hex
    async with connected(gateway, server, mode, ledger) as client:
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "wait", {"tag": tag})
            await until_async(lambda: noted(gateway, server, "wait started", tag), "the call at the server")
            group.cancel_scope.cancel()
        await until_async(lambda: noted(gateway, server, "wait cancelled", tag), "the cancellation at the server")
        assert text(await client.call_tool("echo", {"text": "next"})) == "next"


async def test_a_call_that_outlives_the_clients_patience_is_cancelled(gateway, mode, server, ledger):
    tag = uuid.uuid4().hex
    async with connected(gateway, server, mode, ledger) as client:
        with pytest.raises(MCPError):
            await client.call_tool("wait", {"tag": tag}, read_timeout_seconds=1)
        await until_async(lambda: noted(gateway, server, "wait cancelled", tag), "the cancellation at the server")


async def test_a_cancellation_hits_one_of_many(gateway, mode, server, ledger):
    tags = [uuid.uuid4().hex for _ in range(4)]
    async with connected(gateway, server, mode, ledger) as client:
        scopes = {}

        async def call(tag):
            with anyio.CancelScope() as scopes[tag]:
                await client.call_tool("wait", {"tag": tag})

        async with anyio.create_task_group() as group:
            for tag in tags:
                group.start_soon(call, tag)
            await until_async(
                lambda: all(noted(gateway, server, "wait started", t) for t in tags), "four calls at the server"
            )
            scopes[tags[2]].cancel()
            await until_async(lambda: noted(gateway, server, "wait cancelled", tags[2]), "one cancellation")
            assert text(await client.call_tool("echo", {"text": "meanwhile"})) == "meanwhile"
            others = [tag for tag in tags if tag != tags[2]]
            assert not any(noted(gateway, server, "wait cancelled", tag) for tag in others)
            group.cancel_scope.cancel()
        await until_async(lambda: all(noted(gateway, server, "wait cancelled", t) for t in tags), "the others")


async def test_calls_of_a_legacy_client_with_equal_ids_are_cancelled_apart(gateway, server, ledger):
    """Two sessions use the same ids; a cancellation in one does not touch the other."""
    tags = [uuid.uuid4().hex for _ in range(2)]
    async with connected(gateway, server, LEGACY, ledger) as one:
        async with connected(gateway, server, LEGACY, ledger) as two:
            async with anyio.create_task_group() as outer:
                outer.start_soon(two.call_tool, "wait", {"tag": tags[1]})
                async with anyio.create_task_group() as inner:
                    inner.start_soon(one.call_tool, "wait", {"tag": tags[0]})
                    await until_async(
                        lambda: all(noted(gateway, server, "wait started", t) for t in tags), "both calls"
                    )
                    inner.cancel_scope.cancel()
                await until_async(lambda: noted(gateway, server, "wait cancelled", tags[0]), "the first's cancellation")
                await two.call_tool("echo", {"text": "x"})
                assert not noted(gateway, server, "wait cancelled", tags[1])
                outer.cancel_scope.cancel()


async def test_ending_a_legacy_session_ends_what_it_waits_for(gateway, server, ledger):
    if IS_STANDIN:
        pytest.skip("is about the gateway's children")
    tag = uuid.uuid4().hex
    async with connected(gateway, server, LEGACY, ledger) as client:
        before = len(gateway.journal(server, "end"))
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "wait", {"tag": tag})
            await until_async(lambda: noted(gateway, server, "wait started", tag), "the call at the server")
            pid = noted(gateway, server, "wait started", tag)[0]["pid"]
            group.cancel_scope.cancel()
    from peers.processes import is_alive

    await until_async(lambda: not is_alive(pid), "the end of the session's child")
    assert len(gateway.journal(server, "end")) >= before


async def test_a_modern_round_that_is_never_continued_leaves_the_server_answering(gateway, server, ledger):
    async with connected(gateway, server, MODERN, ledger, User()) as client:
        for _ in range(5):
            await client.session.call_tool("ask_form", {}, allow_input_required=True)
        assert text(await client.call_tool("echo", {"text": "still"})) == "still"
