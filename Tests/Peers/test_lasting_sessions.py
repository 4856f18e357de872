"""Sessions that outlive the gateway: after kill -9 and after SIGTERM, for their own clients, on their own servers."""

import subprocess
import sys
import threading

import pytest

from peers.clients import connected, text
from peers.gateway import BINARY, Gateway, plain, sdk
from peers.processes import end_all
from peers.raw import LegacySession, rpc, text_of
from peers.waiting import until, until_async

LEGACY = {"era": "legacy", "framing": "newline"}
SERVERS = {
    "plain": plain("--era", "legacy", **LEGACY),
    "other": plain("--era", "legacy", **LEGACY),
    "ends": plain("--era", "legacy", state_lost="end", **LEGACY),
    "modern": plain("--era", "modern", era="modern"),
}


@pytest.fixture(params=["kill", "term"])
def how(request):
    """How the gateway ends."""
    return request.param


@pytest.fixture
def lasting(tmp_path):
    """Starts gateways that keep their state; what they leave behind is killed at the end."""
    started = []

    def start(servers=None, **settings):
        folder = tmp_path / f"gateway-{len(started)}"
        gateway = Gateway(folder, servers or SERVERS, {"state": str(tmp_path / "state"), **settings})
        started.append(gateway)
        return gateway.start()

    yield start
    for gateway in started:
        if gateway.process is not None and gateway.process.poll() is None:
            gateway.kill()
        end_all(gateway.run)


def written(gateway, ledger):
    """Wait until all sessions so far are in the database: a DELETE is answered when what came before is written."""
    assert LegacySession(gateway, ledger).open().delete().status == 200


def said(gateway, server, pid):
    """The methods that a process of a server has read, in order."""
    notes = [note for note in gateway.journal(server, "read") if note["pid"] == pid]
    return [note["message"].get("method") for note in notes]


def greeted(gateway, server="plain"):
    """The processes of a server that were given a session which lasted, in order."""
    notes = gateway.journal(server, "read")
    pids = [note["pid"] for note in notes if note["message"].get("method") == "initialize"]
    deleted = 1 if server == "plain" else 0  # That of `written` comes second.
    return pids[:1] + pids[1 + deleted :]


def test_a_session_goes_on_with_another_child(lasting, ledger, how):
    gateway = lasting()
    session = LegacySession(gateway, ledger, capabilities={"roots": {}, "sampling": {}}).open()
    before = session.whoami()["pid"]
    written(gateway, ledger)
    gateway.restart(how)
    assert session.request("tools/list")["result"]["tools"]
    after = session.whoami()["pid"]
    assert greeted(gateway) == [before, after]
    assert said(gateway, "plain", after)[:3] == ["initialize", "notifications/initialized", "tools/list"]
    first, second = (
        next(note["message"] for note in gateway.journal("plain", "read") if note["pid"] == pid) for pid in (before, after)
    )
    assert first["params"] == second["params"]
    assert session.delete().status == 200
    gateway.restart("kill")
    assert session.post(rpc("ping", id=1)).status == 404, "what was deleted stays so"


def test_a_session_of_several_servers_goes_on_while_they_are_the_same(lasting, ledger, how):
    gateway = lasting({"plain": SERVERS["plain"], "other": SERVERS["other"]})
    session = LegacySession(gateway, ledger, "").open()
    written(gateway, ledger)
    gateway.restart(how)
    assert "other_echo" in [tool["name"] for tool in session.request("tools/list")["result"]["tools"]]
    assert text_of(session.call("plain_echo", "on")) == "on"


@pytest.mark.parametrize("change", ["another", "more", "fewer", "ends"])
def test_a_session_of_several_servers_ends_when_they_are_others(lasting, ledger, change):
    gateway = lasting({name: SERVERS[name] for name in ("plain", "other", "modern")})
    session = LegacySession(gateway, ledger, "").open()
    written(gateway, ledger)
    if change == "another":
        gateway.servers["other"]["env"]["MORE"] = "1"
    elif change == "more":
        gateway.servers["new"] = gateway._marked("new", SERVERS["other"])
    elif change == "fewer":
        del gateway.servers["modern"]
    else:
        gateway.servers["other"]["state_lost"] = "end"
    gateway.restart()
    assert session.post(rpc("ping", id=1)).status == 404


