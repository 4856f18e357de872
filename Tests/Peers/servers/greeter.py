"""One small server twice, written as the documentation of each SDK says, over any transport.

    greeter.py --sdk mcp|fastmcp [--over stdio|http|sse] [--port PORT]

Over HTTP it says on stderr where it listens.
"""

import argparse
import asyncio


def with_mcp():
    from typing import Annotated

    from mcp.server.mcpserver import AcceptedElicitation, Context, Elicit, ElicitationResult, MCPServer, Resolve
    from mcp.server.mcpserver.exceptions import ToolError
    from pydantic import BaseModel

    server = MCPServer("greeter")

    class Visitor(BaseModel):
        value: str

    async def who() -> Elicit[Visitor]:
        return Elicit("Who is there?", Visitor)

    @server.tool()
    def multiply(a: int, b: int) -> int:
        """Multiplies."""
        return a * b

    @server.tool()
    async def steps(count: int, ctx: Context) -> str:
        """Reports progress."""
        for step in range(1, count + 1):
            await ctx.report_progress(step, count, f"step {step}")
        return f"{count} steps"

    @server.tool()
    async def greet(visitor: Annotated[ElicitationResult[Visitor], Resolve(who)]) -> str:
        """Asks who is there."""
        return f"Hello, {visitor.data.value}!" if isinstance(visitor, AcceptedElicitation) else "Hello, nobody!"

    @server.tool()
    def fail() -> str:
        """Fails."""
        raise ToolError("the widget is broken")

    @server.resource("greeter://motto")
    def motto() -> str:
        return "quick"

    apps = {
        "http": lambda: server.streamable_http_app(streamable_http_path="/mcp"),
        "sse": lambda: server.sse_app(sse_path="/sse"),
    }
    return server, apps


def with_fastmcp():
    from fastmcp import Context, FastMCP
    from mcp_types import ElicitRequest, ElicitRequestFormParams, InputRequiredResult

    server = FastMCP("greeter")

    @server.tool
    def multiply(a: int, b: int) -> int:
        """Multiplies."""
        return a * b

    @server.tool
    async def steps(count: int, ctx: Context) -> str:
        """Reports progress."""
        for step in range(1, count + 1):
            await ctx.report_progress(step, count, f"step {step}")
        return f"{count} steps"

    @server.tool
    async def greet(ctx: Context) -> str | InputRequiredResult:
        """Asks who is there: with a request in the legacy era, with a round in the modern one."""
        if ctx.request_context.protocol_version < "2026":
            answer = await ctx.elicit("Who is there?", response_type=str)
            return f"Hello, {answer.data}!" if answer.action == "accept" else "Hello, nobody!"
        answer = (ctx.input_responses or {}).get("name")
        if answer is not None:
            return f"Hello, {answer.content['value']}!" if answer.action == "accept" else "Hello, nobody!"
        schema = {"type": "object", "properties": {"value": {"type": "string"}}, "required": ["value"]}
        params = ElicitRequestFormParams(message="Who is there?", requested_schema=schema)
        return InputRequiredResult(input_requests={"name": ElicitRequest(params=params)}, request_state="asked")

    @server.tool
    def fail() -> str:
        """Fails."""
        raise ValueError("the widget is broken")

    @server.resource("greeter://motto")
    def motto() -> str:
        return "quick"

    apps = {
        "http": lambda: server.http_app(path="/mcp", transport="http"),
        "sse": lambda: server.http_app(path="/sse", transport="sse"),
    }
    return server, apps


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sdk", choices=["mcp", "fastmcp"], required=True)
    parser.add_argument("--over", choices=["stdio", "http", "sse"], default="stdio")
    parser.add_argument("--port", type=int, default=0)
    chosen = parser.parse_args()
    server, apps = with_mcp() if chosen.sdk == "mcp" else with_fastmcp()
    if chosen.over == "stdio":
        server.run("stdio")
    else:
        from over_http import serve

        asyncio.run(serve(apps[chosen.over](), chosen.port))


if __name__ == "__main__":
    main()
