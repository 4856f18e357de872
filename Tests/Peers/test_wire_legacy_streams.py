"""Legacy streams on the wire: events, priming, resumption, questions of the server, disconnection."""

import json
import uuid

import pytest

from peers.raw import LATEST, LegacySession, rpc, text_of
from peers.schema import LEGACY
from peers.waiting import until

PRIMED = [LATEST]
UNPRIMED = [revision for revision in LEGACY if revision not in PRIMED]


@pytest.fixture
def session(gateway, ledger):
    session = LegacySession(gateway, ledger).open()
    yield session
    session.delete()


def unprompted(session, times=1):
    """Make the server ask something outside a call: all at once, or the next call would be taken for the reason."""
    assert text_of(session.call("unprompted", str(times))) == "and now a question"


def held(session, gateway, path, id=50):
    """Begin a call that reports progress, and then waits for a file; return its reply once that has come."""
    params = session.tool("hold", str(path), meta={"progressToken": "t"})
    connection, exchange = session.begin(rpc("tools/call", params, id))
    reply = connection.read(exchange)
    assert reply.status == 200 and reply.is_stream
    return reply


def test_progress_opens_the_stream_before_the_answer(session, tmp_path, gateway):
    reply = held(session, gateway, tmp_path / "gate")
    progress = reply.message()
    assert progress["method"] == "notifications/progress"
    assert progress["params"]["progressToken"] == "t"
    (tmp_path / "gate").touch()
    answer = reply.message()
    assert answer["id"] == 50 and text_of(answer["result"]) == "released"
    assert reply.message() is None, "the stream ends after the answer"


@pytest.mark.parametrize("token", ["t", "", "ü", 0, 7, -1])
def test_a_progress_token_comes_back_in_its_own_type(session, token):
    session.call("progress", meta={"progressToken": token})
    tokens = [notice["params"]["progressToken"] for notice in session.notices]
    assert tokens == [token] * 3 and all(type(seen) is type(token) for seen in tokens)
    assert [notice["params"]["progress"] for notice in session.notices] == [1, 2, 3]


def test_the_get_stream_carries_what_belongs_to_no_call(session):
    stream = session.stream()
    assert stream.status == 200 and stream.is_stream
    unprompted(session)
    asked = stream.message()
    assert asked["method"] == "roots/list" and "id" in asked
    assert session.post({"jsonrpc": "2.0", "id": asked["id"], "result": {"roots": []}}).status == 202
    assert session.request("ping")["result"] == {}


def test_each_message_goes_to_exactly_one_of_two_get_streams(session):
    streams = [session.stream(), session.stream()]
    assert all(stream.status in (200, 409) for stream in streams)
    open_streams = [stream for stream in streams if stream.status == 200]
    assert open_streams, "the first stream was not taken away"
    unprompted(session, 3)
    messages = []

    def look():
        for stream in open_streams:
            try:
                messages.append(stream.message(timeout=0.05))
            except AssertionError:
                continue
        return len(messages) >= 3

    until(look, "three questions")
    session.delete()
    messages += [message for stream in open_streams for message in stream.messages()]
    assert [message["method"] for message in messages] == ["roots/list"] * 3
    assert len({message["id"] for message in messages}) == 3


def test_a_question_that_the_server_takes_back_is_taken_back_here(gateway, ledger):
    session = LegacySession(gateway, ledger, capabilities={"elicitation": {}}).open()
    connection, exchange = session.begin(rpc("tools/call", session.tool("withdraws", "tag"), 60))
    reply = connection.read(exchange)
    unwanted, taken, wanted = reply.message(), reply.message(), reply.message()
    assert unwanted["params"]["message"] == "tag unwanted" and taken["method"] == "notifications/cancelled"
    assert taken["params"]["requestId"] == unwanted["id"], "by the id that the client knows"
    result = {"action": "accept", "content": {"name": "Ada"}}
    for question in (unwanted, wanted):
        assert session.post({"jsonrpc": "2.0", "id": question["id"], "result": result}).status == 202
    assert reply.message()["result"]["_meta"]["test/answers"] == [result]
    assert not gateway.journal("plain", "unwanted")
    session.delete()


