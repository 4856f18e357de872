"""Tools of the plain server that need input or take their time, as a server of the modern era does."""

import json

from journal import note

TASKS = "io.modelcontextprotocol/tasks"
CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
TIMES = {"createdAt": "2026-07-28T00:00:00Z", "lastUpdatedAt": "2026-07-28T00:00:00Z"}


def form(message):
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    return {"method": "elicitation/create", "params": {"mode": "form", "message": message, "requestedSchema": schema}}


def need(server, message, requests, state):
    result = {"resultType": "input_required", "inputRequests": requests, "requestState": json.dumps(state)}
    server.answer(message, result)


def params_of(message):
    return message.get("params") or {}


def always_asks(server, message, arguments):
    """Needs input whatever it is told."""
    state = json.loads(params_of(message).get("requestState", "0"))
    note("round", tag=arguments.get("text"), number=state)
    need(server, message, {"name": form(f"round {state + 1}")}, state + 1)


def always_again(server, message, arguments):
    """Wants to be called again and again, without a question."""
    state = json.loads(params_of(message).get("requestState", "0"))
    note("again", tag=arguments.get("text"), number=state)
    server.answer(message, {"resultType": "input_required", "requestState": json.dumps(state + 1)})


def one_round(server, message, arguments):
    """Needs a name, and tells what it was given."""
    params, tag = params_of(message), arguments.get("text", "")
    if "inputResponses" not in params:
        note("asked", tag=tag, id=message["id"])
        return need(server, message, {"name": form(tag)}, {"tag": tag})
    note("retried", tag=tag, id=message["id"])
    facts = {"state": params.get("requestState"), "inputs": params["inputResponses"]}
    server.say(message, f"done {tag}", _meta={"test/round": facts})


def sampling(text):
    content = {"type": "text", "text": text}
    return {
        "method": "sampling/createMessage",
        "params": {"messages": [{"role": "user", "content": content}], "maxTokens": 9},
    }


def all_kinds(server, message, arguments):
    """Needs a name, an answer of the model and the roots in one round."""
    params, tag = params_of(message), arguments.get("text", "")
    if "inputResponses" in params:
        note("retried", tag=tag)
        return server.say(message, f"done {tag}", _meta={"test/inputs": params["inputResponses"]})
    note("asked", tag=tag)
    requests = {"name": form(tag), "model": sampling(tag), "roots": {"method": "roots/list"}}
    need(server, message, requests, 1)


def malformed_round(server, message, arguments):
    """Needs input in a way that makes no sense, which is named by its text."""
    result = {"resultType": "input_required", **MALFORMED[arguments["text"]]}
    server.answer(message, result)


MALFORMED = {
    "nothing": {},
    "a list": {"inputRequests": [form("?")]},
    "a state that is no string": {"inputRequests": {"name": form("?")}, "requestState": 7},
    "an unknown question": {"inputRequests": {"x": {"method": "tools/list", "params": {}}}},
    "a question without a method": {"inputRequests": {"x": {"params": {}}}},
    "a form without a schema": {"inputRequests": {"x": {"method": "elicitation/create", "params": {"message": "?"}}}},
    "too many": {"inputRequests": {f"name {n}": form("?") for n in range(33)}},
}


def needs_capability(server, message, arguments):
    """Refuses, as a modern server does, a caller that did not declare sampling."""
    declared = params_of(message)["_meta"].get(CAPABILITIES, {})
    if "sampling" in declared:
        return server.say(message, "declared")
    server.error(message, -32021, "needs sampling", {"requiredCapabilities": {"sampling": {}}})


def asks_undeclared(server, message, arguments):
    """Asks the model whether or not that was declared."""
    if "inputResponses" in params_of(message):
        return server.say(message, "told", _meta={"test/inputs": params_of(message)["inputResponses"]})
    content = {"type": "text", "text": "?"}
    params = {"messages": [{"role": "user", "content": content}], "maxTokens": 1}
    need(server, message, {"model": {"method": "sampling/createMessage", "params": params}}, 1)


def odd_type(server, message, arguments):
    """Answers with a type of result that nobody knows."""
    server.answer(message, {"resultType": "example.com/odd", "content": []})


def hop_error(server, message, arguments):
    """Refuses what the gateway sent, with the code that it is told."""
    code = int(arguments.get("text", "-32020"))
    data = {"supported": ["2099-01-01"], "requested": "2026-07-28"} if code == -32022 else None
    server.error(message, code, "this hop is wrong", data)


def logs(server, message, arguments):
    """Logs at two levels, if the request wants any, and tells the level that was wanted."""
    level = params_of(message)["_meta"].get("io.modelcontextprotocol/logLevel")
    if level is not None:
        for said in ("info", "error"):
            server.notify("notifications/message", {"level": said, "data": f"{said} for {level}"})
    server.say(message, str(level))


def envelope(server, message, arguments):
    """Tells the `_meta` that came."""
    server.say(message, "known", _meta={"test/meta": params_of(message)["_meta"]})


def task(server, message, arguments):
    """Makes a task; what becomes of it is its text: ok, fails, breaks, asks, cancelled or working."""
    kind = arguments.get("text", "ok")
    server.tasks_made += 1
    name = f"task-{server.tasks_made}-{kind}"
    server.tasks[name] = {"kind": kind, "polls": 0, "answers": {}}
    note("task", name=name, declared=TASKS in (params_of(message)["_meta"][CAPABILITIES].get("extensions") or {}))
    state = {"taskId": name, "status": "working", "ttlMs": 60000, "pollIntervalMs": 50, **TIMES}
    server.answer(message, {"resultType": "task", **state})


def task_state(server, message, params):
    name = params.get("taskId")
    known = server.tasks.get(name)
    if known is None:
        return server.error(message, -32602, "no such task")
    known["polls"] += 1
    kind = known["kind"]
    state = {"taskId": name, "status": "working", "ttlMs": 60000, "pollIntervalMs": 50, **TIMES}
    if kind == "asks" and not known["answers"]:
        state.update(status="input_required", inputRequests={"name": form("who?")})
    elif known["polls"] >= 3:
        state.update(ENDS.get(kind, lambda known: {})(known))
    server.answer(message, state)


def completed(text, **more):
    return {"status": "completed", "result": {"content": [{"type": "text", "text": text}], **more}}


ENDS = {
    "ok": lambda known: completed("the task is done"),
    "fails": lambda known: completed("the task went wrong", isError=True),
    "breaks": lambda known: {"status": "failed", "error": {"code": -32050 + 10050, "message": "broken", "data": [1]}},
    "asks": lambda known: completed(known["answers"]["name"]["content"]["name"]),
    "cancelled": lambda known: {"status": "cancelled"},
}


def task_update(server, message, params):
    note("task updated", name=params.get("taskId"), answers=params.get("inputResponses"))
    server.tasks[params["taskId"]]["answers"].update(params.get("inputResponses") or {})
    server.answer(message, {})


def task_cancel(server, message, params):
    note("task cancelled", name=params.get("taskId"))
    server.answer(message, {})


ROUNDS = {
    function.__name__: function
    for function in (
        always_asks,
        always_again,
        one_round,
        all_kinds,
        malformed_round,
        needs_capability,
        asks_undeclared,
        odd_type,
        hop_error,
        logs,
        envelope,
        task,
    )
}
