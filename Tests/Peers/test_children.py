"""Children that behave badly within a call or as a whole: the caller gets a clear error, and nobody else notices."""

import sys
import time

import pytest
from peers.gateway import bad, plain
from peers.processes import is_alive
from peers.raw import LegacySession, ModernClient, rpc, text_of
from peers.waiting import until

QUICK = {"timeout_seconds": 8, "request_timeout_seconds": 1.5, "max_restarts": 2}
SERVERS = {
    "plain": plain(),
    "crashes": plain(max_restarts=10),
    "lines": plain(max_restarts=10),
    "grows": plain(max_restarts=10),
    "often": plain(max_restarts=2),
    "hesitant": bad("crashes_twice", era="dual", framing="newline", max_restarts=5),
    "quick": plain(**QUICK),
    "missing": {"command": "/nonexistent/server", "args": []},
    "unknown": {"command": "no-such-program-anywhere"},
    "exits": bad("exits", timeout_seconds=8, max_restarts=1),
    "exits_after_start": bad("exits_after_start", timeout_seconds=8, max_restarts=1),
    "silent": bad("silent", timeout_seconds=2),
    "slow": bad("slow", timeout_seconds=20),
    "talks_first": bad("talks_first"),
    "content_length": bad("content_length", timeout_seconds=10),
    "content_length_stated": bad("content_length", framing="content-length"),
    "strict": bad("strict", "--era", "legacy"),
    "legacy": plain("--era", "legacy"),
    "modern": plain("--era", "modern"),
    "once": plain(restart_on_failure=False),
    "limited": plain(max_restarts=1),
}
SETTINGS = {"limits": {"line": 4 << 20}, "timeouts": {"shutdownGrace": 1}}


@pytest.fixture(params=["legacy", "modern"])
def peer(request, gateway, ledger):
    """Opens a client of a server in one of the eras."""
    opened = []

    def open_peer(server):
        if request.param == "modern":
            return ModernClient(gateway, ledger, server)
        session = LegacySession(gateway, ledger, server)
        session.open(timeout=30)
        opened.append(session)
        return session

    yield open_peer
    for session in opened:
        session.delete()


def works(gateway, ledger):
    """The gateway and its sound server go on."""
    client = ModernClient(gateway, ledger)
    assert text_of(client.call("echo", "sound")) == "sound"


def failure(answer):
    """The words of an error, whichever way it is told."""
    assert "error" in answer, answer
    return answer["error"]["message"] + " " + str(answer["error"].get("data", ""))


def test_a_crash_is_told_at_once_with_status_and_last_words(peer, gateway, ledger):
    client = peer("crashes")
    answer = client.request("tools/call", LegacySession.tool("crash"))
    words = failure(answer)
    assert "7" in words and "fatal: the widget is broken" in words
    works(gateway, ledger)


def test_a_death_by_signal_is_told_with_its_name(peer):
    words = failure(peer("crashes").request("tools/call", LegacySession.tool("killed")))
    assert "9" in words or "SIGKILL" in words


def test_a_crash_answers_every_waiting_call(gateway, ledger):
    session = LegacySession(gateway, ledger, "crashes").open()
    waiting = [session.begin(rpc("tools/call", session.tool("wait"), f"w{n}")) for n in range(5)]
    pid = session.whoami()["pid"]
    failure(session.request("tools/call", session.tool("crash")))
    for number, (connection, exchange) in enumerate(waiting):
        reply = connection.read(exchange)
        answer = reply.json()
        assert answer["id"] == f"w{number}"
        assert "widget" in failure(answer)
    assert not is_alive(pid)
    session.delete()


def test_the_next_call_after_a_crash_finds_a_new_process_with_the_handshake_replayed(gateway, ledger):
    session = LegacySession(gateway, ledger, "crashes", revision="2025-06-18").open()
    first = session.whoami()["pid"]
    failure(session.request("tools/call", session.tool("crash")))
    facts = session.whoami()
    assert facts["pid"] != first and facts["revision"] == "2025-06-18" and facts["calls"] == 1
    read = [n["message"] for n in gateway.journal("crashes", "read") if n["pid"] == facts["pid"]]
    assert [m["method"] for m in read[:3]] == ["initialize", "notifications/initialized", "tools/call"]
    assert read[0]["params"]["capabilities"] == session.capabilities
    session.delete()