def test_a_changed_list_is_told_once(session):
    stream = session.stream()
    session.call("change")
    within = len([n for n in session.notices if n["method"] == "notifications/tools/list_changed"])
    if not within:
        assert stream.message()["method"] == "notifications/tools/list_changed"
    session.delete()
    rest = [m for m in stream.messages() if m["method"] == "notifications/tools/list_changed"]
    assert len(rest) + within == (1 if within else 0)


def test_a_question_that_nobody_listens_for_is_answered_or_waits(session, gateway):
    pid = session.whoami()["pid"]
    unprompted(session)

    def refused():
        read = [n["message"] for n in gateway.journal("plain", "read") if n["pid"] == pid]
        return [m for m in read if "error" in m and str(m.get("id")).startswith("ask-")]

    try:
        until(refused, "an answer for the server", timeout=2)
    except AssertionError:
        assert session.stream().message()["method"] == "roots/list"


def test_news_that_nobody_listens_for_waits_for_a_stream(session):
    session.call("change")
    if not [n for n in session.notices if n["method"] == "notifications/tools/list_changed"]:
        assert session.stream().message()["method"] == "notifications/tools/list_changed"


def test_the_server_asks_on_the_stream_of_the_call_and_gets_the_answer(session, gateway):
    connection, exchange = session.begin(rpc("tools/call", session.tool("ask"), "call-1"))
    reply = connection.read(exchange)
    asked = reply.message()
    assert asked["method"] == "roots/list"
    answer = {"roots": [{"uri": "file:///a"}, {"uri": "file:///b", "name": "b"}]}
    assert session.post({"jsonrpc": "2.0", "id": asked["id"], "result": answer}).status == 202
    final = reply.message()
    assert final["id"] == "call-1"
    seen = final["result"]["_meta"]["test/answer"]
    assert seen["result"] == answer and seen["id"].startswith("ask-"), "the child sees the id that it gave"


def test_a_question_does_not_go_to_a_call_whose_client_has_gone(session, gateway):
    lost, _ = session.begin(rpc("tools/call", session.tool("wait"), "lost"))
    until(lambda: [m for m in gateway.seen("plain", "tools/call") if m["params"]["name"] == "wait"], "the call")
    lost.reset()
    connection, exchange = session.begin(rpc("tools/call", session.tool("ask"), "there"))
    reply = connection.read(exchange)
    asked = reply.message()
    assert asked["method"] == "roots/list"
    session.post({"jsonrpc": "2.0", "id": asked["id"], "result": {"roots": []}})
    assert reply.message()["result"]["_meta"]["test/answer"]["result"] == {"roots": []}


def test_an_error_of_the_client_reaches_the_server(session):
    connection, exchange = session.begin(rpc("tools/call", session.tool("ask"), 9))
    reply = connection.read(exchange)
    asked = reply.message()
    session.post({"jsonrpc": "2.0", "id": asked["id"], "error": {"code": -32099, "message": "no", "data": [1]}})
    seen = reply.message()["result"]["_meta"]["test/answer"]
    assert seen["error"] == {"code": -32099, "message": "no", "data": [1]}


def test_an_answer_from_another_session_does_not_count(gateway, session, ledger):
    other = LegacySession(gateway, ledger).open()
    connection, exchange = session.begin(rpc("tools/call", session.tool("ask"), 9))
    reply = connection.read(exchange)
    asked = reply.message()
    assert (
        other.post({"jsonrpc": "2.0", "id": asked["id"], "result": {"roots": [{"uri": "file:///evil"}]}}).status == 202
    )
    assert other.request("ping")["result"] == {}
    session.post({"jsonrpc": "2.0", "id": asked["id"], "result": {"roots": [{"uri": "file:///good"}]}})
    seen = reply.message()["result"]["_meta"]["test/answer"]
    assert seen["result"]["roots"] == [{"uri": "file:///good"}]
    other.delete()


