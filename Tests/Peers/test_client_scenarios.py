"""The scenarios by which the conformance suite judges clients, those of authorization apart.

Each has a server of its own that follows a script, and the pass condition of the suite. The client is
`gatehouse inspect`, as one would name it to the suite as the command to run.
"""

import base64
import json
import threading

import pytest

from peers.schema import MODERN
from peers.scripted import META, Legacy, Modern, Reply, Scripted, event, inspect, refused, said

NUMBER = {"type": "number"}
ADD = {
    "name": "add_numbers",
    "description": "Adds two numbers.",
    "inputSchema": {"type": "object", "properties": {"a": NUMBER, "b": NUMBER}, "required": ["a", "b"]},
}
EMPTY = {"type": "object"}


def run(script, *arguments, text="", revision=None):
    """Runs inspect against a script: the server, with what it noted, and what inspect printed."""
    with Scripted(script) as server:
        status, out, err = inspect(server.url, *arguments, text=text)
    assert server.failures == [], server.failures
    if revision:
        assert server.problems(revision) == []
    return server, status, out, err


def answer(request, message):
    return {"jsonrpc": "2.0", "id": request.message["id"], "result": message}


# Legacy era


def test_initialize():
    server, status, _, err = run(Legacy(lambda request: None), "tools", "--era", "legacy", revision="2025-11-25")
    assert status == 0, err
    [first] = server.of("initialize")
    assert server.requests[0] is first
    assert first.params["protocolVersion"] == "2025-11-25"
    assert first.params["clientInfo"]["name"] and first.params["clientInfo"]["version"]
    assert "mcp-session-id" not in first.headers and "mcp-protocol-version" not in first.headers
    assert server.requests[1].method == "notifications/initialized"
    for later in server.requests[1:]:
        assert later.headers["mcp-session-id"] == "s-1"
        assert later.headers["mcp-protocol-version"] == "2025-11-25"
    assert server.requests[-1].http == "DELETE"


@pytest.mark.parametrize("revision", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
def test_the_server_chooses_an_older_revision(revision):
    script = Legacy(lambda request: None, revision=revision, tools=[ADD])
    server, status, out, err = run(script, "tools", revision=revision)
    assert status == 0 and "add_numbers" in out, err
    header = server.of("tools/list")[0].headers.get("mcp-protocol-version")
    assert header == (revision if revision >= "2025-06-18" else None)


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_tools_call(era):
    def more(request):
        if request.method == "tools/call":
            total = sum(request.params["arguments"].values())
            return said(f"The sum is {total}") if era == "modern" else {"content": said(f"The sum is {total}")["content"]}

    script = (Modern if era == "modern" else Legacy)(more, tools=[ADD])
    revision = MODERN if era == "modern" else "2025-11-25"
    server, status, out, err = run(script, "call", "add_numbers", "a=5", "b=3", revision=revision)
    assert (status, out) == (0, "The sum is 8\n"), err
    [call] = server.of("tools/call")
    assert call.params["name"] == "add_numbers" and call.params["arguments"] == {"a": 5, "b": 3}


DEFAULTS = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive"], "default": "active"},
        "verified": {"type": "boolean", "default": True},
    },
}


@pytest.mark.parametrize("given", ["prepared", "typed"])
def test_elicitation_sep1034_client_defaults(given):
    answers = []
    asked = threading.Event()

    def more(request):
        if request.method == "tools/call":
            question = {
                "jsonrpc": "2.0",
                "id": "q-1",
                "method": "elicitation/create",
                "params": {"message": "Who are you?", "requestedSchema": DEFAULTS},
            }
            # The stream breaks off behind the question; what follows is fetched once it was answered.
            return Reply(events=event(id="1", retry=1) + event(question, id="2"))
        if request.message and "result" in request.message:
            answers.append(request.message)
            asked.set()
            return None
        if request.http == "GET" and request.headers.get("last-event-id"):
            assert asked.wait(20)
            [call] = [r for r in server_of.requests if r.method == "tools/call"]
            return Reply(events=event(answer(call, {"content": []}), id="3"))

    with Scripted(Legacy(more, tools=[{"name": "t", "inputSchema": EMPTY}])) as server_of:
        how = ["--answer", "elicitation={}"] if given == "prepared" else []
        status, _, err = inspect(server_of.url, "--era", "legacy", "call", "t", *how, text="\n\n\n\n\n")
    assert status == 0, err
    assert server_of.problems("2025-11-25") == []
    [reply] = answers
    assert reply["id"] == "q-1"
    wanted = {name: schema["default"] for name, schema in DEFAULTS["properties"].items()}
    assert reply["result"] == {"action": "accept", "content": wanted}


