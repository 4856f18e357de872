"""Servers that run elsewhere and are away, slow or strange; sessions that they forget; and what is never sent to them."""

import json
import time

import pytest

from peers.raw import LegacySession, ModernClient, rpc, text_of
from peers.remote import ALLOWED, script
from peers.waiting import until
from peers.wire import once

STRANGE = ["mute", "garbage", "html", "unauthorized", "redirecting"]


@pytest.fixture(scope="module")
def upstreams():
    words = {word: word for word in ["sound", "endless", "torn", "forgetful", "lasting", "deaf", *STRANGE]}
    words |= {"reminded": "forgetful", "unforgiving": "forgetful"}
    started = {name: script("upstream.py", word) for name, word in words.items()}
    yield started
    for server in started.values():
        server.stop()


@pytest.fixture(scope="module")
def gateway(make_gateway, upstreams):
    entries = {word: server.entry(timeout_seconds=2, request_timeout_seconds=3) for word, server in upstreams.items()}
    keys = {"Authorization": "Bearer of-the-gateway", "X-Key": "k"}
    entries["keyed"] = {**upstreams["sound"].entry(), "headers": keys}
    entries["unforgiving"]["state_lost"] = "end"
    entries["deaf"]["request_timeout_seconds"] = 10
    entries["away"] = {"url": "http://127.0.0.1:9/mcp"}
    entries["private"] = {"url": "https://10.1.2.3/mcp"}
    return make_gateway(entries, {**ALLOWED, "limits": {"line": 262144}})


def failure(gateway, server, ledger):
    """The error of a legacy client's first word."""
    session = LegacySession(gateway, ledger, server)
    reply = session.post(session.offer(), timeout=15)
    return reply.status, reply.json()["error"]


def requests(gateway, server):
    return [note for note in gateway.journal(server, "request")]


def test_the_fallback_finds_a_server_of_the_legacy_era(gateway, ledger):
    session = LegacySession(gateway, ledger, "sound")
    session.open()
    assert json.loads(text_of(session.call("who")))["user"] == "wire"
    words = [note["message"]["method"] for note in requests(gateway, "sound") if note["message"]]
    assert words[:2] == ["server/discover", "initialize"]
    session.delete()


def test_an_answer_with_line_breaks_in_it_reaches_both_eras(gateway, ledger):
    modern = ModernClient(gateway, ledger, "sound")
    assert json.loads(text_of(modern.call("who")))["session"]


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ("mute", "did not answer in time"),
        ("garbage", "did not come"),
        ("html", "did not come"),
        ("unauthorized", "refused the gateway (HTTP status 401)"),
        ("redirecting", "wants to be reached elsewhere (HTTP status 307)"),
        ("away", "cannot be reached"),
        ("private", "gateway.egress does not allow 10.1.2.3: private, 10.0.0.0/8"),
    ],
)
def test_what_cannot_be_reached_or_understood_is_an_error_soon(gateway, ledger, server, words):
    begun = time.monotonic()
    status, error = failure(gateway, server, ledger)
    assert time.monotonic() - begun < 10
    assert status == 503 and error["code"] == -32603
    assert words in error["message"], error


def test_a_refusal_of_the_server_is_not_passed_on_as_our_own(gateway, ledger):
    reply = ModernClient(gateway, ledger, "unauthorized").send("tools/list", timeout=15)
    assert reply.status not in (401, 403) and reply.header("www-authenticate") is None


@pytest.mark.parametrize("server", ["endless", "torn"])
def test_an_answer_that_does_not_end_well_fails_its_call_alone(gateway, ledger, server):
    session = LegacySession(gateway, ledger, server)
    session.open()
    answer = session.request("tools/call", {"name": "who", "arguments": {}}, timeout=15)
    assert answer["error"]["code"] == -32603, answer
    assert session.request("tools/list")["result"]["tools"]
    session.delete()


def test_a_session_that_the_server_forgot_is_opened_again_and_nothing_is_lost_or_run_twice(gateway, ledger):
    session = LegacySession(gateway, ledger, "forgetful")
    session.open()
    calls = [json.loads(text_of(session.call("who"))) for _ in range(6)]
    assert [call["call"] for call in calls] == sorted({call["call"] for call in calls})
    assert len({call["session"] for call in calls}) > 1
    assert len(gateway.journal("forgetful", "call")) == 6
    session.delete()


