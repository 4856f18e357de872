"""A server with every feature of MCP, written with the PyPI SDK; it speaks both eras on stdio.

`everything.py` serves stdio. The SDK's HTTP server of the same thing is in `standin.py`.
"""

import anyio
from everything_data import complete, get_prompt, list_prompts, list_resources, list_templates, read_resource
from everything_tools import call_tool, input_schema, list_tools
from journal import note
from mcp.server import NotificationOptions, Server
from mcp.server.stdio import stdio_server
from mcp.server.subscriptions import ListenHandler
from mcp_types import EmptyResult
from world import world


async def subscribe(ctx, params):
    world.watched.add(params.uri)
    note("subscribe", uri=params.uri)
    return EmptyResult()


async def unsubscribe(ctx, params):
    world.watched.discard(params.uri)
    note("unsubscribe", uri=params.uri)
    return EmptyResult()


async def set_level(ctx, params):
    world.level = params.level
    note("level", level=params.level)
    return EmptyResult()


async def roots_changed(ctx, params):
    note("roots changed")


def make():
    """A server; its state is the process's."""
    return Server(
        "everything",
        version="1.0.0",
        title="Everything",
        instructions="Use it to test.",
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        get_tool_input_schema=input_schema,
        on_list_resources=list_resources,
        on_list_resource_templates=list_templates,
        on_read_resource=read_resource,
        on_subscribe_resource=subscribe,
        on_unsubscribe_resource=unsubscribe,
        on_subscriptions_listen=ListenHandler(world.bus),
        on_list_prompts=list_prompts,
        on_get_prompt=get_prompt,
        on_completion=complete,
        on_set_logging_level=set_level,
        on_roots_list_changed=roots_changed,
    )


def options(server):
    return server.create_initialization_options(
        NotificationOptions(prompts_changed=True, resources_changed=True, tools_changed=True)
    )


async def main():
    server = make()
    note("start")
    async with stdio_server() as (reader, writer):
        await server.run(reader, writer, options(server))
    note("end")


if __name__ == "__main__":
    anyio.run(main)
