"""Tools that ask the client: live requests in the legacy era, rounds of `input_required` in the modern one."""

import json
import os

from journal import note
from mcp.shared.exceptions import MCPError, UrlElicitationRequiredError
from mcp.shared.message import ServerMessageMetadata
from mcp_types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    CallToolResult,
    CreateMessageRequest,
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitRequestURLParams,
    ElicitResult,
    InputRequiredResult,
    ListRootsRequest,
    ListRootsResult,
    SamplingMessage,
    TextContent,
    Tool,
)
from world import is_modern, world

HANDLERS, LIST = {}, []
TOOLS = (HANDLERS, LIST)
RESULTS = {
    "elicitation/create": ElicitResult,
    "sampling/createMessage": CreateMessageResult,
    "roots/list": ListRootsResult,
}


def asking(description, **properties):
    def register(handler):
        HANDLERS[handler.__name__] = handler
        schema = {"type": "object", "properties": properties}
        LIST.append(Tool(name=handler.__name__, description=description, input_schema=schema))
        return handler

    return register


def text(value):
    return CallToolResult(content=[TextContent(text=value if isinstance(value, str) else json.dumps(value))])


def need(ctx, **wanted):
    """Refuse, as the modern era says, what the client did not declare."""
    declared = ctx.session.client_capabilities
    missing = {name: {} for name in wanted if declared is None or getattr(declared, name) is None}
    if missing and is_modern(ctx):
        raise MCPError(MISSING_REQUIRED_CLIENT_CAPABILITY, "the client cannot", {"requiredCapabilities": missing})


async def ask(ctx, params, state, **requests):
    """The answers by key, or the round to return."""
    if not is_modern(ctx):
        answers = {}
        for key, request in requests.items():
            related = ServerMessageMetadata(related_request_id=ctx.request_id)
            answers[key] = await ctx.session.send_request(request, RESULTS[request.method], metadata=related)
        return answers
    answers = params.input_responses or {}
    if all(key in answers for key in requests):
        note("answered", state=params.request_state)
        return answers
    return InputRequiredResult(input_requests=requests, request_state=json.dumps({**state, "pid": os.getpid()}))


def form(message, **properties):
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))


def sampling(prompt):
    messages = [SamplingMessage(role="user", content=TextContent(text=prompt))]
    return CreateMessageRequest(params=CreateMessageRequestParams(messages=messages, max_tokens=100))


@asking("Asks with a form", question={"type": "string"})
async def ask_form(ctx, params, arguments):
    if not getattr(params, "input_responses", None):
        note("ask_form", question=arguments.get("question", ""))
    need(ctx, elicitation=True)
    answers = await ask(ctx, params, {"step": 1}, name=form(arguments.get("question", "Who?"), name={"type": "string"}))
    if isinstance(answers, InputRequiredResult):
        return answers
    answer = answers["name"]
    return text({"action": answer.action, "content": answer.content, "pid": os.getpid()})


@asking("Sends the user to a page")
async def ask_url(ctx, params, arguments):
    need(ctx, elicitation=True)
    address = {"mode": "url", "message": "Please sign in", "url": "https://example.com/sign-in"}
    if not is_modern(ctx):
        address["elicitation_id"] = "sign-in-1"
    answers = await ask(ctx, params, {"step": 1}, page=ElicitRequest(params=ElicitRequestURLParams(**address)))
    if isinstance(answers, InputRequiredResult):
        return answers
    if not is_modern(ctx):
        await ctx.session.send_elicit_complete("sign-in-1", related_request_id=ctx.request_id)
    return text({"action": answers["page"].action})


@asking("Says that a page must be visited before the first call with a tag (2025-11-25)", tag={"type": "string"})
async def need_url(ctx, params, arguments):
    tag = arguments.get("tag", "")
    note("need_url", tag=tag)
    if tag in world.visited:
        return text("visited")
    world.visited.add(tag)
    raise UrlElicitationRequiredError(
        [ElicitRequestURLParams(message="Sign in", url="https://example.com/x", elicitation_id="need-1")]
    )


@asking("Asks the client's model", prompt={"type": "string"})
async def sample(ctx, params, arguments):
    need(ctx, sampling=True)
    answers = await ask(ctx, params, {"step": 1}, model=sampling(arguments.get("prompt", "Hello?")))
    if isinstance(answers, InputRequiredResult):
        return answers
    return text(f"model said: {answers['model'].content.text}")


@asking("Asks for the client's roots")
async def roots(ctx, params, arguments):
    need(ctx, roots=True)
    answers = await ask(ctx, params, {"step": 1}, roots=ListRootsRequest())
    if isinstance(answers, InputRequiredResult):
        return answers
    return text([str(root.uri) for root in answers["roots"].roots])


@asking("Asks three things at once")
async def ask_all(ctx, params, arguments):
    need(ctx, elicitation=True, sampling=True, roots=True)
    answers = await ask(
        ctx,
        params,
        {"step": 1},
        name=form("Who?", name={"type": "string"}),
        model=sampling("Hello?"),
        roots=ListRootsRequest(),
    )
    if isinstance(answers, InputRequiredResult):
        return answers
    return text([answers["name"].content["name"], answers["model"].content.text, len(answers["roots"].roots)])


@asking("Asks twice, one after the other")
async def ask_twice(ctx, params, arguments):
    need(ctx, elicitation=True)
    first = json.loads(params.request_state)["first"] if _is_second(params) else None
    if first is None:
        answers = await ask(ctx, params, {"step": 1}, first=form("First?", name={"type": "string"}))
        if isinstance(answers, InputRequiredResult):
            return answers
        first = answers["first"].content["name"]
    second = form(f"Second, after {first}?", name={"type": "string"})
    answers = await ask(ctx, params, {"step": 2, "first": first}, second=second)
    if isinstance(answers, InputRequiredResult):
        return answers
    return text(f"{first} and {answers['second'].content['name']}")


def _is_second(params):
    state = getattr(params, "request_state", None)
    return bool(state) and json.loads(state).get("step") == 2
