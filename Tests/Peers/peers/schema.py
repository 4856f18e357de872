"""The judge: does a message of the gateway validate against the official schema of its revision?"""

import functools
import json
from pathlib import Path

from jsonschema import Draft7Validator, Draft202012Validator

FOLDER = Path(__file__).resolve().parents[2] / "Vectors" / "mcp-schema"

MODERN = "2026-07-28"
LEGACY = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
REVISIONS = (*LEGACY, MODERN)

# In these a JSON-RPC error without an id has no valid form, so a missing or null id is let pass.
WITHOUT_IDLESS_ERRORS = LEGACY[:3]

RESULTS = {
    "initialize": "InitializeResult",
    "server/discover": "DiscoverResult",
    "tools/list": "ListToolsResult",
    "tools/call": "CallToolResult",
    "resources/list": "ListResourcesResult",
    "resources/templates/list": "ListResourceTemplatesResult",
    "resources/read": "ReadResourceResult",
    "prompts/list": "ListPromptsResult",
    "prompts/get": "GetPromptResult",
    "completion/complete": "CompleteResult",
    "subscriptions/listen": "SubscriptionsListenResult",
}

# What a task must have; the extension's schema is not part of the revision's.
TASK = ("taskId", "status", "createdAt", "lastUpdatedAt", "ttlMs")

MODERN_ERRORS = {
    -32020: "HeaderMismatchError",
    -32021: "MissingRequiredClientCapabilityError",
    -32022: "UnsupportedProtocolVersionError",
}


@functools.cache
def _definitions(revision):
    document = json.loads((FOLDER / f"{revision}.json").read_text())
    key = "$defs" if "$defs" in document else "definitions"
    return document, key


@functools.cache
def _validator(revision, name):
    document, key = _definitions(revision)
    kind = Draft202012Validator if key == "$defs" else Draft7Validator
    return kind({**{k: v for k, v in document.items() if k != "anyOf"}, "$ref": f"#/{key}/{name}"})


@functools.cache
def _by_method(revision):
    document, key = _definitions(revision)
    names = {}
    for name, definition in document[key].items():
        method = definition.get("properties", {}).get("method", {}).get("const")
        if method is not None and name.endswith(("Request", "Notification")):
            names[method] = name
    return names


def has(revision, name):
    """Whether a revision defines a type of this name."""
    document, key = _definitions(revision)
    return name in document[key]


def problems(revision, name, value):
    """What is wrong with a value that should be of a type, in words; empty when it is right."""
    return [
        f"{name} of {revision} at /{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
        for error in _validator(revision, name).iter_errors(value)
    ]


def _error_problems(revision, message):
    envelope = "JSONRPCErrorResponse" if has(revision, "JSONRPCErrorResponse") else "JSONRPCError"
    if revision in WITHOUT_IDLESS_ERRORS and message.get("id") is None:
        message = {**message, "id": "no-id-could-be-read"}
    found = problems(revision, envelope, message)
    code = message["error"].get("code") if isinstance(message["error"], dict) else None
    if revision == MODERN and code in MODERN_ERRORS:
        found += problems(revision, MODERN_ERRORS[code], message)
    if revision == MODERN and code in (-32002, -32042):
        found.append(f"error code {code} must not be sent in {MODERN}")
    return found


def _result_problems(revision, message, method):
    envelope = "JSONRPCResultResponse" if has(revision, "JSONRPCResultResponse") else "JSONRPCResponse"
    found = problems(revision, envelope, message)
    result = message["result"]
    if not isinstance(result, dict):
        return found
    if revision == MODERN and result.get("resultType") == "input_required":
        found += problems(revision, "InputRequiredResult", result)
        if "inputRequests" not in result and "requestState" not in result:
            found.append("input_required without inputRequests and requestState")
        if method not in ("tools/call", "prompts/get", "resources/read"):
            found.append(f"input_required on {method}")
    elif revision == MODERN and method == "tools/call" and result.get("resultType") == "task":
        found += [f"a task without {key}" for key in TASK if key not in result]
    elif method is None:
        found.append(f"a result for an id that was never asked: {message.get('id')!r}")
    else:
        found += problems(revision, RESULTS.get(method, "EmptyResult"), result)
    if revision != MODERN:
        found += [
            f"{key} does not exist in {revision}" for key in ("resultType", "ttlMs", "cacheScope") if key in result
        ]
    return found


def message_problems(revision, message, method=None):
    """What is wrong with one message that the gateway sent; `method` is what a result answers."""
    if isinstance(message, list):
        if revision != "2025-03-26":
            return [f"a batch in {revision}"]
        return [line for item in message for line in message_problems(revision, item, method)]
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        return [f"not a JSON-RPC message: {json.dumps(message)[:200]}"]
    if "method" in message:
        name = _by_method(revision).get(message["method"])
        if "id" in message and revision == MODERN:
            return [f"the gateway sent a request in {MODERN}: {message['method']}"]
        if name is None:
            name = "JSONRPCRequest" if "id" in message else "JSONRPCNotification"
        return problems(revision, name, message)
    if "error" in message:
        return _error_problems(revision, message)
    if "result" in message:
        return _result_problems(revision, message, method)
    return [f"neither a request nor an answer: {json.dumps(message)[:200]}"]
