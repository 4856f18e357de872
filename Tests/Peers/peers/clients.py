"""The PyPI client, with every byte of its exchanges in the ledger."""

import contextlib
import json

import httpx2
import mcp_types as types
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

LEGACY = "legacy"
MODERN = "2026-07-28"


class _Copied(httpx2.AsyncByteStream):
    """A body that is written down while it is read."""

    def __init__(self, stream, exchange):
        self._stream, self._exchange = stream, exchange

    async def __aiter__(self):
        async for piece in self._stream:
            self._exchange.received(piece)
            yield piece

    async def aclose(self):
        await self._stream.aclose()


class Recording(httpx2.AsyncHTTPTransport):
    """A transport that keeps the ledger."""

    def __init__(self, ledger):
        super().__init__(trust_env=False, limits=httpx2.Limits(max_connections=None))
        self._ledger = ledger

    async def handle_async_request(self, request):
        body = await request.aread()
        exchange = self._ledger.open(request.method, request.url.path, list(request.headers.items()), body)
        response = await super().handle_async_request(request)
        exchange.answered(response.status_code, list(response.headers.items()))
        response.stream = _Copied(response.stream, exchange)
        return response


class User:
    """The human and the model behind a client: gives fixed answers and remembers the questions."""

    def __init__(self):
        self.asked = []
        self.logs = []
        self.messages = []
        self.answer = "accept"
        self.roots = ["file:///home/ada", "file:///srv/data", "file:///tmp/%C3%BC"]

    async def elicit(self, context, params):
        self.asked.append(params)
        if self.answer != "accept":
            return types.ElicitResult(action=self.answer)
        if params.mode == "url":
            return types.ElicitResult(action="accept")
        return types.ElicitResult(action="accept", content={"name": "Ada" if len(self.asked) < 2 else "Grace"})

    async def sample(self, context, params):
        self.asked.append(params)
        words = params.messages[-1].content.text
        content = types.TextContent(text=f"an answer to {words}")
        return types.CreateMessageResult(role="assistant", content=content, model="none", stop_reason="endTurn")

    async def list_roots(self, context):
        self.asked.append("roots")
        return types.ListRootsResult(roots=[types.Root(uri=uri, name=uri[-1]) for uri in self.roots])

    async def log(self, params):
        self.logs.append((params.level, params.data))

    async def message(self, message):
        self.messages.append(message)

    def heard(self, kind):
        """The notifications of a type that came."""
        return [message for message in self.messages if isinstance(message, kind)]


@contextlib.asynccontextmanager
async def connected(gateway, server, mode, ledger, user=None, log_level=None, timeout=20.0, **more):
    """A client of a gateway's server; with a `user` it declares all that a client can do."""
    if user is not None:
        more = {
            "elicitation_callback": user.elicit,
            "sampling_callback": user.sample,
            "list_roots_callback": user.list_roots,
            "logging_callback": user.log,
            "message_handler": user.message,
            **more,
        }
    timeouts = httpx2.Timeout(timeout, read=60.0)
    try:
        async with httpx2.AsyncClient(transport=Recording(ledger), timeout=timeouts) as http:
            transport = streamable_http_client(gateway.url(server), http_client=http, max_sse_event_size=None)
            client = Client(transport, mode=mode, log_level=log_level, read_timeout_seconds=timeout, cache=None, **more)
            async with client:
                yield client
    except BaseExceptionGroup as group:
        raise _only(group) from None


def _only(error):
    """The one error in groups of one, which is what a test wants to show."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def text(result):
    """The text of a result's first block."""
    return result.content[0].text


def value(result):
    """The JSON in a result's first block."""
    return json.loads(text(result))