def test_sse_retry():
    """The server closes the stream early; the client waits as long as it was told, and resumes."""

    def more(request):
        if request.method == "tools/call":
            return Reply(events=event(id="e-1", retry=400))
        if request.http == "GET" and request.headers.get("last-event-id") == "e-1":
            [call] = server.of("tools/call")
            return Reply(events=event(answer(call, {"content": [{"type": "text", "text": "late"}]}), id="e-2"))

    with Scripted(Legacy(more)) as server:
        status, out, err = inspect(server.url, "--era", "legacy", "call", "t")
    assert (status, out) == (0, "late\n"), err
    [call] = server.of("tools/call")
    [resumed] = [r for r in server.of_http("GET") if "last-event-id" in r.headers]
    # What the suite asks for: not before the time, and no second call.
    assert resumed.time - call.time >= 0.4
    assert resumed.headers["accept"] == "text/event-stream"
    assert resumed.headers["mcp-session-id"] == "s-1"


def test_a_session_that_the_server_forgot_is_opened_anew():
    forgotten = []

    def more(request):
        if request.method == "tools/call":
            if not forgotten:
                forgotten.append(request)
                script.session = "s-2"
                return Reply(status=404)
            return {"content": [{"type": "text", "text": "again"}]}

    script = Legacy(more)
    server, status, out, err = run(script, "--era", "legacy", "call", "t", revision="2025-11-25")
    assert (status, out) == (0, "again\n"), err
    first, second = server.of("tools/call")
    assert (first.headers["mcp-session-id"], second.headers["mcp-session-id"]) == ("s-1", "s-2")
    assert first.message["id"] != second.message["id"]
    assert len(server.of("initialize")) == len(server.of("notifications/initialized")) == 2


def test_http_and_sse_of_the_first_revision():
    """A server that takes no POST at its URL is reached by the stream that it opens there."""
    sent, ready = [], threading.Event()

    class Old(Scripted):
        def _send(self, handler, reply):
            if reply.status != 299:
                return super()._send(handler, reply)
            handler.send_response(200)
            handler.send_header("Content-Type", "text/event-stream")
            handler.send_header("Connection", "close")
            handler.end_headers()
            handler.wfile.write(b"event: endpoint\ndata: /messages?session=7\n\n")
            while True:
                ready.wait(20)
                while sent:
                    handler.wfile.write(f"event: message\ndata: {json.dumps(sent.pop(0))}\n\n".encode())
                ready.clear()

    def script(request):
        if request.http == "GET":
            return Reply(status=299)
        if request.path == "/mcp":
            return Reply(status=405)
        reply = Legacy(lambda _: None, revision="2024-11-05", session=None, tools=[ADD])(request)
        if isinstance(reply, Reply) and reply.body:
            sent.append(reply.body)
        elif request.message.get("id") is not None:
            sent.append(answer(request, reply))
        ready.set()
        return Reply(status=202)

    with Old(script) as server:
        status, out, err = inspect(server.url, "tools")
    assert status == 0 and "add_numbers" in out, err
    posts = [request for request in server.of_http("POST") if request.path != "/mcp"]
    assert {request.path for request in posts} == {"/messages?session=7"}
    assert [request.method for request in posts] == ["initialize", "notifications/initialized", "tools/list"]


# Modern era


def test_request_metadata():
    """Every request carries its version and capabilities; a refused version leads to one that is supported."""
    refusals = []

    def script(request):
        if not refusals:
            refusals.append(request)
            return refused(request, -32022, supported=[MODERN], requested=request.meta[META + "protocolVersion"])
        return Modern(lambda _: said("done"), tools=[{"name": "t", "inputSchema": EMPTY}])(request)

    server, status, out, err = run(script, "call", "t", "--root", ".", revision=MODERN)
    assert (status, out) == (0, "done\n"), err
    for request in server.requests:
        assert request.headers["mcp-protocol-version"] == request.meta[META + "protocolVersion"] == MODERN
        assert request.meta[META + "clientInfo"]["name"] and request.meta[META + "clientInfo"]["version"]
        capabilities = request.meta[META + "clientCapabilities"]
        # What it declares it can really do: see the tests of rounds.
        assert set(capabilities) == {"elicitation", "sampling", "roots"}
        assert "mcp-session-id" not in request.headers
    assert [request.method for request in server.requests] == ["server/discover"] * 2 + ["tools/list", "tools/call"]
    ids = [request.message["id"] for request in server.requests]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("method", ["tools/list", "tools/call"])
