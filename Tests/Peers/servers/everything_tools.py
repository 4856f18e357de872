"""Tools of the everything server: what each does is in its description."""

import json
import os

import anyio
from asking import TOOLS as ASKING
from everything_data import PIXEL, text_of
from journal import note
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import PromptsListChanged, ResourcesListChanged, ResourceUpdated, ToolsListChanged
from mcp_types import (
    INVALID_PARAMS,
    Annotations,
    AudioContent,
    CallToolResult,
    EmbeddedResource,
    ImageContent,
    ListToolsResult,
    ResourceLink,
    TextContent,
    Tool,
    ToolAnnotations,
)
from world import is_modern, world

SILENCE = (
    "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="
)
HANDLERS, TOOLS = dict(ASKING[0]), list(ASKING[1])


def tool(description, properties=None, required=(), **more):
    """Register a handler under its own name."""

    def register(handler):
        schema = {"type": "object", "properties": properties or {}, "required": list(required)}
        HANDLERS[handler.__name__] = handler
        TOOLS.append(Tool(name=handler.__name__, description=description, input_schema=schema, **more))
        return handler

    return register


def text(value, **more):
    return CallToolResult(content=[TextContent(text=value if isinstance(value, str) else json.dumps(value))], **more)


def input_schema(name):
    return next((known.input_schema for known in TOOLS if known.name == name), None)


async def list_tools(ctx, params):
    return ListToolsResult(tools=TOOLS + world.extra_tools)


async def call_tool(ctx, params):
    world.calls += 1
    handler = HANDLERS.get(params.name)
    if handler is None and any(params.name == extra.name for extra in world.extra_tools):
        return text(f"called {params.name}")
    if handler is None:
        raise MCPError(INVALID_PARAMS, f"Unknown tool: {params.name}")
    return await handler(ctx, params, params.arguments or {})


@tool("Gives the text back", {"text": {"type": "string"}}, ["text"], annotations=ToolAnnotations(read_only_hint=True))
async def echo(ctx, params, arguments):
    if not isinstance(arguments.get("text"), str):
        return text("text must be a string", is_error=True)
    return text(arguments["text"])


@tool("One block of each kind of content")
async def show(ctx, params, arguments):
    return CallToolResult(
        content=[
            TextContent(text="words", annotations=Annotations(audience=["user"], priority=0.5)),
            ImageContent(data=PIXEL, mime_type="image/png"),
            AudioContent(data=SILENCE, mime_type="audio/wav"),
            EmbeddedResource(resource=text_of("test://text", "embedded")),
            ResourceLink(uri="test://item/3", name="item-3", mime_type="text/plain"),
        ]
    )


@tool(
    "Adds two numbers; structured",
    {"a": {"type": "integer"}, "b": {"type": "integer"}},
    ["a", "b"],
    output_schema={"type": "object", "properties": {"sum": {"type": "integer"}}, "required": ["sum"]},
)
async def add(ctx, params, arguments):
    result = {"sum": arguments["a"] + arguments["b"]}
    return CallToolResult(content=[TextContent(text=json.dumps(result))], structured_content=result)


@tool("Reports progress in steps", {"steps": {"type": "integer"}})
async def progress(ctx, params, arguments):
    steps = arguments.get("steps", 4)
    for step in range(1, steps + 1):
        await ctx.session.report_progress(step, steps, f"step {step}")
        await anyio.sleep(0)
    return text(f"{steps} steps")


@tool("Logs one line at four levels")
async def talk(ctx, params, arguments):
    for level in ("debug", "info", "warning", "error"):
        await ctx.session.send_log_message(level, {"said": level}, "talk", related_request_id=ctx.request_id)
    return text("said it")


@tool("Waits until it is cancelled, and writes down that it was", {"tag": {"type": "string"}})
async def wait(ctx, params, arguments):
    tag = arguments.get("tag", "")
    note("wait started", tag=tag)
    await ctx.session.report_progress(1, 2, "waiting")
    try:
        await anyio.sleep_forever()
    except BaseException:
        note("wait cancelled", tag=tag)
        raise


@tool("Waits until a file exists", {"path": {"type": "string"}}, ["path"])
async def wait_for(ctx, params, arguments):
    note("wait_for started", path=arguments["path"])
    while not os.path.exists(arguments["path"]):
        await anyio.sleep(0.02)
    return text("it is there")


@tool("Fails as a tool fails")
async def fail(ctx, params, arguments):
    return text("this went wrong on purpose", is_error=True)


@tool("Fails as a protocol fails", {"code": {"type": "integer"}})
async def refuse(ctx, params, arguments):
    raise MCPError(arguments.get("code", -32603), "refused on purpose", {"why": "a test"})


@tool("The process's variables")
async def environment(ctx, params, arguments):
    return text(dict(os.environ))


@tool("Where the process is, and how often it was called")
async def whoami(ctx, params, arguments):
    return text({"pid": os.getpid(), "cwd": os.getcwd(), "calls": world.calls, "version": ctx.protocol_version})


@tool("What came as _meta")
async def meta(ctx, params, arguments):
    dumped = ctx.params.get("_meta") if ctx.params else None
    return text(json.loads(json.dumps(dumped, default=str)))


@tool("A text of a size", {"size": {"type": "integer"}}, ["size"])
async def pad(ctx, params, arguments):
    return text("x" * arguments["size"])


@tool("The length of a text", {"text": {"type": "string"}}, ["text"])
async def measure(ctx, params, arguments):
    return text(str(len(arguments["text"])))


@tool(
    "Takes arguments that are mirrored in header fields",
    {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "count": {"type": "integer", "x-mcp-header": "Count"},
        "free": {"type": "string"},
    },
)
async def routed(ctx, params, arguments):
    return text(arguments)


@tool("Adds a tool to the list and says so", {"name": {"type": "string"}}, ["name"])
async def add_tool(ctx, params, arguments):
    world.extra_tools.append(Tool(name=arguments["name"], input_schema={"type": "object"}))
    if is_modern(ctx):
        await world.bus.publish(ToolsListChanged())
    else:
        await ctx.session.send_tool_list_changed()
    return text("added")


@tool("Adds a prompt to the list and says so", {"name": {"type": "string"}}, ["name"])
async def add_prompt(ctx, params, arguments):
    world.extra_prompts.append(arguments["name"])
    if is_modern(ctx):
        await world.bus.publish(PromptsListChanged())
    else:
        await ctx.session.send_prompt_list_changed()
    return text("added")


@tool("Says that a resource has changed, and the list of them", {"uri": {"type": "string"}}, ["uri"])
async def touch(ctx, params, arguments):
    uri = arguments["uri"]
    if is_modern(ctx):
        await world.bus.publish(ResourceUpdated(uri=uri))
        await world.bus.publish(ResourcesListChanged())
    else:
        if uri in world.watched:
            await ctx.session.send_resource_updated(uri)
        await ctx.session.send_resource_list_changed()
    return text("touched")