def test_after_a_forgotten_session_the_server_is_told_again_and_the_client_that_lists_may_have_changed(gateway, ledger):
    session = LegacySession(gateway, ledger, "reminded")
    session.open()
    assert "result" in session.request("logging/setLevel", {"level": "warning"})
    stream = session.stream()
    first, second = (json.loads(text_of(session.call("who")))["session"] for _ in range(2))
    assert first != second
    assert stream.message()["method"] == "notifications/tools/list_changed"
    seen = [note for note in requests(gateway, "reminded") if note["fields"].get("mcp-session-id") == second]
    said = [note["message"]["method"] for note in seen if note["message"]]
    assert said[0] == "notifications/initialized"
    assert said.index("logging/setLevel") < said.index("tools/call"), said
    session.delete()


def test_where_state_must_not_be_lost_a_forgotten_session_ends(gateway, ledger):
    session = LegacySession(gateway, ledger, "unforgiving")
    session.open()
    session.call("who")
    answer = session.request("tools/call", {"name": "who", "arguments": {}})
    assert "forgotten the session" in answer["error"]["message"]
    until(lambda: session.post(rpc("tools/list", id=1)).status == 404, "the end of the session")
    greetings = [note["message"] for note in requests(gateway, "unforgiving") if note["message"]]
    # One by the gateway itself, which finds out what the server speaks.
    assert sum(message["method"] == "initialize" for message in greetings) == 2


def test_a_stream_that_the_server_leaves_open_after_the_answer_is_left(gateway, ledger):
    session = LegacySession(gateway, ledger, "lasting")
    session.open()
    for _ in range(12):
        assert json.loads(text_of(session.call("who")))["call"]
    until(lambda: len(gateway.journal("lasting", "left")) == 12, "the end of all streams")
    session.delete()


def test_a_server_that_never_answers_the_end_of_the_handshake_does_not_stall_the_session(gateway, ledger):
    session = LegacySession(gateway, ledger, "deaf")
    session.open()
    # The end of the handshake has two seconds (`timeout_seconds`), after which the call goes out.
    assert json.loads(text_of(session.call("who")))["call"]
    session.delete()


def test_two_sessions_have_two_sessions_at_the_server(gateway, ledger):
    first, second = (LegacySession(gateway, ledger, "sound") for _ in range(2))
    first.open()
    second.open()
    seen = [json.loads(text_of(session.call("who")))["session"] for session in (first, second, first, second)]
    assert seen[0] == seen[2] and seen[1] == seen[3] and seen[0] != seen[1]
    first.delete()
    second.delete()


def test_the_end_of_a_session_ends_it_at_the_server(gateway, ledger):
    session = LegacySession(gateway, ledger, "sound")
    session.open()
    id = json.loads(text_of(session.call("who")))["session"]
    session.delete()
    end = time.monotonic() + 5
    while time.monotonic() < end:
        ended = [note for note in requests(gateway, "sound") if note["line"].startswith("DELETE")]
        if any(note["fields"].get("mcp-session-id") == id for note in ended):
            return
        time.sleep(0.05)
    raise AssertionError("no DELETE")


def test_the_fields_of_the_configuration_are_sent_and_the_clients_own_are_not(gateway, upstreams, ledger):
    session = LegacySession(gateway, ledger, "keyed")
    secret = {"Authorization": "Bearer of-the-client", "Cookie": "c=1", "X-Other": "o", "Proxy-Authorization": "p"}
    reply = session.post(session.offer(), secret)
    session.id = reply.header("mcp-session-id")
    assert reply.status == 200
    session.post(rpc("notifications/initialized"), secret)
    session.request("tools/call", {"name": "who", "arguments": {}}, changes=secret)
    seen = [note["fields"] for note in gateway.journal("keyed", "request") if "x-key" in note["fields"]]
    assert seen and all(fields["authorization"] == "Bearer of-the-gateway" for fields in seen)
    everything = json.dumps(gateway.journal("keyed", "request"))
    assert "of-the-client" not in everything and "c=1" not in everything and "x-other" not in everything
    assert "of-the-gateway" not in gateway.log
    session.delete()


def test_the_configuration_says_what_must_not_be_reached(tmp_path):
    from peers.gateway import check

    document = {"mcpServers": {"a": {"url": "http://169.254.169.254/latest"}, "b": {"url": "https://example.com/mcp"}}}
    status, said, _ = check(tmp_path, document)
    assert status == 2 and "gateway.egress does not allow 169.254.169.254: cloud metadata" in said
    assert "mcpServers.b" not in said


def test_a_server_that_is_away_is_not_asked_again_for_every_call(gateway, ledger):
    texts = [failure(gateway, "away", ledger)[1]["message"] for _ in range(8)]
    assert "again in" in texts[-1], texts
