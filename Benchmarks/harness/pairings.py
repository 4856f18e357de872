# Gatehouse. SPDX-License-Identifier: MIT
"""What is compared with what."""

from dataclasses import dataclass, field

LEGACY = ["--protocol", "2025-06-18"]
MODERN = ["--protocol", "2026-07-28"]
MODERN_CALLS = [*MODERN, "--session", "none"]
MEBIBYTE = 1 << 20


@dataclass
class Pairing:
    """The same calls through the floor and through the gateway."""

    name: str
    # How the floor runs its children: one for all connections, or one for each.
    floor: str
    connections: int
    # Options of the load client for both sides, and for the gateway alone.
    options: list = field(default_factory=list)
    gateway_options: list = field(default_factory=list)
    # The era in which the gateway must speak to the server; any, if not given.
    server: str | None = None
    target: "Target | None" = None


@dataclass
class Target:
    """A bound of a figure."""

    # "min": at least; "max": at most.
    kind: str
    bound: float

    def holds(self, value):
        return value >= self.bound if self.kind == "min" else value <= self.bound

    def __str__(self):
        return f"{'≥' if self.kind == 'min' else '≤'} {self.bound:g}"


THROUGHPUT = Target("min", 0.7)
LATENCY = Target("max", 1.4)
# Where the gateway translates each call and each answer between the eras.
TRANSLATED = Target("min", 0.5)
PAYLOAD = Target("min", 0.7)
# Kibibytes for each session, mebibytes at rest.
SESSION_MEMORY = Target("max", 64)
IDLE_MEMORY = Target("max", 24)
# Milliseconds beyond a bare start; and in all, where a process is ready.
SESSION_START = Target("max", 1)
WARM_START = Target("max", 1)
# Throughput beside many open sessions over throughput without them, and the like.
UNCHANGED = Target("min", 0.95)


def calls():
    """The pairings of small calls."""
    none = ["--session", "none"]
    pairings = [
        Pairing("legacy, one session, 64 connections", "shared", 64, [*LEGACY, *none], ["--session", "shared"])
    ]
    for count in (1, 16, 64):
        name = f"legacy, a session each, {plural(count)}"
        pairings.append(Pairing(name, "conn", count, [*LEGACY, *none], ["--session", "conn"]))
    for count in (1, 16, 64):
        pairings.append(Pairing(f"modern, {plural(count)}", "shared", count, [*MODERN, *none]))
    return pairings


def translated():
    """The pairings of small calls in which client and server are of different eras."""
    none = ["--session", "none"]
    pairings = [
        Pairing(
            "legacy client, modern server, one session, 64 connections",
            "shared",
            64,
            [*LEGACY, *none],
            ["--session", "shared"],
            server="modern",
            target=TRANSLATED,
        )
    ]
    for count in (1, 16, 64):
        name = f"legacy client, modern server, a session each, {plural(count)}"
        options = [*LEGACY, *none]
        pairing = Pairing(name, "conn", count, options, ["--session", "conn"], server="modern", target=TRANSLATED)
        pairings.append(pairing)
    for count in (1, 16, 64):
        name = f"modern client, legacy server, {plural(count)}"
        pairings.append(
            Pairing(name, "shared", count, [*MODERN, *none], server="legacy", target=TRANSLATED)
        )
    return pairings


def payloads():
    """The pairings of large calls; the server copies what it gets, on both sides."""
    legacy = [*LEGACY, "--session", "none"]
    shared = ["--session", "shared"]
    big = ["--tool", "big", "--args", f'{{"bytes":{MEBIBYTE}}}']
    # A tool that looks at no argument: the text goes one way only.
    sent = ["--tool", "pid", "--payload", MEBIBYTE, "--expect", '"content"']
    return [
        Pairing("1 MiB results, 1 connection", "shared", 1, [*legacy, *big], shared),
        Pairing("1 MiB results, 4 connections", "shared", 4, [*legacy, *big], shared),
        Pairing("1 MiB arguments, 1 connection", "shared", 1, [*legacy, *sent], shared),
        Pairing("1 MiB arguments, 4 connections", "shared", 4, [*legacy, *sent], shared),
        Pairing("1 MiB arguments, modern", "shared", 4, [*MODERN, "--session", "none", *sent]),
    ]


def plural(count):
    return f"{count} connection" if count == 1 else f"{count} connections"