def test_a_version_that_is_refused_later_is_sent_once_more(method):
    refusals = []

    def script(request):
        if request.method == method and not refusals:
            refusals.append(request)
            return refused(request, -32022, supported=[MODERN], requested=MODERN)
        return Modern(lambda _: said("done"), tools=[{"name": "t", "inputSchema": EMPTY}])(request)

    server, status, out, err = run(script, "call", "t", revision=MODERN)
    assert (status, out) == (0, "done\n"), err
    assert len(server.of(method)) == 2


FORM = {"method": "elicitation/create", "params": {"message": "Sure?", "requestedSchema": {
    "type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}}}
STATES = ["plain", "", "a b\tc", "=?base64?eA==?=", "\u00e4\U0001f642", '{"a": [1, "\\n"]}', "x" * 5000]


@pytest.mark.parametrize("state", [*STATES, None], ids=[*map(str, range(len(STATES))), "none"])
def test_sep_2322_client_request_state(state):
    def more(request):
        if "inputResponses" not in request.params:
            more_state = {} if state is None else {"requestState": state}
            return {"resultType": "input_required", "inputRequests": {"confirm": FORM}, **more_state}
        return said("state-ok")

    tools = [{"name": "t", "inputSchema": {"type": "object", "properties": {"x": {"type": "integer"}}}}]
    server, status, out, err = run(
        Modern(more, tools=tools), "call", "t", "x=1", "--answer", 'confirm={"ok":true}', revision=MODERN
    )
    assert (status, out) == (0, "state-ok\n"), err
    first, second = server.of("tools/call")
    assert first.message["id"] != second.message["id"]
    assert "requestState" not in first.params and "inputResponses" not in first.params
    assert second.params.get("requestState") == state
    assert ("requestState" in second.params) == (state is not None)
    assert second.params["inputResponses"] == {"confirm": {"action": "accept", "content": {"ok": True}}}
    assert (second.params["name"], second.params["arguments"]) == ("t", {"x": 1})
    # Other requests know nothing of it.
    assert all("requestState" not in r.params for r in server.requests if r is not second)


def test_rounds_carry_only_their_own_answers_and_end_somewhere():
    def more(request):
        step = len(server.of("tools/call"))
        if step <= 3:
            return {"resultType": "input_required", "inputRequests": {f"k{step}": FORM}, "requestState": f"s{step}"}
        return said("done")

    with Scripted(Modern(more)) as server:
        status, out, err = inspect(server.url, "call", "t", "--answer", 'elicitation={"ok":true}')
    assert (status, out) == (0, "done\n"), err
    assert [r.params.get("requestState") for r in server.of("tools/call")] == [None, "s1", "s2", "s3"]
    assert [list(r.params.get("inputResponses", {})) for r in server.of("tools/call")] == [[], ["k1"], ["k2"], ["k3"]]

    endless, status, _, err = run(
        Modern(lambda request: {"resultType": "input_required", "requestState": "again"}), "call", "t"
    )
    assert status == 1 and "again and again" in err
    assert len(endless.of("tools/call")) == 11


def test_several_questions_of_one_round_are_all_answered_first():
    questions = {
        "name": FORM,
        "model": {"method": "sampling/createMessage", "params": {"maxTokens": 9, "messages": [
            {"role": "user", "content": {"type": "text", "text": "Hello?"}}]}},
        "where": {"method": "roots/list"},
    }

    def more(request):
        if "inputResponses" in request.params:
            return said("done")
        return {"resultType": "input_required", "inputRequests": questions}

    server, status, out, err = run(
        Modern(more), "call", "t", "--root", "/tmp", text="y\nHi\nthere\n\n", revision=MODERN
    )
    assert (status, out) == (0, "done\n"), err
    first, second = server.of("tools/call")
    given = second.params["inputResponses"]
    assert given["name"] == {"action": "accept", "content": {"ok": True}}
    assert given["model"]["content"] == {"type": "text", "text": "Hi\nthere"}
    assert [root["uri"].rstrip("/") for root in given["where"]["roots"]] == ["file:///tmp"]


def test_what_was_not_declared_is_not_answered():
    def more(request):
        return {"resultType": "input_required", "inputRequests": {"where": {"method": "roots/list"}}}

    server, status, _, err = run(Modern(more), "call", "t")
    assert status == 1 and "roots/list" in err
    assert len(server.of("tools/call")) == 1


# Headers


def test_http_standard_headers():
    def more(request):
        if request.method == "tools/call":
            return said("done")
        if request.method == "prompts/get":
            return {"messages": [], "resultType": "complete"}
        text = {"uri": request.params.get("uri"), "text": "x"}
        return {"contents": [text], "resultType": "complete", "ttlMs": 0, "cacheScope": "private"}

    commands = "call t\nprompt 'pr\u00f6mpt'\nread 'file:///a b'\nread ' edge '\n"
    server, status, _, err = run(Modern(more), "shell", text=commands, revision=MODERN)
    assert status == 0, err
    for request in server.requests:
        assert request.headers["mcp-method"] == request.method
        assert request.headers["content-type"] == "application/json"
        assert {part.strip() for part in request.headers["accept"].split(",")} == {
            "application/json",
            "text/event-stream",
        }
    names = [request.headers.get("mcp-name") for request in server.requests if request.method not in (
        "server/discover", "tools/list")]
    wrapped = "=?base64?" + base64.b64encode("pr\u00f6mpt".encode()).decode() + "?="
    assert names == ["t", wrapped, "file:///a b", "=?base64?" + base64.b64encode(b" edge ").decode() + "?="]


ROUTED = {
    "name": "routed",
    "inputSchema": {
        "type": "object",
        "properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "count": {"type": "integer", "x-mcp-header": "Count"},
            "dry": {"type": "boolean", "x-mcp-header": "Dry-Run"},
            "query": {"type": "string"},
        },
    },
}
VALUES = {
    "plain": ({"region": "us-west1", "count": 42, "dry": False}, ["us-west1", "42", "false"]),
    "unicode": ({"region": "Z\u00fcrich"}, ["=?base64?WsO8cmljaA==?=", None, None]),
    "edges": ({"region": " x "}, ["=?base64?IHgg?=", None, None]),
    "control": ({"region": "a\nb"}, ["=?base64?YQpi?=", None, None]),
    "sentinel": ({"region": "=?base64?eA==?="}, ["=?base64?PT9iYXNlNjQ/ZUE9PT89?=", None, None]),
    "empty": ({"region": ""}, ["", None, None]),
    "null": ({"region": None, "count": 0}, [None, "0", None]),
    "absent": ({"query": "only"}, [None, None, None]),
}


@pytest.mark.parametrize("arguments, headers", VALUES.values(), ids=VALUES.keys())
def test_http_custom_headers(arguments, headers):
    script = Modern(lambda request: said("done"), tools=[ROUTED])
    server, status, _, err = run(script, "call", "routed", json.dumps(arguments), revision=MODERN)
    assert status == 0, err
    [call] = server.of("tools/call")
    assert [call.headers.get(name) for name in ("mcp-param-region", "mcp-param-count", "mcp-param-dry-run")] == headers
    assert call.params["arguments"] == arguments
    assert not any(name.startswith("mcp-param-query") for name in call.headers)


def _tool(name, properties, **more):
    return {"name": name, "inputSchema": {"type": "object", "properties": properties, **more}}


INVALID = {
    "empty": {"a": {"type": "string", "x-mcp-header": ""}},
    "space": {"a": {"type": "string", "x-mcp-header": "My Region"}},
    "colon": {"a": {"type": "string", "x-mcp-header": "A:B"}},
    "not ascii": {"a": {"type": "string", "x-mcp-header": "R\u00e9gion"}},
    "line end": {"a": {"type": "string", "x-mcp-header": "A\r\nB"}},
    "not a text": {"a": {"type": "string", "x-mcp-header": 7}},
    "number": {"a": {"type": "number", "x-mcp-header": "A"}},
    "object": {"a": {"type": "object", "x-mcp-header": "A"}},
    "array": {"a": {"type": "array", "x-mcp-header": "A"}},
    "twice": {"a": {"type": "string", "x-mcp-header": "A"}, "b": {"type": "string", "x-mcp-header": "a"}},
    "in items": {"a": {"type": "array", "items": {"type": "string", "x-mcp-header": "A"}}},
    "in oneOf": {"a": {"oneOf": [{"type": "string", "x-mcp-header": "A"}]}},
}


def test_http_invalid_tool_headers():
    bad = [_tool(f"bad_{index}", properties) for index, properties in enumerate(INVALID.values())]
    good = [ROUTED, _tool("nested", {"o": {"type": "object", "properties": {
        "deep": {"type": "string", "x-mcp-header": "Deep"}}}})]
    script = Modern(lambda request: said("done"), tools=[*bad[:6], *good, *bad[6:]])
    server, status, out, err = run(script, "tools", "--json", "--verbose")
    assert status == 0
    assert [tool["name"] for tool in json.loads(out)["tools"]] == ["routed", "nested"]
    # Each is told, with its name.
    assert all(f'"{tool["name"]}"' in err for tool in bad), err
    server, status, _, _ = run(script, "call", "nested", '{"o":{"deep":"down"}}')
    assert status == 0 and server.of("tools/call")[0].headers["mcp-param-deep"] == "down"


def test_headers_that_do_not_fit_lead_to_another_look_at_the_tools():
    def script(request):
        if request.method == "tools/list" and len(server.of("tools/list")) == 1:
            return Modern(None, tools=[_tool("t", {"a": {"type": "string"}})])(request)
        tools = [_tool("t", {"a": {"type": "string", "x-mcp-header": "A"}})]
        return Modern(call, tools=tools)(request)

    def call(request):
        return said("done") if request.headers.get("mcp-param-a") == "x" else refused(request, -32020)

    with Scripted(script) as server:
        status, out, err = inspect(server.url, "call", "t", "a=x")
    assert (status, out) == (0, "done\n"), err
    assert len(server.of("tools/list")) == len(server.of("tools/call")) == 2


# JSON Schema


SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {"address": {"$anchor": "addressDef", "type": "object", "properties": {"street": {"type": "string"}}}},
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_json_schema_2020_12_preservation(era):
    tool = {"name": "json_schema_2020_12_tool", "inputSchema": SCHEMA}
    script = (Modern if era == "modern" else Legacy)(lambda request: None, tools=[tool])
    _, status, out, _ = run(script, "--era", era, "tools", "--json")
    assert status == 0
    [kept] = json.loads(out)["tools"]
    assert json.dumps(kept["inputSchema"]) == json.dumps(SCHEMA)


@pytest.mark.parametrize("verb", [["tools"], ["tool", "t"], ["call", "t", "a=1"], ["overview"]])
def test_json_schema_ref_no_deref(verb):
    """A reference to somewhere on the network is never followed."""
    with Scripted(lambda request: Reply({"type": "integer"})) as canary:
        schema = {
            "type": "object",
            "$schema": canary.origin + "/dialect",
            "properties": {"a": {"$ref": canary.origin + "/canary.json"}},
            "allOf": [{"$ref": canary.origin + "/more.json#/x"}],
        }
        tool = {"name": "t", "inputSchema": schema, "outputSchema": {"$ref": canary.origin + "/out.json"}}
        server, status, _, err = run(Modern(lambda request: said("done"), tools=[tool]), *verb)
        assert status == 0, err
        assert canary.requests == []


# What the suite does not ask


def test_a_refusal_that_says_nothing_of_the_era_is_told():
    for status_code in (401, 403, 500, 503):
        server, status, _, err = run(lambda request, code=status_code: Reply(status=code), "tools")
        assert status == 1 and str(status_code) in err
        assert len(server.requests) == 1


def test_a_task_is_watched_to_its_end():
    looks = []
    task = {"taskId": "t-1", "createdAt": "2026-07-28T00:00:00Z", "lastUpdatedAt": "2026-07-28T00:00:00Z", "ttlMs": None}

    def more(request):
        state = {**task, "status": "working", "pollIntervalMs": 50}
        if request.method == "tools/call":
            assert request.meta[META + "clientCapabilities"]["extensions"] == {"io.modelcontextprotocol/tasks": {}}
            return {"resultType": "task", **state}
        assert request.headers["mcp-name"] == request.params["taskId"] == "t-1"
        if request.method == "tasks/update":
            return {"resultType": "complete"}
        looks.append(request)
        if len(looks) == 2 or len(looks) > 2 and not server.of("tasks/update"):
            return {**state, "resultType": "complete", "status": "input_required", "inputRequests": {"sure": FORM}}
        if len(looks) > 2:
            return {**state, "resultType": "complete", "status": "completed", "result": said("worked")}
        return {**state, "resultType": "complete"}

    with Scripted(Modern(more)) as server:
        status, out, err = inspect(server.url, "call", "t", "--tasks", "--answer", 'sure={"ok":true}')
    assert server.failures == []
    assert (status, out) == (0, "worked\n"), err
    [update] = server.of("tasks/update")
    assert update.params["inputResponses"] == {"sure": {"action": "accept", "content": {"ok": True}}}
    assert "[task t-1] completed" in err


def test_a_task_that_nobody_wanted_is_no_result():
    _, status, _, err = run(Modern(lambda _: {"resultType": "task", "taskId": "x", "status": "working"}), "call", "t")
    assert status == 1 and "resultType" in err
