"""How long a call may wait: by default, for single tools, and with progress up to the ceiling."""

import copy
import threading
import time

import pytest

from peers.gateway import plain
from peers.raw import LegacySession, ModernClient, text_of
from peers.waiting import until

CEILING = 2.0
# A call has its time from the moment when the gateway's loop woke up for it.
SOON = 0.9


def timed(era, **more):
    return plain("--era", era, era=era, framing="newline", **more)


SERVERS = {
    f"{name}-{era}": timed(era, **more)
    for era in ("legacy", "modern")
    for name, more in {
        "tools": {"request_timeout_seconds": 60, "tool_timeouts": {"wait": 1}},
        "progress": {"request_timeout_seconds": 1, "request_timeout_ceiling_seconds": CEILING},
        "patient": {"request_timeout_seconds": 1, "request_timeout_ceiling_seconds": 60},
        "ceiling": {
            "request_timeout_seconds": 1,
            "tool_timeouts": {"ticks": 3},
            "request_timeout_ceiling_seconds": 1,
        },
    }.items()
}


@pytest.fixture(params=["legacy", "modern"])
def era(request):
    """The server's."""
    return request.param


@pytest.fixture
def client(gateway, ledger, wire, era):
    """Makes a client of a server."""

    def make(name):
        # Nobody can be asked anything, so that no calls take turns.
        if wire == "modern":
            return ModernClient(gateway, ledger, f"{name}-{era}", capabilities={})
        return LegacySession(gateway, ledger, f"{name}-{era}", capabilities={}).open()

    return make


def failure(client, tool, text=None, meta=None):
    """Calls a tool that does not answer; what is said, and after how many seconds."""
    began = time.monotonic()
    answer = client.request("tools/call", LegacySession.tool(tool, text, meta), timeout=20)
    assert answer["error"]["code"] == -32603
    return answer["error"]["message"], time.monotonic() - began


def name_of(client):
    """The server's name."""
    return client.path.rsplit("/", 1)[1]


def cancelled(gateway, client):
    """How many calls the server was told to give up."""
    return len(gateway.seen(name_of(client), "notifications/cancelled"))


class Answering:
    """A call that waits for its answer while a test does something else; the answer is there at the end."""

    def __init__(self, client, tool, text, meta=None):
        params = LegacySession.tool(tool, text, meta)
        self.answers = []
        # A client of its own: the other one's notes stay its own.
        other = copy.copy(client)
        call = lambda: self.answers.append(other.request("tools/call", params, timeout=30))  # noqa: E731
        self.thread = threading.Thread(target=call)

    def __enter__(self):
        self.thread.start()
        return self.answers

    def __exit__(self, *_):
        self.thread.join()


def test_a_tool_has_its_own_time(gateway, client, tmp_path):
    one = client("tools")
    before = cancelled(gateway, one)
    said, seconds = failure(one, "wait")
    assert said == "The server did not answer within 1 s" and seconds >= SOON
    until(lambda: cancelled(gateway, one) == before + 1, "that the server is told")
    assert text_of(one.call("echo", "on")) == "on", "the process goes on"


def test_another_tool_of_the_server_has_the_time_of_all(gateway, client, tmp_path):
    one, released = client("tools"), tmp_path / "released"
    with Answering(one, "hold", str(released)) as answers:
        until(lambda: gateway.journal(name_of(one), "hold"), "the call at the server")
        assert failure(one, "wait")[1] >= SOON
        released.touch()
    assert text_of(answers[0]["result"]) == "released"


def test_without_a_token_nobody_hears_of_progress_and_it_counts_for_nothing(client, tmp_path):
    said, seconds = failure(client("progress"), "ticks", str(tmp_path / "never"))
    assert said == "The server did not answer within 1 s" and seconds >= SOON


def test_progress_gives_a_call_its_time_again(gateway, client, tmp_path):
    one, released = client("patient"), tmp_path / "released"
    before = len(gateway.journal(name_of(one), "tick"))
    with Answering(one, "ticks", str(released), {"progressToken": "t"}) as answers:
        # Each takes a tenth of a second at least: more than twice the time that a call has without progress.
        ticks = before + 25
        until(lambda: len(gateway.journal(name_of(one), "tick")) >= ticks, "the progress", timeout=20)
        released.touch()
    assert text_of(answers[0]["result"]) == "done"


def test_progress_extends_a_call_up_to_the_ceiling_and_no_further(gateway, client, tmp_path):
    one = client("progress")
    said, seconds = failure(one, "ticks", str(tmp_path / "never"), {"progressToken": "t"})
    assert said == "The server did not answer within 2 s, for all its progress"
    assert CEILING - 0.1 <= seconds < CEILING + 4, "the server would go on for ever"
    until(lambda: cancelled(gateway, one) >= 1, "that the server is told")
    assert [notice["params"]["progress"] for notice in one.notices][:3] == [1, 2, 3]
    assert text_of(one.call("echo", "on")) == "on"


def test_a_ceiling_below_the_time_of_a_tool_takes_nothing_from_it(client, tmp_path):
    said, seconds = failure(client("ceiling"), "ticks", str(tmp_path / "never"), {"progressToken": "t"})
    assert said == "The server did not answer within 3 s" and seconds >= 2.9