def test_what_is_said_again_is_in_no_trace(lasting, ledger):
    """Neither of the client's nor of the gateway's: the trace is over."""
    gateway = lasting(tracing={"endpoint": "http://127.0.0.1:9/v1/traces"})
    session = LegacySession(gateway, ledger)
    offer = session.offer()
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    offer["params"]["_meta"] = {"traceparent": parent, "tracestate": "a=1", "mine": 1}
    session.id = session.post(offer).header("mcp-session-id")
    written(gateway, ledger)
    gateway.restart()
    assert session.request("ping")["result"] == {}
    first, *_, last = gateway.seen("plain", "initialize")
    assert first["params"]["_meta"]["traceparent"].startswith(parent[:35])
    assert last["params"]["_meta"] == {"mine": 1}


def test_a_session_of_each_revision_goes_on(lasting, ledger):
    gateway = lasting()
    revisions = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
    sessions = [LegacySession(gateway, ledger, revision=revision).open() for revision in revisions]
    written(gateway, ledger)
    gateway.restart()
    for session in sessions:
        assert text_of(session.call("echo", session.revision)) == session.revision


def test_a_modern_server_behind_a_session_goes_on(lasting, ledger, how):
    gateway = lasting()
    session = LegacySession(gateway, ledger, "modern").open()
    session.request("logging/setLevel", {"level": "debug"})
    session.request("resources/subscribe", {"uri": "test://one"})
    written(gateway, ledger)
    gateway.restart(how)
    stream = session.stream()
    assert stream.message()["method"] == "notifications/tools/list_changed"
    assert text_of(session.call("echo", "ö")) == "ö"

    def listened():
        listens = gateway.seen("modern", "subscriptions/listen")
        return [one for one in listens if "test://one" in one["params"]["notifications"].get("resourceSubscriptions", [])]

    until(lambda: len(listened()) >= 2, "the subscription at the new process")
    session.call("update", "test://one")
    assert stream.message()["method"] == "notifications/resources/updated"


def test_what_the_server_knew_it_is_told_again(lasting, ledger, how):
    gateway = lasting()
    session = LegacySession(gateway, ledger).open()
    session.request("logging/setLevel", {"level": "warning"})
    for uri in ("test://one", "test://two", "test://refused", "test://one"):
        session.request("resources/subscribe", {"uri": uri})
    session.request("resources/unsubscribe", {"uri": "test://two"})
    written(gateway, ledger)
    gateway.restart(how)
    pid = session.whoami()["pid"]
    again = [note["message"] for note in gateway.journal("plain", "read") if note["pid"] == pid][2:-1]
    assert [(one["method"], *one["params"].values()) for one in again] == [
        ("logging/setLevel", "warning"),
        ("resources/subscribe", "test://refused"),
        ("resources/subscribe", "test://one"),
    ]


def test_the_client_hears_that_lists_may_have_changed_and_the_stream_begins_anew(lasting, ledger, how):
    gateway = lasting()
    session = LegacySession(gateway, ledger).open()
    stream = session.stream()
    session.call("change")
    last = [stream.event().id for _ in range(2)][-1]
    written(gateway, ledger)
    gateway.restart(how)
    stream = session.stream(last=last)
    assert stream.status == 200
    assert stream.event().data == "", "the new stream is primed"
    told = stream.message()
    assert told["method"] == "notifications/tools/list_changed", "plain announces changes of its tools alone"
    session.call("change")
    changed = stream.message()
    assert changed["method"] == "notifications/tools/list_changed"
    gateway.restart(how)
    again = session.stream(last=last)
    assert again.status == 200, "ids of two runs before are no ids of this one"


def test_an_answer_that_was_lost_with_the_gateway_is_not_waited_for(lasting, ledger, tmp_path):
    gateway = lasting()
    session = LegacySession(gateway, ledger).open()
    params = session.tool("hold", str(tmp_path / "never"), meta={"progressToken": "t"})
    connection, exchange = session.begin(rpc("tools/call", params, 50))
    reply = connection.read(exchange)
    last = reply.event().id
    written(gateway, ledger)
    ledger.is_judged = False
    gateway.restart("kill")
    assert session.stream(last=last).status == 400
    assert session.request("ping")["result"] == {}


def test_requests_that_come_together_share_one_restoration(lasting, ledger):
    gateway = lasting()
    session = LegacySession(gateway, ledger).open()
    written(gateway, ledger)
    gateway.restart()
    pids = []
    threads = [threading.Thread(target=lambda: pids.append(session.whoami()["pid"])) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pids) == 12 and len(set(pids)) == 1
    assert len(greeted(gateway)) == 2


