"""Servers behind a URL, as their SDKs serve them.

    over_http.py [--port PORT] everything|fast http|json|sse
"""

import argparse
import asyncio
import sys

import uvicorn


def everything(kind):
    from everything import make, options

    mcp = make()
    settings = options(mcp)
    mcp.create_initialization_options = lambda *_, **__: settings
    return mcp.streamable_http_app(streamable_http_path="/mcp", retry_interval=500, json_response=kind == "json")


def fast(kind):
    from fast import server

    return server.http_app(path="/mcp", transport="sse" if kind == "sse" else "http", json_response=kind == "json")


async def serve(app, port):
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started and not task.done():
        await asyncio.sleep(0.02)
    if server.started:
        port = server.servers[0].sockets[0].getsockname()[1]
        print(f"listening on http://127.0.0.1:{port}", file=sys.stderr, flush=True)
    await task


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("what", choices=["everything", "fast"])
    parser.add_argument("kind", choices=["http", "json", "sse"])
    chosen = parser.parse_args()
    app = (everything if chosen.what == "everything" else fast)(chosen.kind)
    asyncio.run(serve(app, chosen.port))


if __name__ == "__main__":
    main()