def test_a_modern_client_finds_a_new_process_after_a_crash(gateway, ledger):
    client = ModernClient(gateway, ledger, "crashes")
    first = client.whoami()["pid"]
    failure(client.request("tools/call", LegacySession.tool("crash")))
    assert client.whoami()["pid"] != first


@pytest.mark.parametrize("server, restarts", [("once", 0), ("limited", 1)])
def test_restarts_in_a_row_have_an_end(gateway, ledger, server, restarts):
    session = LegacySession(gateway, ledger, server).open()
    pid = session.whoami()["pid"]
    before = len(gateway.journal(server, "start"))
    for _ in range(restarts + 1):
        failure(session.request("tools/call", session.tool("crash")))
    reply = session.post(rpc("tools/call", session.tool("whoami"), "last"))
    assert reply.status == 404 or "error" in reply.json()
    assert len(gateway.journal(server, "start")) == before + restarts
    assert not is_alive(pid)


def test_a_server_of_all_modern_clients_is_never_given_up_for_good(gateway, ledger):
    """A session ends with its restarts; what has no session must come back, or one bad call would end it for all."""
    client = ModernClient(gateway, ledger, "often")
    for _ in range(4):
        client.request("tools/call", LegacySession.tool("crash"))
    until(lambda: "result" in client.request("tools/call", LegacySession.tool("whoami")), "its return", timeout=20)


def test_answered_calls_between_crashes_make_the_count_of_restarts_begin_anew(gateway, ledger):
    client = ModernClient(gateway, ledger, "often")
    for _ in range(4):
        until(lambda: "result" in client.request("tools/call", LegacySession.tool("echo", "x")), "its return", 20)
        client.request("tools/call", LegacySession.tool("crash"))
    until(lambda: "result" in client.request("tools/call", LegacySession.tool("echo", "x")), "its return", 20)


@pytest.mark.parametrize("server", ["missing", "unknown"])
def test_a_missing_command_is_told_and_stops_nobody_else(gateway, ledger, server):
    legacy = LegacySession(gateway, ledger, server)
    reply = legacy.post(legacy.offer())
    words = failure(reply.json())
    assert SERVERS[server]["command"] in words or "not found" in words.lower() or "no such file" in words.lower()
    assert reply.header("mcp-session-id") is None
    failure(ModernClient(gateway, ledger, server).request("tools/call", LegacySession.tool("echo", "x")))
    works(gateway, ledger)


@pytest.mark.parametrize("server, status, words", [("exits", "3", "database"), ("exits_after_start", "4", "licence")])
def test_a_child_that_ends_in_the_start_is_told_with_its_last_words(gateway, ledger, server, status, words):
    legacy = LegacySession(gateway, ledger, server)
    reply = legacy.post(legacy.offer(), timeout=30)
    told = failure(reply.json())
    assert status in told and words in told
    assert reply.header("mcp-session-id") is None
    told = failure(ModernClient(gateway, ledger, server).request("tools/list", timeout=30))
    assert words in told
    works(gateway, ledger)


def test_a_child_that_never_answers_is_given_up_within_its_time(gateway, ledger):
    legacy = LegacySession(gateway, ledger, "silent")
    reply = legacy.post(legacy.offer(), timeout=30)
    failure(reply.json())
    assert reply.header("mcp-session-id") is None
    until(lambda: not gateway.children("silent"), "the end of the silent child")


def test_a_child_that_starts_slowly_is_waited_for(peer):
    assert text_of(peer("slow").call("echo", "at last", timeout=30)) == "at last"


def test_a_banner_on_stdout_does_no_harm(peer):
    assert text_of(peer("talks_first").call("echo", "x")) == "x"


@pytest.mark.parametrize("server", ["content_length", "content_length_stated"])
def test_content_length_framing_is_found_and_spoken(peer, server):
    client = peer(server)
    assert text_of(client.call("echo", "käse\n🧀", timeout=30)) == "käse\n🧀"
    assert client.request("tools/list")["result"]["tools"]


def test_a_server_that_ends_on_a_request_before_the_handshake_is_served(gateway, ledger):
    session = LegacySession(gateway, ledger, "strict").open()
    assert text_of(session.call("echo", "x")) == "x"
    session.delete()


