"""All four cells: many sessions and many calls at once, and nobody gets what is another's."""

import anyio
import pytest

from peers.clients import LEGACY, MODERN, User, connected, text, value
from peers.gateway import IS_STANDIN, plain
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


async def test_many_calls_of_a_client_that_can_be_asked_each_get_their_own_answer(gateway, mode, server, ledger):
    """A legacy server that may ask takes them one at a time; the others wait."""
    answers = {}
    async with connected(gateway, server, mode, ledger, User()) as client:

        async def call(number):
            if number % 10 == 0:
                answers[number] = value(await client.call_tool("ask_form", {"question": str(number)}))["action"]
            else:
                answers[number] = text(await client.call_tool("echo", {"text": str(number)}))

        async with anyio.create_task_group() as group:
            for number in range(100):
                group.start_soon(call, number)
    assert answers == {number: "accept" if number % 10 == 0 else str(number) for number in range(100)}


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
            spoken = {"everything-legacy": "2025-11-25", "everything-modern": "2026-07-28"}
            version = value(await client.call_tool("whoami", {}))["version"]
            assert version == spoken.get(server, client.protocol_version)

    async with anyio.create_task_group() as group:
        for mode in (LEGACY, MODERN) * 2:
            group.start_soon(talk, mode)


@pytest.mark.skipif(IS_STANDIN, reason="is about the gateway's children")
async def test_a_server_that_speaks_both_eras_is_spoken_to_in_the_clients(gateway, mode, ledger):
    async with connected(gateway, "everything", mode, ledger) as client:
        assert value(await client.call_tool("whoami", {}))["version"] == client.protocol_version


ISOLATIONS = ("call", "principal", "shared", "session")


@pytest.fixture(scope="module")
def isolated(make_gateway):
    return make_gateway(
        {
            f"{isolation}-{era}": plain("--era", era, era=era, isolation=isolation)
            for isolation in ISOLATIONS
            for era in ("legacy", "modern")
        }
    )


async def _pids(gateway, server, mode, ledger, user=None):
    """The processes that three calls of a client meet."""
    async with connected(gateway, server, mode, ledger, user) as client:
        results = [await client.call_tool("whoami", {}) for _ in range(3)]
        return {result.meta["test/whoami"]["pid"] for result in results}


@pytest.mark.skipif(IS_STANDIN, reason="is about the gateway's children")
@pytest.mark.parametrize("era", ["legacy", "modern"])
@pytest.mark.parametrize("isolation", ISOLATIONS)
async def test_isolation_says_which_modern_callers_share_a_process(isolated, ledger, isolation, era):
    server = f"{isolation}-{era}"
    one, two = [await _pids(isolated, server, MODERN, ledger) for _ in range(2)]
    able = await _pids(isolated, server, MODERN, ledger, User())
    if isolation == "call":
        assert len(one) == len(two) == 3 and not one & two, "a process for each call"
        return
    assert len(one | two) == 1, "callers without a session have no process of their own"
    if isolation == "shared" or era == "modern":
        assert able == one, "what a caller declares makes no difference"
    else:
        assert len(able) == 1 and able != one, "a legacy server is told once what its callers can do"


@pytest.mark.skipif(IS_STANDIN, reason="is about the gateway's children")
@pytest.mark.parametrize("era", ["legacy", "modern"])
@pytest.mark.parametrize("isolation", ISOLATIONS)
async def test_a_legacy_session_has_its_own_process_whatever_is_said(isolated, ledger, isolation, era):
    one, two = [await _pids(isolated, f"{isolation}-{era}", LEGACY, ledger) for _ in range(2)]
    assert len(one) == len(two) == 1 and one != two
    assert not (one | two) & await _pids(isolated, f"{isolation}-{era}", MODERN, ledger), "nor shares it with others"


@pytest.mark.skipif(IS_STANDIN, reason="is about the gateway's children")
@pytest.mark.parametrize("isolation", ["call", "principal", "shared"])
async def test_a_process_that_all_share_logs_to_nobody(isolated, ledger, isolation):
    """A legacy server's log names no call, so what is shared by several people must not be heard by one."""
    user = User()
    async with connected(isolated, f"{isolation}-legacy", MODERN, ledger, user, log_level="debug") as client:
        await client.call_tool("log", {"text": "for whom?"})
        await client.call_tool("echo", {"text": "a round trip"})
    assert [data for _, data in user.logs] == ([] if isolation == "shared" else ["for whom?"])
