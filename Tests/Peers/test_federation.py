"""Several servers at /mcp: one list, each call to its owner, and nobody waits for one that is slow or dead."""

import os
import signal
import sys
import time

import pytest

from peers.gateway import SERVERS as FOLDER
from peers.gateway import plain
from peers.raw import LegacySession, ModernClient, rpc, text_of
from peers.waiting import until


def shelf(era, *arguments, **more):
    command = ["-S", "-E", str(FOLDER / "shelf.py"), "--era", era, *arguments]
    return {"command": sys.executable, "args": command, **more}


SERVERS = {
    "one": shelf("legacy", "--tools", "search,fetch,log,progress", "--prompts", "hello", "--uris", "same:1,one:1"),
    "two": shelf(
        "modern",
        *["--tools", "search,store,rounds,grow,update", "--prompts", "hello,bye", "--pages", "2"],
        *["--uris", "same:1,two:1,two:2", "--templates", "two:{name}"],
    ),
    "three": shelf("dual", "--tools", "näme,ask,hold", "--uris", "three:1"),
}
SETTINGS = {"timeouts": {"federation": 30}}
LEFT_OUT = "io.github.gatehouse/missing"
OUTDATED = "io.github.gatehouse/outdated"
QUICK = {"timeouts": {"federation": 0.5}}


def client_of(gateway, ledger, wire, capabilities=None):
    """A client of the federation."""
    if wire == "modern":
        return ModernClient(gateway, ledger, "", capabilities)
    return LegacySession(gateway, ledger, "", capabilities=capabilities).open(timeout=60)


def test_it_says_at_the_start_where_all_are_together(gateway):
    until(lambda: f"  together: http://127.0.0.1:{gateway.port}/mcp\n" in gateway.log, "the line")


@pytest.fixture
def client(gateway, ledger, wire):
    return client_of(gateway, ledger, wire)


def listed(client, method="tools/list", member="tools", key="name", **more):
    result = client.request(method, {}, **more)["result"]
    assert "nextCursor" not in result
    return [item[key] for item in result[member]]


def remarks(client, method="tools/list"):
    return client.request(method, {})["result"].get("_meta", {})


def warm(gateway, wire, ledger, names):
    """Waits until all servers are up: what they speak was found out."""
    client = client_of(gateway, ledger, wire)
    until(lambda: set(names) <= set(listed(client)), f"all of {names}", timeout=60)
    return client


# Lists and names


def test_one_list_has_the_tools_of_all_with_prefixes_where_they_are_needed(client, ledger):
    tools = listed(client)
    assert tools[:4] == ["one_search", "fetch", "log", "progress"]
    assert tools[4:9] == ["two_search", "store", "rounds", "grow", "update"]
    assert len(tools) == 12 and len(set(tools)) == 12
    mapped = tools[9]
    assert mapped.startswith("n_me_") and len(mapped) == len("n_me_") + 8
    assert listed(client) == tools, "the same again"
    for name, answer in {
        "one_search": "one search",
        "two_search": "two search",
        "store": "two store",
        mapped: "three näme",
    }.items():
        assert text_of(client.call(name)) == answer


def test_a_tool_that_nobody_has_is_an_error_of_the_client(client, wire):
    for name in ("search", "one_fetch", "nothing"):
        answer = client.request("tools/call", {"name": name, "arguments": {}})
        assert answer["error"]["code"] == -32602 and name in answer["error"]["message"]


def test_a_client_that_lists_nothing_can_call(gateway, ledger, wire):
    client = client_of(gateway, ledger, wire)
    assert text_of(client.call("store")) == "two store"


def test_prompts_are_listed_got_and_completed(client):
    assert listed(client, "prompts/list", "prompts") == ["one_hello", "two_hello", "bye"]
    for name, server in (("one_hello", "one hello"), ("two_hello", "two hello"), ("bye", "two bye")):
        got = client.request("prompts/get", {"name": name})["result"]
        assert got["messages"][0]["content"]["text"] == server
        params = {"ref": {"type": "ref/prompt", "name": name}, "argument": {"name": "x", "value": ""}}
        assert client.request("completion/complete", params)["result"]["completion"]["values"] == [server]


