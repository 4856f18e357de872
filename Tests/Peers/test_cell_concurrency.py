"""All four cells: many sessions and many calls at once, and nobody gets what is another's."""

import anyio
import pytest

from peers.clients import LEGACY, MODERN, connected, text, value
from peers.gateway import IS_STANDIN
from peers.waiting import until_async


async def test_hundreds_of_calls_at_once_in_one_session_each_get_their_own_answer(gateway, mode, server, ledger):
    answers = {}
    async with connected(gateway, server, mode, ledger) as client:

        async def call(number):
            words = f"{number} " + "x" * (number * 37 % 5000)
            answers[number] = (text(await client.call_tool("echo", {"text": words})), words)

        async with anyio.create_task_group() as group:
            for number in range(200):
                group.start_soon(call, number)
    assert len(answers) == 200 and all(got == sent for got, sent in answers.values())


async def test_a_fast_call_overtakes_a_slow_one(gateway, mode, server, ledger, tmp_path):
    gate = tmp_path / "gate"
    order = []
    async with connected(gateway, server, mode, ledger) as client:

        async def slow():
            await client.call_tool("wait_for", {"path": str(gate)})
            order.append("slow")

        async with anyio.create_task_group() as group:
            group.start_soon(slow)
            await until_async(
                lambda: any(n["path"] == str(gate) for n in gateway.journal(server, "wait_for started")),
                "the slow call at the server",
            )
            await client.call_tool("echo", {"text": "x"})
            order.append("fast")
            gate.touch()
    assert order == ["fast", "slow"]


async def test_legacy_sessions_have_a_process_each(gateway, server, ledger):
    facts = []

    async def session(number):
        async with connected(gateway, server, LEGACY, ledger) as client:
            for turn in range(5):
                words = f"session {number}, turn {turn}"
                assert text(await client.call_tool("echo", {"text": words})) == words
            facts.append(value(await client.call_tool("whoami", {})))

    async with anyio.create_task_group() as group:
        for number in range(6):
            group.start_soon(session, number)
    assert len(facts) == 6
    if not IS_STANDIN:
        assert len({fact["pid"] for fact in facts}) == 6
        assert {fact["calls"] for fact in facts} == {6}, "each process has seen the calls of its session only"


async def test_modern_clients_of_one_principal_share_a_process(gateway, server, ledger):
    pids = set()

    async def client(number):
        async with connected(gateway, server, MODERN, ledger) as client:
            for turn in range(20):
                words = f"client {number}, turn {turn}"
                assert text(await client.call_tool("echo", {"text": words})) == words
            pids.add(value(await client.call_tool("whoami", {}))["pid"])

    async with anyio.create_task_group() as group:
        for number in range(6):
            group.start_soon(client, number)
    assert len(pids) == 1


async def test_both_eras_are_served_at_once_by_one_endpoint(gateway, server, ledger):
    async def talk(mode):
        async with connected(gateway, server, mode, ledger) as client:
            for turn in range(20):
                assert text(await client.call_tool("echo", {"text": f"{mode} {turn}"})) == f"{mode} {turn}"
            version = value(await client.call_tool("whoami", {}))["version"]
            assert version == ("2025-11-25" if server == "everything-legacy" else "2026-07-28")

    async with anyio.create_task_group() as group:
        for mode in (LEGACY, MODERN) * 2:
            group.start_soon(talk, mode)


@pytest.mark.skipif(IS_STANDIN, reason="is about the gateway's children")
async def test_a_server_that_speaks_both_eras_is_spoken_to_in_the_clients(gateway, mode, ledger):
    async with connected(gateway, "everything", mode, ledger) as client:
        assert value(await client.call_tool("whoami", {}))["version"] == client.protocol_version


@pytest.mark.skipif(IS_STANDIN, reason="is about the gateway's children")
async def test_isolation_says_who_shares_a_process(make_gateway, ledger):
    from peers.gateway import plain

    gateway = make_gateway(
        {
            "call": plain(isolation="call"),
            "principal": plain(isolation="principal"),
            "shared": plain(isolation="shared"),
            "session": plain(isolation="session"),
        }
    )

    async def pids(server, mode, calls=3):
        async with connected(gateway, server, mode, ledger) as client:
            results = [await client.call_tool("whoami", {}) for _ in range(calls)]
            return {result.meta["test/whoami"]["pid"] for result in results}

    assert len(await pids("call", MODERN)) == 3
    assert len(await pids("principal", MODERN) | await pids("principal", MODERN)) == 1
    assert len(await pids("shared", MODERN) | await pids("shared", MODERN)) == 1
    # A legacy session has a process of its own whatever is said; `check` warns of it.
    assert len(await pids("shared", LEGACY) | await pids("shared", LEGACY)) == 2
    assert len(await pids("session", LEGACY) | await pids("session", LEGACY)) == 2