def test_what_the_client_did_not_declare_is_refused_to_the_server(gateway, ledger):
    session = LegacySession(gateway, ledger, capabilities={}).open()
    seen = session.call("undeclared")["_meta"]["test/answer"]
    assert seen["error"]["code"] == -32601
    assert not [n for n in session.notices if n["method"] == "sampling/createMessage"]
    session.delete()


def test_a_ping_of_the_server_is_answered(session):
    connection, exchange = session.begin(rpc("tools/call", session.tool("pings"), 9))
    reply = connection.read(exchange)
    message = reply.json() if not reply.is_stream else reply.message()
    if message.get("method") == "ping":
        session.post({"jsonrpc": "2.0", "id": message["id"], "result": {}})
        message = reply.message()
    assert message["result"]["_meta"]["test/answer"]["result"] == {}


def test_a_stream_of_the_newest_legacy_revision_begins_with_a_priming_event(session, gateway, tmp_path):
    for stream in (session.stream(), held(session, gateway, tmp_path / "gate")):
        first = stream.event()
        assert first.is_priming, f"{first}"
        assert first.retry is None or first.retry.isdigit()
    (tmp_path / "gate").touch()


def test_a_stream_says_when_to_come_back(session):
    event = session.stream().event()
    assert event.retry is not None and event.retry.isdigit()


@pytest.mark.parametrize("revision", UNPRIMED)
def test_older_revisions_get_no_event_without_data(gateway, ledger, revision, tmp_path):
    session = LegacySession(gateway, ledger, revision=revision).open()
    stream = session.stream()
    unprompted(session)
    event = stream.event()
    assert event.data, f"{event}"
    reply = held(session, gateway, tmp_path / "gate")
    assert reply.event().data
    (tmp_path / "gate").touch()
    session.delete()


def events_of(stream, count):
    return [stream.event() for _ in range(count)]


def test_event_ids_are_unique_in_the_session(session, gateway, tmp_path):
    stream = session.stream()
    unprompted(session, 3)
    ids = [event.id for event in events_of(stream, 4)]
    reply = held(session, gateway, tmp_path / "gate")
    (tmp_path / "gate").touch()
    while (event := reply.event()) is not None:
        ids.append(event.id)
    assert all(ids) and len(set(ids)) == len(ids)


def gossip(session, times=1):
    """Make the server tell news outside a call."""
    assert text_of(session.call("gossip", str(times))) == "that is all"


def test_a_get_stream_is_resumed_after_its_last_event(session):
    stream = session.stream()
    gossip(session)
    seen = next(event for event in iter(stream.event, None) if event.data)
    stream.connection.close()
    gossip(session, 2)
    again = session.stream(last=seen.id)
    assert again.status == 200
    events = []
    while len(events) < 2:
        events += [event for event in [again.event()] if event.data]
    assert [json.loads(event.data)["method"] for event in events] == ["notifications/tools/list_changed"] * 2
    assert seen.id not in [event.id for event in events]


def test_a_question_that_comes_while_the_client_reconnects_is_not_left_open(session, gateway):
    pid = session.whoami()["pid"]
    stream = session.stream()
    gossip(session)
    seen = next(event for event in iter(stream.event, None) if event.data)
    stream.connection.close()
    unprompted(session)
    again = session.stream(last=seen.id)
    assert again.status == 200

    def settled():
        read = [n["message"] for n in gateway.journal("plain", "read") if n["pid"] == pid]
        return [m for m in read if "error" in m and str(m.get("id")).startswith("ask-")]

    try:
        assert again.message(timeout=2)["method"] == "roots/list"
    except AssertionError:
        assert settled(), "neither asked nor refused"