def test_a_session_is_restored_on_its_own_server_only(lasting, ledger):
    gateway = lasting()
    session = LegacySession(gateway, ledger).open()
    written(gateway, ledger)
    gateway.restart()
    session.path = "/mcp/other"
    assert session.post(rpc("ping", id=1)).status == 404
    assert session.stream().status == 404
    assert session.delete().status == 404
    assert gateway.children("other") == []
    session.path = "/mcp/plain"
    assert session.request("ping")["result"] == {}


def test_another_server_of_the_same_name_gets_no_session(lasting, ledger):
    gateway = lasting()
    session = LegacySession(gateway, ledger).open()
    written(gateway, ledger)
    gateway.servers["plain"]["args"] = [*gateway.servers["plain"]["args"], "--bad", "stubborn"]
    gateway.restart()
    assert session.post(rpc("ping", id=1)).status == 404
    assert gateway.children("plain") == []


def test_where_state_must_not_be_lost_the_session_ends(lasting, ledger, how):
    gateway = lasting()
    session = LegacySession(gateway, ledger, "ends").open()
    assert session.request("ping")["result"] == {}
    written(gateway, ledger)
    gateway.restart(how)
    assert session.post(rpc("ping", id=1)).status == 404
    assert gateway.children("ends") == []


def test_a_session_that_sleeps_can_be_deleted(lasting, ledger):
    gateway = lasting()
    session = LegacySession(gateway, ledger).open()
    written(gateway, ledger)
    gateway.restart()
    assert session.delete().status == 200
    assert session.post(rpc("ping", id=1)).status == 404
    gateway.restart()
    assert session.delete().status == 404
    assert gateway.children("plain") == []


def test_a_session_that_was_unused_for_too_long_is_forgotten(lasting, ledger):
    gateway = lasting(timeouts={"session": 2})
    session = LegacySession(gateway, ledger).open()
    written(gateway, ledger)
    gateway.restart()
    until(lambda: "a session of before was forgotten" in gateway.log, "the end of its idle time")
    assert session.post(rpc("ping", id=1)).status == 404
    assert len(greeted(gateway)) == 1


def test_a_seed_session_goes_on(lasting, ledger):
    from peers.wire import once

    gateway = lasting()
    reply = once(gateway.port, "GET", "/mcp/plain?transportType=streamable-http", [("Accept", "*/*")], None, ledger)
    session = LegacySession(gateway, ledger, revision="2025-06-18")
    session.id = reply.header("mcp-session-id")
    written(gateway, ledger)
    gateway.restart()
    answer = session.post(session.offer())
    assert answer.status == 200 and answer.json()["result"]["serverInfo"]["name"] == "plain"
    assert text_of(session.call("echo", "x")) == "x"
    assert len(greeted(gateway)) == 2


CHANGED = """
import json, os, sys
place = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mode")
mode = open(place).read() if os.path.exists(place) else ""
if mode == "dies":
    sys.exit(3)
for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    answer = {"jsonrpc": "2.0", "id": message["id"], "result": {}}
    if message["method"] == "initialize":
        version = "2024-11-05" if mode == "version" else message["params"]["protocolVersion"]
        info = {"name": "changed", "version": "1"}
        answer["result"] = {"protocolVersion": version, "capabilities": {}, "serverInfo": info}
        if mode == "error":
            del answer["result"]
            answer["error"] = {"code": -32603, "message": "not today"}
    print(json.dumps(answer), flush=True)
"""


@pytest.mark.parametrize("mode", ["version", "error", "dies"])
def test_a_server_that_is_not_as_before(lasting, ledger, tmp_path, mode):
    (tmp_path / "changed.py").write_text(CHANGED)
    script = {"command": sys.executable, "args": ["-S", "-E", str(tmp_path / "changed.py")], **LEGACY}
    gateway = lasting({"plain": SERVERS["plain"], "changed": script})
    session = LegacySession(gateway, ledger, "changed").open()
    written(gateway, ledger)
    (tmp_path / "mode").write_text(mode)
    gateway.restart()
    if mode == "dies":
        assert session.post(rpc("ping", id=1)).status == 503, "it may come up another time"
        (tmp_path / "mode").write_text("")
        assert session.request("ping")["result"] == {}
        return
    assert session.post(rpc("ping", id=1)).status == 404
    (tmp_path / "mode").write_text("")
    assert session.post(rpc("ping", id=1)).status == 404, "it has ended for good"


