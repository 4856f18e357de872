# Gatehouse. SPDX-License-Identifier: MIT
"""Runs the pairings and measures what has no floor."""

import statistics
import subprocess
import time

from . import machine, pairings
from .processes import memory
from .watching import Collector, Scraper, observing
from .tools import OUTPUT, BenchError


class Measurement:
    """One run of everything that was asked for.

    Floor and gateway run beside each other all the time and are loaded in turn, so that what disturbs the machine
    disturbs both. Rows of results are gathered in `rows`.
    """

    def __init__(self, processes, options, say):
        self.processes = processes
        self.options = options
        self.say = say
        self.rows = []
        self.disturbed = 0

    def run(self):
        floors = {mode: self.processes.start_floor(mode) for mode in ("shared", "conn")}
        url, gateway = self.processes.start_gateway("calls")
        if self.wants("idle memory"):
            self.idle_memory(gateway)
        for pairing in [*pairings.calls(), *pairings.payloads()]:
            if self.wants(pairing.name):
                self.pair(pairing, floors[pairing.floor][0], url)
        if self.wants("a new session's start"):
            self.session_start(url)
        self.processes.stop(gateway)
        if self.wants("a new session's start, warm"):
            self.warm_start()
        self.translation(floors)
        for _, floor in floors.values():
            self.processes.stop(floor)
        if self.wants("memory of a session"):
            self.session_memory()
        if self.wants("beside open sessions"):
            self.growth()
        if self.wants("watched"):
            self.watched()

    def wants(self, name):
        return not self.options.only or self.options.only in name

    # Small and large calls

    def pair(self, pairing, floor_url, gateway_url):
        common = ["-c", pairing.connections, "-d", self.options.seconds, "-w", self.options.warmup, *pairing.options]
        floor, gateway = [], []
        self.say(pairing.name)
        for _ in range(self.options.rounds):
            self.settle()
            floor.append(self.processes.load(floor_url, *common))
            self.settle()
            gateway.append(self.processes.load(gateway_url, *common, *pairing.gateway_options))
        target = pairing.target or (pairings.PAYLOAD if "MiB" in pairing.name else pairings.THROUGHPUT)
        self.compare(f"{pairing.name}: calls/s", floor, gateway, "rps", target)
        if pairing.connections == 1 and "MiB" not in pairing.name and not pairing.server:
            self.compare(f"{pairing.name}: p50 latency, ms", floor, gateway, "p50_ms", pairings.LATENCY)

    def translation(self, floors):
        """Calls between the eras, through a gateway whose server is pinned to the other one."""
        for server in ("modern", "legacy"):
            wanted = [p for p in pairings.translated() if p.server == server and self.wants(p.name)]
            if not wanted:
                continue
            url, gateway = self.processes.start_gateway(f"to-{server}", server)
            for pairing in wanted:
                self.pair(pairing, floors[pairing.floor][0], url)
            self.processes.stop(gateway)

    def settle(self):
        """Waits for a quiet machine, if that was asked for."""
        if self.options.wait_quiet and not machine.wait_until_quiet(self.options.wait_quiet):
            self.disturbed += 1

    def compare(self, name, floor, gateway, figure, target):
        floors = [result[figure] for result in floor]
        gateways = [result[figure] for result in gateway]
        ratios = [ours / theirs for ours, theirs in zip(gateways, floors)]
        row = {
            "name": name,
            "floor": statistics.median(floors),
            "gateway": statistics.median(gateways),
            "least": min(ratios),
            "most": max(ratios),
            "rounds": {"floor": floors, "gateway": gateways},
        }
        row["ratio"] = row["gateway"] / row["floor"]
        self.add(row, row["ratio"], target)

    def add(self, row, value, target):
        # Without a target a figure is told and not judged.
        row["target"] = str(target) if target else ""
        row["passes"] = target.holds(value) if target else None
        self.rows.append(row)

    # A new session

    def session_start(self, url):
        """The time of `initialize`, which starts a child, over that of a bare start of the same server."""
        self.say("a new session's start")
        bare, ours = [], []
        for _ in range(self.options.rounds):
            self.settle()
            bare.append(self.processes.start_time(100))
            self.settle()
            shown = self.open_sessions(url, 100, "true")
            ours.append(float(shown.split("initialize p50")[1].split()[0]))
        extra = [mine - floor for mine, floor in zip(ours, bare)]
        row = {
            "name": "a new session's start over a bare start: p50, ms",
            "floor": statistics.median(bare),
            "gateway": statistics.median(ours),
            "least": min(extra),
            "most": max(extra),
            "difference": statistics.median(ours) - statistics.median(bare),
        }
        self.add(row, row["difference"], pairings.SESSION_START)

    def warm_start(self):
        """The time of `initialize` where a started process waits for it."""
        self.say("a new session's start, warm")
        count = 32
        url, gateway = self.processes.start_gateway("warm", server={"warm": count})
        ours = []
        for _ in range(self.options.rounds):
            # Time for the processes to be started again.
            time.sleep(1.5)
            self.settle()
            shown = self.open_sessions(url, count, "true")
            ours.append(float(shown.split("initialize p50")[1].split()[0]))
        self.processes.stop(gateway)
        value = statistics.median(ours)
        row = {"name": "a new session's start, warm: p50, ms", "gateway": value, "rounds": {"gateway": ours}}
        self.add(row, value, pairings.WARM_START)

    def open_sessions(self, url, count, hook):
        """Opens sessions one by one and runs a command while they are open; returns what the load client said."""
        shown = subprocess.run(
            [self.processes.programs["mcpload"], "--url", url, "--open", str(count), "--hook", hook],
            capture_output=True,
            text=True,
            check=False,
        )
        if f"opened={count} " not in shown.stdout or "first error" in shown.stdout:
            raise BenchError(f"{count} sessions could not be opened: {shown.stdout} {shown.stderr}")
        return shown.stdout

    # Memory

    def idle_memory(self, gateway):
        time.sleep(1)
        found = memory(gateway.pid)
        value = found["rss"] / 1024
        self.add({"name": "idle memory: RSS, MiB", "gateway": value}, value, pairings.IDLE_MEMORY)

    def session_memory(self):
        """What 500 sessions, each with its connection, add to the gateway; its children are not counted."""
        self.say("memory of a session")
        count = self.options.sessions
        url, gateway = self.processes.start_gateway("memory")
        time.sleep(1)
        before = memory(gateway.pid)
        copy = OUTPUT / "smaps_rollup"
        self.open_sessions(url, count, f"cat /proc/{gateway.pid}/smaps_rollup > {copy}")
        after = dict(line.split()[:2] for line in copy.read_text().splitlines()[1:])
        self.processes.stop(gateway)
        for kind, label in (("rss", "Rss:"), ("pss", "Pss:")):
            value = (int(after[label]) - before[kind]) / count
            name = f"memory of a session, of {count}: {kind.upper()}, KiB"
            self.add({"name": name, "gateway": value}, value, pairings.SESSION_MEMORY)

    # Growth

    def growth(self):
        """Throughput of two gateways in turn, one of which holds many open sessions."""
        count = self.options.sessions
        self.say(f"calls beside {count} open sessions")
        bare_url, bare = self.processes.start_gateway("bare")
        full_url, full = self.processes.start_gateway("full")
        opened, leave = OUTPUT / "opened", OUTPUT / "leave"
        for mark in (opened, leave):
            mark.unlink(missing_ok=True)
        hook = f"touch '{opened}'; while [ ! -e '{leave}' ] && kill -0 $PPID 2>&-; do sleep 0.2; done"
        holder = self.processes.start(
            [self.processes.programs["mcpload"], "--url", full_url, "--open", count, "--hook", hook],
            stdout=subprocess.DEVNULL,
        )
        while not opened.exists():
            if holder.poll() is not None:
                raise BenchError(f"{count} sessions could not be opened")
            time.sleep(0.1)
        common = ["-c", 64, "-d", self.options.seconds, "-w", self.options.warmup, "--session", "shared"]
        without, beside = [], []
        for _ in range(self.options.rounds):
            self.settle()
            without.append(self.processes.load(bare_url, *common))
            self.settle()
            beside.append(self.processes.load(full_url, *common))
        self.compare(f"calls/s beside {count} open sessions, over none", without, beside, "rps", pairings.UNCHANGED)
        leave.touch()
        holder.wait(60)
        for process in (holder, bare, full):
            self.processes.stop(process)

    # What watching costs

    def watched(self):
        """What it costs to see what happens: usual settings, which have a target, and everything, which is told."""
        self.watched_by("metrics, a JSON log and a tenth traced", pairings.UNCHANGED)
        self.watched_by("metrics, each call logged as JSON and traced", None, share=1, calls="debug")

    def watched_by(self, what, target, **settings):
        """Throughput of two gateways in turn, one of which is scraped, logs and traces."""
        self.say(f"calls watched by {what}")
        plain_url, plain = self.processes.start_gateway("plain", gateway={"metrics": False})
        with Collector() as collector:
            full_url, full = self.processes.start_gateway("watched", gateway=observing(collector, **settings))
            with Scraper(full_url.removesuffix("/mcp") + "/metrics"):
                for era, options in (("legacy", ["--session", "shared"]), ("modern", pairings.MODERN_CALLS)):
                    common = ["-c", 16, "-d", self.options.seconds, "-w", self.options.warmup, *options]
                    without, watched = [], []
                    for _ in range(self.options.rounds):
                        self.settle()
                        without.append(self.processes.load(plain_url, *common))
                        self.settle()
                        watched.append(self.processes.load(full_url, *common))
                    self.compare(f"{era} calls/s with {what}, over none", without, watched, "rps", target)
            for process in (plain, full):
                self.processes.stop(process)
            if not collector.received:
                raise BenchError("no trace came to the collector")
