"""A server written with fastmcp, as most people write them."""

from dataclasses import dataclass

from fastmcp import Context, FastMCP
from mcp_types import ElicitRequest, ElicitRequestFormParams, InputRequiredResult

server = FastMCP("fast")


@dataclass
class Area:
    width: int
    height: int
    area: int


@server.tool
def multiply(a: int, b: int) -> int:
    """Multiplies."""
    return a * b


@server.tool
def area(width: int, height: int) -> Area:
    """The area of a rectangle."""
    return Area(width, height, width * height)


@server.resource("fast://motto")
def motto() -> str:
    return "quick"


@server.prompt
def poem(form: str) -> str:
    return f"Write a {form}."


@server.tool
async def steps(count: int, ctx: Context) -> str:
    """Reports progress and logs."""
    for step in range(1, count + 1):
        await ctx.report_progress(step, count, f"step {step}")
    await ctx.info("all steps done")
    return f"{count} steps"


@server.tool
async def greet(ctx: Context) -> str | InputRequiredResult:
    """Asks who is there: with a request in the legacy era, with a round in the modern one."""
    if ctx.request_context.protocol_version < "2026":
        answer = await ctx.elicit("Who is there?", response_type=str)
        return f"Hello, {answer.data}!" if answer.action == "accept" else "Hello, nobody!"
    answers = ctx.input_responses or {}
    if "name" in answers:
        return f"Hello, {answers['name'].content['value']}!" if answers["name"].action == "accept" else "Hello, nobody!"
    schema = {"type": "object", "properties": {"value": {"type": "string"}}, "required": ["value"]}
    params = ElicitRequestFormParams(message="Who is there?", requested_schema=schema)
    return InputRequiredResult(input_requests={"name": ElicitRequest(params=params)}, request_state="asked")


if __name__ == "__main__":
    server.run(show_banner=False)
