"""A server written with fastmcp, as most people write them."""

from dataclasses import dataclass

from fastmcp import FastMCP

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


if __name__ == "__main__":
    server.run(show_banner=False)
