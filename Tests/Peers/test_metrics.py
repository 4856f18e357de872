"""What is counted, and who may ask for it."""

import json
import re
import subprocess

import pytest

from peers.gateway import BINARY, plain
from peers.metrics import OPENMETRICS, scrape, value
from peers.raw import LegacySession, ModernClient, rpc
from peers.remote import ALLOWED, script
from peers.waiting import until
from peers.wire import once

SERVERS = {
    "plain": plain(),
    "counted": plain(env={"API_KEY": "CANARY-of-the-environment"}),
    "named": plain(),
    "dying": plain(),
}
SETTINGS = {"log": {"format": "json", "level": "info", "levels": {"calls": "debug"}}}
CALLS = "gatehouse_calls_total"


@pytest.fixture(params=["legacy", "modern"])
def era(request):
    return request.param


@pytest.fixture
def client(gateway, ledger, era):
    return LegacySession(gateway, ledger, "counted").open() if era == "legacy" else ModernClient(gateway, ledger, "counted")


def test_every_family_is_read_by_a_foreign_parser(gateway, client, era):
    client.call("echo", "x")
    plain_form, open_form = scrape(gateway), scrape(gateway, OPENMETRICS)
    assert set(plain_form) == set(open_form)
    assert {family.type for family in plain_form.values()} == {"counter", "gauge", "histogram"}
    for family in plain_form.values():
        assert family.documentation, family.name
    assert value(gateway, "process_resident_memory_bytes") > 1e6
    assert value(gateway, "process_open_fds") > 3


def test_a_call_is_counted_where_it_ends(gateway, client, era):
    client.request("tools/list")
    labels = {"server": "counted", "era": era, "method": "tools/call"}
    before = {
        "ok": value(gateway, CALLS, tool="echo", outcome="ok", source="none", **labels),
        "bad": value(gateway, CALLS, tool="other", outcome="error", source="client", **labels),
        "time": value(gateway, "gatehouse_call_duration_seconds_count", **labels),
    }
    for _ in range(3):
        client.call("echo", "x")
    # A name of the client's making has no row of its own.
    assert "error" in client.request("tools/call", LegacySession.tool("invented\"}", "x"))
    assert value(gateway, CALLS, tool="echo", outcome="ok", source="none", **labels) == before["ok"] + 3
    assert value(gateway, CALLS, tool="other", outcome="error", source="client", **labels) == before["bad"] + 1
    assert value(gateway, "gatehouse_call_duration_seconds_count", **labels) == before["time"] + 4
    assert not [s for s in scrape(gateway)["gatehouse_calls"].samples if "invented" in s.labels["tool"]]
    assert value(gateway, "gatehouse_calls_open") == 0


def test_a_call_that_fails_says_whose_fault_it_was(gateway, ledger, era):
    client = LegacySession(gateway, ledger, "dying").open() if era == "legacy" else ModernClient(gateway, ledger, "dying")
    labels = {"server": "dying", "era": era, "outcome": "failed", "source": "upstream"}
    before = value(gateway, CALLS, **labels)
    assert "error" in client.request("tools/call", LegacySession.tool("crash"))
    assert value(gateway, CALLS, **labels) == before + 1


def test_a_call_that_its_client_leaves_is_counted_as_cancelled(gateway, ledger, tmp_path):
    client = ModernClient(gateway, ledger, "plain")
    labels = {"server": "plain", "era": "modern", "outcome": "cancelled", "source": "client"}
    before = value(gateway, CALLS, **labels)
    connection, _ = client.begin(client.message("tools/call", LegacySession.tool("hold", str(tmp_path / "gate"))))
    until(lambda: value(gateway, "gatehouse_calls_open") == 1, "the open call")
    connection.close()
    until(lambda: value(gateway, CALLS, **labels) == before + 1, "the cancelled call")
    assert value(gateway, "gatehouse_calls_open") == 0


def test_sessions_and_refusals_are_counted(gateway, ledger):
    opened = value(gateway, "gatehouse_sessions_opened_total")
    ended = value(gateway, "gatehouse_sessions_ended_total", reason="client")
    refused = value(gateway, "gatehouse_refusals_total", status="404")
    session = LegacySession(gateway, ledger, "named").open()
    assert value(gateway, "gatehouse_sessions_open", server="named") == 1
    session.delete()
    assert session.post(rpc("tools/list", id=1)).status == 404
    assert value(gateway, "gatehouse_sessions_open", server="named") == 0
    assert value(gateway, "gatehouse_sessions_opened_total") == opened + 1
    assert value(gateway, "gatehouse_sessions_ended_total", reason="client") == ended + 1
    assert value(gateway, "gatehouse_refusals_total", status="404") == refused + 1


def session_metrics(gateway, *fields):
    reply = once(gateway.port, "GET", "/api/session_metrics", list(fields))
    assert reply.status == 200
    return reply.json()