def test_an_answer_that_was_lost_with_its_stream_is_fetched_by_its_event(session, gateway, tmp_path):
    reply = held(session, gateway, tmp_path / "gate", id="lost")
    last = None
    while last is None or not last.data:
        last = reply.event()
    reply.connection.reset()
    (tmp_path / "gate").touch()
    again = session.stream(last=last.id)
    assert again.status == 200 and again.is_stream
    answer = again.message()
    assert answer["id"] == "lost" and text_of(answer["result"]) == "released"
    assert not [m for m in gateway.seen("plain", "notifications/cancelled") if m["params"].get("reason") == "lost"]


def test_a_resumed_stream_repeats_nothing_of_other_streams(session, gateway, tmp_path):
    general = session.stream()
    unprompted(session)
    seen = next(event for event in iter(general.event, None) if event.data)
    reply = held(session, gateway, tmp_path / "gate", id="other")
    general.connection.close()
    (tmp_path / "gate").touch()
    assert [m for m in reply.messages() if m.get("id") == "other"]
    again = session.stream(last=seen.id)
    assert again.status == 200
    unprompted(session)
    assert again.message()["method"] == "roots/list"


def test_an_event_id_of_another_session_is_refused(gateway, session, ledger):
    other = LegacySession(gateway, ledger).open()
    stream = other.stream()
    unprompted(other)
    foreign = next(event for event in iter(stream.event, None) if event.data)
    mine = session.stream()
    unprompted(session)
    own = next(event for event in iter(mine.event, None) if event.data)
    reply = session.stream(last=foreign.id)
    if foreign.id != own.id:
        assert 400 <= reply.status < 500
    for garbage in ("nonsense", "-1", "9" * 40, "a" * 500, "1-999999"):
        assert 400 <= session.stream(last=garbage).status < 500, garbage
    other.delete()


def test_a_lost_connection_does_not_cancel_a_legacy_call(session, gateway, tmp_path):
    tag = uuid.uuid4().hex
    path = tmp_path / tag
    connection, _ = session.begin(rpc("tools/call", session.tool("hold", str(path)), 60))
    until(lambda: [n for n in gateway.journal("plain", "hold") if tag in n["path"]], "the call at the server")
    pid = [n for n in gateway.journal("plain", "hold") if tag in n["path"]][0]["pid"]
    connection.reset()
    for _ in range(3):
        assert session.request("ping")["result"] == {}
    assert text_of(session.call("echo", "x")) == "x"

    def cancellations():
        return [
            n["message"]["params"]["requestId"]
            for n in gateway.journal("plain", "read")
            if n["pid"] == pid and n["message"].get("method") == "notifications/cancelled"
        ]

    assert cancellations() == []
    assert session.post(rpc("notifications/cancelled", {"requestId": 60, "reason": "enough"})).status == 202
    until(cancellations, "the cancellation at the server")
    calls = [
        n["message"]
        for n in gateway.journal("plain", "read")
        if n["pid"] == pid and n["message"].get("method") == "tools/call"
    ]
    wanted = [call["id"] for call in calls if tag in str(call["params"])]
    assert cancellations() == wanted, "it names the id that the server was given"


def test_a_cancellation_of_an_unknown_call_reaches_nobody(session, gateway):
    pid = session.whoami()["pid"]
    for wrong in (4711, "nobody", None):
        params = {} if wrong is None else {"requestId": wrong}
        assert session.post(rpc("notifications/cancelled", params)).status in (202, 400)
    session.request("ping")
    read = [n["message"] for n in gateway.journal("plain", "read") if n["pid"] == pid]
    assert not [m for m in read if m.get("method") == "notifications/cancelled"]


def test_a_log_line_reaches_its_session(session):
    stream = session.stream()
    session.call("log", "a line")
    lines = [n for n in session.notices if n["method"] == "notifications/message"]
    if not lines:
        lines = [stream.message()]
    assert lines[0]["params"] == {"level": "info", "logger": "plain", "data": "a line"}