def test_a_server_of_one_era_is_served_in_its_own(gateway, ledger):
    session = LegacySession(gateway, ledger, "legacy").open()
    assert text_of(session.call("echo", "x")) == "x"
    session.delete()
    assert text_of(ModernClient(gateway, ledger, "modern").call("echo", "x")) == "x"


def test_a_flood_on_stderr_blocks_nothing_and_is_bounded(peer, gateway):
    client = peer("plain")
    for _ in range(3):
        assert text_of(client.call("chatter", timeout=20)) == "chatted"
    assert len(gateway.log) < 64 << 20


@pytest.mark.parametrize("tool, text", [("noise", "after noise"), ("spaced", "spaced"), ("no_params", "still here")])
def test_noise_and_nonsense_on_stdout_are_passed_over(peer, tool, text):
    client = peer("plain")
    assert text_of(client.call(tool)) == text
    assert text_of(client.call("echo", "next")) == "next"


def test_an_answer_that_comes_byte_by_byte_is_put_together(peer):
    assert text_of(peer("plain").call("torn")) == "käse ✓ 🧀"


def test_answers_to_nothing_and_second_answers_are_dropped(peer, gateway):
    client = peer("plain")
    answer = client.request("tools/call", LegacySession.tool("stray", meta={"progressToken": "mine"}))
    assert text_of(answer["result"]) == "the right answer"
    assert client.notices == []
    for number in range(5):
        assert text_of(client.call("echo", f"{number}")) == f"{number}"


def test_an_answer_to_another_calls_id_reaches_only_the_same_session(gateway, ledger):
    one, two = (LegacySession(gateway, ledger).open() for _ in range(2))
    connection, exchange = two.begin(rpc("tools/call", two.tool("wait"), 1))
    until(lambda: gateway.seen("plain", "tools/call"), "the call at the child")
    assert text_of(one.call("steal")) == "tried"
    assert text_of(two.call("echo", "mine")) == "mine"
    connection.close()
    one.delete(), two.delete()


def test_a_line_without_end_stops_the_child_and_is_told(peer, gateway, ledger):
    client = peer("lines")
    words = failure(client.request("tools/call", LegacySession.tool("long_line"), timeout=30))
    assert words.strip()
    assert text_of(client.call("echo", "next")) == "next"
    works(gateway, ledger)


@pytest.mark.parametrize("size", [1 << 20, 3 << 20])
def test_a_large_answer_within_the_limit_passes(peer, size):
    assert len(text_of(peer("grows").call("grow", str(size), timeout=30))) == size


def test_a_large_answer_beyond_the_limit_is_an_error(peer):
    client = peer("grows")
    failure(client.request("tools/call", LegacySession.tool("grow", str(5 << 20)), timeout=30))
    assert text_of(client.call("echo", "next")) == "next"


def test_a_call_that_outlives_its_time_is_cancelled_at_the_child_and_told(peer, gateway):
    client = peer("quick")
    pid = client.whoami()["pid"]
    began = time.monotonic()
    words = failure(client.request("tools/call", LegacySession.tool("wait")))
    assert 1.4 < time.monotonic() - began < 5, "the time of a request, not of a start"
    assert "did not answer" in words or "timed out" in words
    read = lambda: [n["message"] for n in gateway.journal("quick", "read") if n["pid"] == pid]  # noqa: E731
    until(lambda: [m for m in read() if m.get("method") == "notifications/cancelled"], "the cancellation")
    call = [m for m in read() if m.get("params", {}).get("name") == "wait"][-1]
    cancel = [m for m in read() if m.get("method") == "notifications/cancelled"][-1]
    assert cancel["params"]["requestId"] == call["id"]
    assert client.whoami()["pid"] == pid, "the child goes on"


def test_a_late_answer_is_dropped(peer, gateway):
    client = peer("quick")
    failure(client.request("tools/call", LegacySession.tool("late")))
    for number in range(5):
        assert text_of(client.call("echo", f"{number}")) == f"{number}"


def test_a_child_that_stops_reading_holds_up_nobody_else(gateway, ledger):
    session = LegacySession(gateway, ledger, "quick").open()
    connection, _ = session.begin(rpc("tools/call", session.tool("deaf"), "deaf"))
    large = "x" * (1 << 20)
    others = [session.begin(rpc("tools/call", session.tool("echo", large), n)) for n in range(30)]
    works(gateway, ledger)
    for other, exchange in others:
        reply = other.read(exchange, timeout=20)
        assert reply.status in (200, 413, 429, 503, 504), reply.status
        if reply.kind in ("application/json", "text/event-stream"):
            failure(reply.json())
    works(gateway, ledger)
    assert session.delete().status in (200, 202, 204)
    connection.close()
    until(lambda: not [p for p in gateway.children("quick") if _is_of(gateway, p, session)], "the deaf child's end")


