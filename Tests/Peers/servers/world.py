"""The state of the everything server's process."""

from mcp.server.subscriptions import InMemorySubscriptionBus

ERAS_WITHOUT_HANDSHAKE = ("2026-07-28",)


class World:
    def __init__(self):
        self.bus = InMemorySubscriptionBus()
        self.watched = set()
        self.extra_tools = []
        self.extra_prompts = []
        self.level = "debug"
        self.calls = 0
        self.visited = set()


world = World()


def is_modern(ctx):
    return ctx.protocol_version in ERAS_WITHOUT_HANDSHAKE