def test_resources_go_to_their_owner(client, wire):
    uris = listed(client, "resources/list", "resources", "uri")
    assert uris == ["same:1", "one:1", "two:1", "two:2", "three:1"]
    assert listed(client, "resources/templates/list", "resourceTemplates", "uriTemplate") == ["two:{name}"]
    for uri, owner in {"same:1": "one", "two:2": "two", "two:77": "two", "three:1": "three", "three:9": "three"}.items():
        contents = client.request("resources/read", {"uri": uri})["result"]["contents"]
        assert contents == [{"uri": uri, "text": f"{owner} {uri}"}]
    error = client.request("resources/read", {"uri": "nobody:1"})["error"]
    assert error["code"] == (-32602 if wire == "modern" else -32002)
    params = {"ref": {"type": "ref/resource", "uri": "two:{name}"}, "argument": {"name": "name", "value": ""}}
    assert client.request("completion/complete", params)["result"]["completion"]["values"] == ["two two:{name}"]


def test_what_the_servers_are_is_said_as_one(gateway, ledger, wire):
    client = client_of(gateway, ledger, wire)
    if wire == "modern":
        greeting = client.request("server/discover")["result"]
        assert greeting["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "gatehouse"
    else:
        greeting = client.opened
        assert greeting["serverInfo"]["name"] == "gatehouse" and greeting["protocolVersion"] == "2025-11-25"
    assert greeting["capabilities"]["tools"] == {"listChanged": True}
    assert greeting["capabilities"]["resources"] == {"listChanged": True, "subscribe": True}
    assert set(greeting["capabilities"]) >= {"tools", "prompts", "resources", "completions", "logging"}
    for name in SERVERS:
        assert f"# {name}\n\nHow to use {name}." in greeting["instructions"]


def test_each_server_has_its_own_path_besides(gateway, ledger):
    session = LegacySession(gateway, ledger, "one").open(timeout=60)
    assert listed(session) == ["search", "fetch", "log", "progress"]
    assert session.opened["serverInfo"]["name"] == "one"
    other = ModernClient(gateway, ledger, "federation")
    assert "two_search" in listed(other)


def test_a_session_of_the_federation_is_none_of_its_servers(gateway, ledger):
    session = LegacySession(gateway, ledger, "").open(timeout=60)
    session.path = "/mcp/one"
    assert session.post(rpc("tools/list", {}, 5)).status == 404


# What passes through


def test_progress_and_logs_come_with_the_call(client, wire):
    meta = {"progressToken": "mine"}
    answer = client.request("tools/call", {"name": "progress", "arguments": {}, "_meta": meta})
    assert text_of(answer["result"]) == "done"
    assert [n["params"]["progressToken"] for n in client.notices] == ["mine"] * 3
    if wire == "legacy":
        assert client.request("logging/setLevel", {"level": "info"})["result"] == {}
        assert text_of(client.call("log", "hello")) == "logged"
        assert [n["params"]["data"] for n in client.notices] == ["hello"]


def test_a_round_of_questions_goes_back_to_the_server_that_asked(gateway, ledger):
    client = ModernClient(gateway, ledger, "")
    asked = client.request("tools/call", {"name": "rounds", "arguments": {"text": "my state"}})["result"]
    assert asked["resultType"] == "input_required" and "my state" not in asked["requestState"]
    inputs = {"name": {"action": "accept", "content": {"name": "Ada"}}}
    retry = {"name": "rounds", "arguments": {"text": "my state"}, "inputResponses": inputs}
    done = client.request("tools/call", {**retry, "requestState": asked["requestState"]})["result"]
    assert done["_meta"]["test/rounds"]["state"] == "my state"
    assert done["_meta"]["test/rounds"]["inputs"] == inputs
    other = {**retry, "name": "store", "requestState": asked["requestState"]}
    assert client.request("tools/call", other)["error"]["code"] == -32602


def test_a_servers_question_reaches_the_client_and_its_answer_the_server(gateway, ledger):
    session = client_of(gateway, ledger, "legacy", {"roots": {}})
    connection, exchange = session.begin(rpc("tools/call", {"name": "ask", "arguments": {}}, 70))
    reply = connection.read(exchange)
    question = reply.message()
    assert question["method"] == "roots/list"
    roots = {"roots": [{"uri": "file:///a"}]}
    assert session.post({"jsonrpc": "2.0", "id": question["id"], "result": roots}).status == 202
    assert reply.message()["result"]["_meta"]["test/answer"]["result"] == roots


def test_a_call_that_is_taken_back_is_taken_back_from_its_server(gateway, ledger, tmp_path):
    session = client_of(gateway, ledger, "legacy")
    name = str(tmp_path / "gate")
    session.begin(rpc("tools/call", {"name": "hold", "arguments": {"text": name}}, 0))
    until(lambda: [n for n in gateway.journal("three", "hold") if n["path"] == name], "the call at the server")
    listed(session)
    assert session.post(rpc("notifications/cancelled", {"requestId": 0})).status == 202
    until(lambda: gateway.seen("three", "notifications/cancelled"), "the cancellation at the server")
    call = [m for m in gateway.seen("three", "tools/call") if m["params"]["arguments"].get("text") == name][0]
    assert gateway.seen("three", "notifications/cancelled")[-1]["params"]["requestId"] == call["id"]
    assert not gateway.seen("one", "notifications/cancelled")


def test_a_legacy_client_hears_of_resources_that_it_subscribed_to(gateway, ledger):
    session = client_of(gateway, ledger, "legacy")
    stream = session.stream()
    assert session.request("resources/subscribe", {"uri": "two:1"})["result"] == {}
    session.call("update", "two:1")
    message = stream.message()
    assert message["method"] == "notifications/resources/updated" and message["params"]["uri"] == "two:1"
    assert session.request("resources/unsubscribe", {"uri": "two:1"})["result"] == {}
    assert session.request("resources/unsubscribe", {"uri": "two:1"})["result"] == {}, "nothing is left to end"


def test_one_listen_hears_of_all_servers(gateway, ledger):
    client = ModernClient(gateway, ledger, "")
    stream = client.listen(id="mine", toolsListChanged=True, resourceSubscriptions=["two:1", "one:1"])
    first = stream.message()
    assert first["method"] == "notifications/subscriptions/acknowledged"
    wanted = {"toolsListChanged": True, "resourceSubscriptions": ["two:1", "one:1"]}
    assert first["params"]["notifications"] == wanted
    assert first["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"] == "mine"
    client.call("update", "two:1")
    message = stream.message()
    assert message["params"]["uri"] == "two:1"
    assert message["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"] == "mine"
    assert gateway.seen("one", "resources/subscribe")[-1]["params"]["uri"] == "one:1"


# Names that change their meaning


GROWING = {
    "one": shelf("modern", "--tools", "grow", isolation="shared"),
    "two": shelf("modern", "--tools", "search,raise", isolation="shared"),
}


def test_a_name_keeps_its_meaning_when_another_server_takes_it_too(make_gateway, ledger, wire):
    gateway = make_gateway(GROWING, SETTINGS)
    client = client_of(gateway, ledger, wire)
    assert listed(client) == ["grow", "search", "raise"]
    assert text_of(client.call("search")) == "two search"
    client.call("grow", "search")
    assert listed(client) == ["grow", "one_search", "two_search", "raise"]
    assert text_of(client.call("search")) == "two search", "the name that was given"
    assert text_of(client.call("one_search")) == "one search"
    assert text_of(client.call("two_search")) == "two search"


# Servers that do not answer


def started(gateway, server):
    return until(lambda: [n["pid"] for n in gateway.journal(server, "start")], f"{server} runs")


def test_a_dead_server_is_left_out_and_named(make_gateway, ledger, wire):
    servers = {"good": SERVERS["one"], "dead": plain("--bad", "exits"), "gone": {"command": "/nowhere/at/all"}}
    gateway = make_gateway(servers, QUICK)
    client = warm(gateway, wire, ledger, ["search"])
    assert listed(client) == ["search", "fetch", "log", "progress"]
    assert set(remarks(client)[LEFT_OUT]) == {"dead", "gone"}
    assert text_of(client.call("search")) == "good search"
    error = client.request("tools/call", {"name": "nothing", "arguments": {}})["error"]
    assert error["code"] == -32602 and "dead" in error["message"]


def test_if_all_are_dead_it_is_an_error(make_gateway, ledger):
    gateway = make_gateway({"dead": plain("--bad", "exits"), "other": plain("--bad", "exits")}, QUICK)
    reply = LegacySession(gateway, ledger, "").post(LegacySession(gateway, ledger, "").offer(), timeout=30)
    assert reply.status == 503 and "dead" in reply.json()["error"]["message"]
    answer = ModernClient(gateway, ledger, "").request("server/discover", timeout=30)
    assert answer["error"]["code"] == -32603


def test_while_all_are_slow_the_first_is_waited_for(make_gateway, ledger, wire, tmp_path):
    server = SERVERS["one"]
    script = 'while [ ! -e "$0" ]; do sleep 0.05; done; exec "$@"'

    def late(name):
        arguments = ["-c", script, str(tmp_path / f"gate {name}"), server["command"], *server["args"]]
        return {"command": "sh", "args": arguments, "era": "legacy", "framing": "newline"}

    gateway = make_gateway({name: late(name) for name in ("one", "two")}, QUICK)
    client = ModernClient(gateway, ledger, "") if wire == "modern" else LegacySession(gateway, ledger, "")
    connection, exchange = client.begin(client.message("server/discover") if wire == "modern" else client.offer())
    lister = ModernClient(gateway, ledger, "")
    listing, listed = lister.begin(lister.message("tools/list"))
    # Begun later, this is over when the time of the servers is.
    unknown = ModernClient(gateway, ledger, "").request("tools/call", {"name": "nothing", "arguments": {}})["error"]
    assert "one" in unknown["message"] and "two" in unknown["message"]
    (tmp_path / "gate one").touch()
    assert "tools" in connection.read(exchange).json()["result"]["capabilities"]
    # A list that is empty because all are starting might be kept.
    result = listing.read(listed).json()["result"]
    assert [tool["name"] for tool in result["tools"]] == ["search", "fetch", "log", "progress"]
    assert result["_meta"][LEFT_OUT] == ["two"] and result["ttlMs"] == 0


def pids(gateway, server):
    """The processes of a server itself, without those that watch over them."""

    def command(pid):
        try:
            return open(f"/proc/{pid}/cmdline").read()
        except OSError:
            return ""

    return [pid for pid in gateway.children(server) if "shelf.py" in command(pid)]


def stop(gateway, server):
    for pid in pids(gateway, server):
        os.kill(pid, signal.SIGSTOP)


def go_on(gateway, server):
    for pid in pids(gateway, server):
        os.kill(pid, signal.SIGCONT)


def test_a_server_that_hangs_keeps_nobody_from_the_others(make_gateway, ledger, wire):
    gateway = make_gateway({"one": SERVERS["one"], "two": GROWING["two"]}, QUICK)
    client = warm(gateway, wire, ledger, ["one_search", "two_search"])
    stop(gateway, "two")
    try:
        assert "two_search" in listed(client), "what it listed last"
        begin = time.monotonic()
        assert remarks(client)[OUTDATED] == ["two"]
        assert text_of(client.call("one_search")) == "one search"
        assert time.monotonic() - begin < 5, "it was waited for once"
        stream = client.listen(toolsListChanged=True) if wire == "modern" else client.stream()
        if wire == "modern":
            assert stream.message()["method"] == "notifications/subscriptions/acknowledged"
    finally:
        go_on(gateway, "two")
    assert stream.message()["method"] == "notifications/tools/list_changed"
    until(lambda: OUTDATED not in remarks(client), "it is back")
    assert text_of(client.call("two_search")) == "two search"


def test_a_server_that_dies_in_a_call_fails_that_call_alone_and_comes_back(make_gateway, ledger, wire, tmp_path):
    gateway = make_gateway({"one": SERVERS["one"], "three": SERVERS["three"]}, QUICK)
    client = warm(gateway, wire, ledger, ["search", "hold"])
    name = str(tmp_path / "gate")
    request = {"name": "hold", "arguments": {"text": name}}
    message = client.message("tools/call", request) if wire == "modern" else rpc("tools/call", request, 80)
    connection, exchange = client.begin(message)
    note = until(lambda: [n for n in gateway.journal("three", "hold") if n["path"] == name], "the call at the server")[0]
    assert text_of(client.call("search")) == "one search"
    os.kill(note["pid"], signal.SIGKILL)
    error = connection.read(exchange).json()["error"]
    assert error["code"] == -32603 and error["message"].startswith("three:")
    assert text_of(client.call("search")) == "one search"
    until(lambda: "hold" in listed(client) and not {LEFT_OUT, OUTDATED} & set(remarks(client)), "it is back")


def test_a_server_that_comes_late_joins_the_session(make_gateway, ledger):
    gateway = make_gateway({"one": SERVERS["one"], "two": plain("--bad", "crashes_twice")}, QUICK)
    session = client_of(gateway, ledger, "legacy")
    stream = session.stream()
    assert "search" in listed(session)
    until(lambda: "echo" in listed(session), "the other one", timeout=30)
    assert stream.message()["method"].endswith("/list_changed")
    assert text_of(session.call("echo", "hello")) == "hello"


# Configuration


def together(make_gateway, **more):
    """A gateway with a server that can be asked anything and one that only lists."""
    stated = {"era": "legacy", "framing": "newline"}
    other = {**shelf("legacy", "--tools", "store"), **stated}
    return make_gateway({"one": plain("--era", "legacy", **stated, **more), "two": other})


def test_the_next_process_of_a_server_is_told_what_the_one_before_was(make_gateway, ledger):
    gateway = together(make_gateway)
    client = client_of(gateway, ledger, "legacy")
    client.request("logging/setLevel", {"level": "warning"})
    client.request("resources/subscribe", {"uri": "test://one"})
    stream, pid = client.stream(), client.whoami()["pid"]
    os.kill(pid, signal.SIGKILL)
    until(lambda: "ended unexpectedly" in gateway.log, "that it is noticed")
    after = client.whoami()["pid"]
    assert after != pid
    told = [note["message"] for note in gateway.journal("one", "read") if note["pid"] == after]
    assert [message["method"] for message in told] == [
        "initialize",
        "notifications/initialized",
        "logging/setLevel",
        "resources/subscribe",
        "tools/call",
    ]
    assert told[2]["params"]["level"] == "warning" and told[3]["params"]["uri"] == "test://one"
    assert stream.message()["method"] == "notifications/tools/list_changed"
    assert text_of(client.call("store")) == "two store"


def test_where_a_server_must_not_lose_its_state_the_session_ends(make_gateway, ledger):
    gateway = together(make_gateway, state_lost="end")
    client = client_of(gateway, ledger, "legacy")
    os.kill(client.whoami()["pid"], signal.SIGKILL)
    until(lambda: client.post(rpc("ping", None, 90)).status == 404, "the end of the session")
    until(lambda: not gateway.children("two"), "the end of the others' processes")


def test_a_server_that_joins_later_is_not_in_the_trace_of_the_beginning(make_gateway, ledger, tmp_path):
    mode, stated = tmp_path / "mode", {"era": "legacy", "framing": "newline"}
    mode.write_text("die")
    late = plain("--bad", "governed", "--era", "legacy", env={"PEER_GATE": str(mode)}, max_restarts=0, **stated)
    gateway = make_gateway({"late": late, "one": plain("--era", "legacy", **stated)})
    session = LegacySession(gateway, ledger, "")
    offer = session.offer()
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    offer["params"]["_meta"] = {"traceparent": parent, "mine": 1}
    session.id = session.post(offer).header("mcp-session-id")
    mode.write_text("run")
    until(lambda: "late_echo" in listed(session), "the server that comes late", timeout=20)
    for name in ("one", "late"):
        first = gateway.seen(name, "initialize")[0]
        assert first["params"]["_meta"]["traceparent"] == parent, "all are greeted in the trace of the client"
    assert gateway.seen("late", "initialize")[-1]["params"]["_meta"] == {"mine": 1}


@pytest.mark.parametrize("limits, words", [("sessionsPerPrincipal", "of yours"), ("sessions", "of this server")])
def test_a_servers_own_limit_of_sessions_leaves_it_out(make_gateway, ledger, limits, words):
    gateway = together(make_gateway, limits={limits: 2})
    clients = [client_of(gateway, ledger, "legacy") for _ in range(3)]
    assert [("echo" in listed(client)) for client in clients] == [True, True, False]
    assert remarks(clients[2])[LEFT_OUT] == ["one"]
    assert f"Too many sessions {words}" in gateway.log
    assert text_of(clients[2].call("store")) == "two store"
    assert clients[0].delete().status == 200
    until(lambda: "echo" in listed(clients[2]), "it joins when a place is free")


def test_the_servers_and_the_separator_are_configured(make_gateway, ledger):
    settings = {**SETTINGS, "federation": {"servers": ["two", "one"], "separator": "--"}}
    gateway = make_gateway(SERVERS, settings)
    tools = listed(client_of(gateway, ledger, "modern"))
    assert tools[0] == "two--search" and "one--search" in tools and "ask" not in tools


def test_without_a_federation_nothing_answers(make_gateway, ledger):
    gateway = make_gateway(SERVERS, {"federation": False})
    reply = ModernClient(gateway, ledger, "").send("server/discover")
    assert reply.status == 404 and "/mcp/one" in reply.json()["error"]["message"]


# Tasks


def test_tasks_lead_back_to_their_server(make_gateway, ledger):
    script = {"command": sys.executable, "args": ["-S", "-E", str(FOLDER / "tasks.py")]}
    gateway = make_gateway({"first": {**script, "isolation": "principal"}, "each": {**script, "isolation": "call"}}, SETTINGS)
    capable = {"elicitation": {"form": {}}, "extensions": {"io.modelcontextprotocol/tasks": {}}}
    client = ModernClient(gateway, ledger, "", capable)
    made = {name: client.call(f"{name}_work", timeout=30) for name in ("first", "each")}
    ids = {name: task["taskId"] for name, task in made.items()}
    assert all("own" not in number for number in ids.values())
    stream = client.listen(taskIds=list(ids.values()))
    acknowledgement = stream.message()["params"]["notifications"]
    assert set(acknowledgement.get("taskIds", [])) <= set(ids.values())
    for name, number in ids.items():
        def done():
            task = client.request("tasks/get", {"taskId": number})["result"]
            assert task["taskId"] == number
            return task["status"] == "completed"

        until(done, f"the task of {name}")
        assert gateway.seen(name, "tasks/get")
    assert client.request("tasks/get", {"taskId": "made up"})["error"]["code"] == -32602


def test_a_server_that_never_says_a_word_delays_only_the_beginning(make_gateway, ledger, wire):
    gateway = make_gateway({"silent": plain("--bad", "silent"), "one": SERVERS["one"]}, {"timeouts": {"federation": 2}})
    warm(gateway, wire, ledger, ["search"])
    begin = time.monotonic()
    client = client_of(gateway, ledger, wire)
    assert listed(client) == ["search", "fetch", "log", "progress"]
    assert remarks(client)[LEFT_OUT] == ["silent"]
    assert text_of(client.call("search")) == "one search"
    assert time.monotonic() - begin < 6
    if wire == "legacy":
        assert client.delete().status == 200


def test_sessions_that_end_leave_no_processes(gateway, ledger):
    before = set(pids(gateway, "one"))
    sessions = [LegacySession(gateway, ledger, "").open(timeout=60) for _ in range(5)]
    for session in sessions:
        assert text_of(session.call("one_search")) == "one search"
    mine = set(pids(gateway, "one")) - before
    assert len(mine) >= 5
    for session in sessions:
        assert session.delete().status == 200
    until(lambda: not set(mine) & set(pids(gateway, "one")), "the end of their processes")