def _is_of(gateway, pid, session):
    notes = [n for n in gateway.journal("quick", "read") if n["pid"] == pid]
    return any(n["message"].get("params", {}).get("name") == "deaf" for n in notes)


def test_what_a_child_writes_cannot_forge_a_record_or_move_the_cursor(peer, gateway):
    answer = peer("crashes").request("tools/call", LegacySession.tool("escapes"))
    assert "\x1b" not in failure(answer)
    until(lambda: "forged" in gateway.log, "the child's words in the log")
    assert not set("\x1b\x07\r\u202e\u2028") & set(gateway.log)


def test_a_child_that_fails_at_first_can_be_used_when_it_does_not_any_more(gateway, ledger):
    session = LegacySession(gateway, ledger, "hesitant")

    def opens():
        reply = session.post(session.offer(), timeout=20)
        session.id = reply.header("mcp-session-id")
        return "result" in reply.json() and session.id

    until(opens, "a session", timeout=20)
    assert text_of(session.call("echo", "x")) == "x"


@pytest.mark.parametrize("server, other", [("legacy", ModernClient), ("modern", LegacySession)])
def test_a_client_of_the_other_era_is_answered_and_does_not_wait(gateway, ledger, server, other):
    client = other(gateway, ledger, server)
    message = client.message("tools/list") if other is ModernClient else client.offer()
    answer = client.post(message, timeout=5).json(timeout=5)
    assert ("result" in answer) != ("error" in answer)
    if "error" in answer:
        assert answer["error"]["message"].strip()


def memory(gateway):
    """The resident mebibytes of the gateway."""
    for line in open(f"/proc/{gateway.pid}/status"):
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024


def test_a_client_that_reads_nothing_costs_little_and_holds_up_nobody(gateway, ledger):
    """40 MiB of log for a client that does not read: its stream ends or waits, within the stream's limit."""
    ledger.is_judged = False
    session = LegacySession(gateway, ledger).open()
    works(gateway, ledger)
    before = memory(gateway)
    body = rpc("tools/call", session.tool("flood", "4000"), "flood")
    connection, _ = session.begin(body)
    for _ in range(20):
        works(gateway, ledger)
    other = LegacySession(gateway, ledger).open()
    assert text_of(other.call("echo", "x")) == "x"
    assert memory(gateway) - before < 40, "most of it is held in memory"
    connection.reset()
    assert session.delete().status in (200, 202, 204)
    other.delete()


def test_the_first_client_of_a_content_length_server_is_served_at_once(make_gateway, ledger):
    gateway = make_gateway({"fresh": bad("content_length", timeout_seconds=6)})
    session = LegacySession(gateway, ledger, "fresh")
    reply = session.post(session.offer(), timeout=30)
    assert reply.status == 200, reply.json()


def test_a_server_that_is_started_in_a_folder_runs_there(make_gateway, ledger, tmp_path):
    gateway = make_gateway({"here": plain(working_dir=str(tmp_path)), "there": plain(cwd=str(tmp_path))})
    for server in ("here", "there"):
        assert ModernClient(gateway, ledger, server).whoami()["cwd"] == str(tmp_path)


def test_arguments_reach_the_child_without_a_shell(make_gateway, ledger, tmp_path):
    wild = ["$(touch x)", "a b", "*", ";", "'", '"', "", "-n", "ü", "`id`", "\\"]
    code = "import sys,json;open(sys.argv[1],'w').write(json.dumps(sys.argv[2:]))"
    out = tmp_path / "arguments.json"
    server = {"command": sys.executable, "args": ["-c", code, str(out), *wild], "timeout_seconds": 3}
    gateway = make_gateway({"wild": server})
    ledger.is_judged = False
    session = LegacySession(gateway, ledger, "wild")
    session.post(session.offer(), timeout=20)
    import json

    assert json.loads(until(lambda: out.exists() and out.read_text(), "the child's note")) == wild