def test_session_metrics_has_two_numbers_for_all_and_the_rest_for_this_machine(gateway, ledger):
    LegacySession(gateway, ledger, "named").open()
    metrics = session_metrics(gateway)
    assert metrics["active_sessions"] >= 1
    assert metrics["total_processes"] >= 1
    assert {server["name"] for server in metrics["servers"]} >= set(SERVERS)
    through_a_proxy = session_metrics(gateway, ("X-Forwarded-For", "203.0.113.7"))
    assert set(through_a_proxy) == {"active_sessions", "total_processes"}


def test_what_is_counted_can_be_turned_off(make_gateway):
    gateway = make_gateway({"plain": plain()}, {"metrics": False})
    for path in ("/metrics", "/api/session_metrics"):
        assert once(gateway.port, "GET", path, []).status == 404


def test_the_log_is_lines_of_json_with_what_a_call_was(gateway, client, era):
    client.call("echo", "hello")
    lines = [json.loads(line) for line in gateway.log.splitlines() if line.startswith("{\"time\"")]
    assert lines
    for line in lines:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
        assert line["level"] in ("debug", "info", "warning", "error")
    calls = [line for line in lines if line["subsystem"] == "calls" and line.get("method") == "tools/call"]
    found = [line for line in calls if line["server"] == "counted" and line["era"] == era and line["outcome"] == "ok"]
    assert found
    assert (era == "legacy") == ("session" in found[-1])
    if era == "legacy":
        assert client.id not in gateway.log
    assert "CANARY" not in gateway.log


def test_what_processes_do_is_counted(make_gateway, ledger):
    gateway = make_gateway({"plain": plain("--era", "legacy")})
    session = LegacySession(gateway, ledger).open()
    session.call("echo", "x" * 100)
    assert value(gateway, "gatehouse_children", server="plain", state="up") == 1
    (server,) = session_metrics(gateway)["servers"]
    (child,) = [child for child in server["children"] if child["state"] == "up"]
    assert child["pid"] == session.whoami()["pid"]
    assert child["sent_messages"] >= 3 and child["received_messages"] >= 2
    assert child["sent_bytes"] > 300 and child["received_bytes"] > 200
    assert "error" in session.request("tools/call", LegacySession.tool("crash"))
    session.call("echo", "again")
    assert value(gateway, "gatehouse_child_restarts_total", server="plain") == 1
    assert value(gateway, "gatehouse_child_exits_total", server="plain", kind="failed") == 1
    assert value(gateway, "gatehouse_child_starts_total", server="plain") >= 3
    (server,) = session_metrics(gateway)["servers"]
    assert (server["restarts"], server["last_exit"]) == (1, "exit status 7")
    assert "widget" not in once(gateway.port, "GET", "/api/session_metrics", []).body().decode()
    assert value(gateway, "gatehouse_child_start_failures_total", server="plain") == 0


def test_what_servers_elsewhere_do_is_counted(make_gateway, ledger):
    far = script("upstream.py", "forgetful")
    shut = script("upstream.py", "sound")
    try:
        entries = {"far": far.entry(), "shut": shut.entry()}
        gateway = make_gateway(entries, ALLOWED)
        session = LegacySession(gateway, ledger, "far").open()
        gone = LegacySession(gateway, ledger, "shut").open()
        shut.stop()
        assert "error" in gone.request("tools/list")
        session.call("who")
        session.call("who")
        servers = {server["name"]: server for server in session_metrics(gateway)["servers"]}
        page = subprocess.run(
            [str(BINARY), "status", f"http://127.0.0.1:{gateway.port}"], capture_output=True, text=True, timeout=30
        ).stdout
    finally:
        far.stop()
        shut.stop()
    remote = servers["far"]["remote"]
    assert (servers["far"]["state"], remote["state"], remote["greeted_again"]) == ("up", "reached", 1)
    (line,) = remote["lines"]
    # Two greetings of sessions, the first of which is the client's own, and two calls, one of which was sent twice.
    assert (line["state"], line["calls"], line["greeted_again"]) == ("up", 5, 1)
    assert line["received_bytes"] > 200 and line["waiting_bytes"] == 0
    assert "pid" not in line and str(far.port) not in json.dumps(servers["far"])
    assert servers["shut"]["state"] == servers["shut"]["remote"]["state"] == "away"
    assert servers["shut"]["remote"]["last_failure"].startswith("The server cannot be reached")
    assert "1 session forgotten" in page and "away" in page and "cannot be reached" in page
    for name, server, expected in [
        ("gatehouse_remote_away", "far", 0),
        ("gatehouse_remote_away", "shut", 1),
        ("gatehouse_remote_lines", "far", 1),
        ("gatehouse_remote_lines_opened_total", "far", 1),
        ("gatehouse_remote_greeted_again_total", "far", 1),
        ("gatehouse_remote_failures_total", "far", 0),
        ("gatehouse_remote_failures_total", "shut", 1),
    ]:
        assert value(gateway, name, server=server) == expected, (name, server)
    assert value(gateway, "gatehouse_processes", server="far") == 0
