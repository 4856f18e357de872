"""The SDK's own HTTP server in the gateway's place: it shows that the tests' clients ask for the right things.

It serves the everything server under every name of a configuration, in one process, so what is said about children
does not hold for it.
"""

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "servers"))

import uvicorn  # noqa: E402
from everything import make, options  # noqa: E402
from starlette.applications import Starlette  # noqa: E402
from starlette.responses import JSONResponse  # noqa: E402
from starlette.routing import Route  # noqa: E402


def main():
    document = json.loads(Path(sys.argv[1]).read_text())
    routes, managers = [], []
    for name, server in document["mcpServers"].items():
        if name == "everything":
            os.environ.update(server["env"])
        mcp = make()
        settings = options(mcp)
        mcp.create_initialization_options = lambda *_, settings=settings, **__: settings
        part = mcp.streamable_http_app(streamable_http_path=f"/mcp/{name}", retry_interval=500)
        routes += part.routes
        managers.append(mcp.session_manager)

    @contextlib.asynccontextmanager
    async def lifespan(app):
        async with contextlib.AsyncExitStack() as stack:
            for manager in managers:
                await stack.enter_async_context(manager.run())
            yield

    async def health(request):
        return JSONResponse({"status": "ok"})

    app = Starlette(routes=[*routes, Route("/healthz", health), Route("/readyz", health)], lifespan=lifespan)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", timeout_graceful_shutdown=1))

    async def serve():
        task = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        print(f"listening on http://127.0.0.1:{port}", file=sys.stderr, flush=True)
        await task

    asyncio.run(serve())


if __name__ == "__main__":
    main()