@pytest.mark.anyio
@pytest.mark.parametrize("server", ["everything", "modern"])
async def test_the_official_client_goes_on(lasting, ledger, how, server):
    gateway = lasting({"everything": sdk(era="legacy"), **SERVERS})
    async with connected(gateway, server, "legacy", ledger) as client:
        before = len((await client.list_tools()).tools)
        written(gateway, ledger)
        gateway.restart(how)
        await until_async(lambda: gateway.process.poll() is None, "the gateway is up")
        assert len((await client.list_tools()).tools) == before
        if server == "modern":
            assert text(await client.call_tool("echo", {"text": "ö"})) == "ö"


def start(folder, *arguments):
    command = [str(BINARY), "serve", "--config", str(folder / "gatehouse.json"), "--port", "0", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)


def test_a_database_that_is_none_is_refused_and_stays_as_it_is(lasting, ledger, tmp_path):
    gateway = lasting()
    LegacySession(gateway, ledger).open()
    written(gateway, ledger)
    gateway.terminate()
    database = tmp_path / "state" / "gatehouse.db"
    assert oct(database.stat().st_mode)[-3:] == "600" and oct(database.parent.stat().st_mode)[-3:] == "700"
    whole = database.read_bytes()
    for broken in (b"no database", whole[:5000], whole[:4096] + b"\xa5" * 4096 + whole[8192:]):
        database.write_bytes(broken)
        done = start(gateway.folder)
        assert done.returncode == 1
        lines = [line for line in done.stderr.splitlines() if "gatehouse.db" in line]
        assert len(lines) == 1 and done.stderr.count("\n") == len(done.stderr.splitlines())
        assert "Traceback" not in done.stderr and database.read_bytes() == broken
    database.write_bytes(whole)
    database.chmod(0o644)
    done = start(gateway.folder)
    assert done.returncode == 1 and "set its mode to 600" in done.stderr


def test_one_gateway_at_a_time_has_a_state(lasting, ledger):
    gateway = lasting()
    session = LegacySession(gateway, ledger).open()
    done = start(gateway.folder)
    assert done.returncode == 1 and f"another gateway (process {gateway.pid})" in done.stderr
    assert session.request("ping")["result"] == {}


def test_a_server_that_dies_is_followed_by_one_that_is_told_the_same(lasting, ledger):
    gateway = lasting()
    session = LegacySession(gateway, ledger).open()
    session.request("logging/setLevel", {"level": "warning"})
    session.request("resources/subscribe", {"uri": "test://one"})
    stream = session.stream()
    assert stream.event().data == ""
    assert "error" in session.request("tools/call", session.tool("crash"))
    pid = session.whoami()["pid"]
    assert said(gateway, "plain", pid) == [
        "initialize",
        "notifications/initialized",
        "logging/setLevel",
        "resources/subscribe",
        "tools/call",
    ]
    assert stream.message()["method"] == "notifications/tools/list_changed"


def test_where_state_must_not_be_lost_the_session_ends_with_its_server(lasting, ledger):
    gateway = lasting()
    session = LegacySession(gateway, ledger, "ends").open()
    assert "error" in session.request("tools/call", session.tool("crash"))
    until(lambda: session.post(rpc("tools/list", id=1)).status == 404, "the end of the session")
    assert len(greeted(gateway, "ends")) == 1


@pytest.mark.parametrize("path, tool", [("plain", "ask"), ("", "plain_ask")])
def test_an_answer_to_a_question_of_before_answers_none_of_now(lasting, ledger, path, tool):
    gateway = lasting({"plain": SERVERS["plain"], "other": SERVERS["other"]})
    session = LegacySession(gateway, ledger, path, capabilities={"roots": {}}).open()
    written(gateway, ledger)

    def ask(number):
        connection, exchange = session.begin(rpc("tools/call", {"name": tool, "arguments": {}}, number))
        reply = connection.read(exchange)
        # After a restart it first hears that the lists may have changed.
        while (question := reply.message())["method"] != "roots/list":
            assert question["method"].endswith("list_changed")
        return reply, question

    _, before = ask(70)
    gateway.restart("kill")
    reply, now = ask(71)
    assert before["id"] != now["id"]
    for question, uri in ((before, "file:///old"), (now, "file:///new")):
        answer = {"jsonrpc": "2.0", "id": question["id"], "result": {"roots": [{"uri": uri}]}}
        assert session.post(answer).status == 202
    assert reply.message()["result"]["_meta"]["test/answer"]["result"] == {"roots": [{"uri": "file:///new"}]}
