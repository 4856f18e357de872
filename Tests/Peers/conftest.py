"""Fixtures: a gateway per module, a ledger per test that is judged at its end."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from peers.conformance import PLACES, Hosted, Suite, everything  # noqa: E402
from peers.gateway import IS_STANDIN, Gateway, plain, sdk  # noqa: E402
from peers.ledger import Ledger  # noqa: E402

DEFAULT_SERVERS = {
    "everything": sdk(),
    "everything-legacy": sdk(era="legacy"),
    "everything-modern": sdk(era="modern"),
    "plain": plain(),
}


@pytest.fixture(scope="session")
def anyio_backend():
    return "asyncio"


def _maker(folders):
    """Starts gateways; at the end each is stopped and must leave nothing."""
    started = []

    def make(servers, settings=None, **more):
        gateway = Gateway(folders.mktemp("gateway"), servers, settings, **more).start()
        started.append(gateway)
        return gateway

    yield make
    failures = []
    for gateway in started:
        try:
            status = gateway.terminate()
            if status not in (0, -9):
                failures.append(f"exit status {status} after SIGTERM:\n{gateway.tail()}")
        except AssertionError as error:
            failures.append(str(error))
    if not IS_STANDIN:
        assert not failures, "\n".join(failures)


@pytest.fixture(scope="module")
def make_gateway(tmp_path_factory):
    yield from _maker(tmp_path_factory)


@pytest.fixture(scope="session")
def common_gateway(tmp_path_factory):
    """The gateway of all modules that say nothing else: its servers are probed once."""
    for make in _maker(tmp_path_factory):
        yield make(DEFAULT_SERVERS)


@pytest.fixture(scope="module")
def gateway(request):
    """The module's gateway, with the module's SERVERS and SETTINGS if it has them."""
    servers = getattr(request.module, "SERVERS", None)
    if servers is None:
        return request.getfixturevalue("common_gateway")
    return request.getfixturevalue("make_gateway")(servers, getattr(request.module, "SETTINGS", None))


@pytest.fixture
def ledger(request):
    """Collects what the test and the gateway said; at the end every message of the gateway must be valid."""
    ledger = Ledger()
    yield ledger
    if ledger.is_judged:
        problems = ledger.problems()
        assert not problems, "messages that do not validate:\n" + "\n".join(problems[:10])


@pytest.fixture(autouse=True)
def alive(request):
    """The module's gateway outlives every test."""
    yield
    gateway = request.getfixturevalue("gateway") if "gateway" in request.fixturenames else None
    if gateway is not None:
        assert gateway.process.poll() is None, f"the gateway died:\n{gateway.tail()}"


@pytest.fixture(params=["legacy", "2026-07-28"])
def mode(request):
    """Both eras."""
    return request.param


@pytest.fixture(params=["everything"] if IS_STANDIN else ["everything-legacy", "everything-modern"])
def server(request):
    """A server that is spoken to in one era; with `mode`, it gives all four cells. The stand-in translates nothing."""
    return request.param


@pytest.fixture(scope="session")
def fixture_server():
    """The fixture server of the official suite over HTTP."""
    hosted = Hosted()
    yield hosted
    assert hosted.stop() == 0, "the fixture server's exit status"


@pytest.fixture(scope="session")
def fixture_gateway(tmp_path_factory):
    """A gateway with the fixture server as its child, once of each era."""
    for make in _maker(tmp_path_factory):
        yield make({f"over-{era}": everything(era) for era in ("legacy", "modern")})


@pytest.fixture(params=PLACES)
def suite(request, ledger):
    """Where a scenario of the official suite runs: hosted, and bridged to a child of either era."""
    if request.param == "hosted":
        suite = Suite(request.getfixturevalue("fixture_server"), "everything", "hosted", ledger)
    else:
        suite = Suite(request.getfixturevalue("fixture_gateway"), request.param, request.param, ledger)
    yield suite
    suite.close()


@pytest.fixture(params=["legacy", "modern"])
def wire(request):
    """What the client speaks: 2025-11-25 with a session, or 2026-07-28."""
    return request.param


def pytest_collection_modifyitems(items):
    if IS_STANDIN:
        for item in items:
            if "/test_cell_" not in item.nodeid and not item.nodeid.startswith("test_cell_"):
                if "wire" not in item.nodeid and "judge" not in item.nodeid and "fixtures" not in item.nodeid:
                    item.add_marker(pytest.mark.skip(reason="is about the gateway itself"))
