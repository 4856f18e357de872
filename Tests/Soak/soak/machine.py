"""What the system says about processes: memory, descriptors, zombies, time on a processor."""

import os
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def memory(pid):
    """Resident bytes of a process, and those of them that are no file's and nobody else's: what it took for itself."""
    found = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name in ("Rss", "Anonymous"):
            found[name] = int(rest.split()[0]) * 1024
    return found["Rss"], found["Anonymous"]


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def processor_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def parents():
    """The parent and state of every process: pid -> (parent, state)."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            fields = Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        found[int(entry)] = (int(fields[1]), fields[0])
    return found


def children_of(pid):
    """The live children of a process, in order of their ids."""
    return sorted(child for child, (parent, state) in parents().items() if parent == pid and state not in "ZX")


def cores():
    """How many processors there are for all that runs here."""
    return len(os.sched_getaffinity(0))


def description():
    """The machine, in a line."""
    model, total = "unknown processor", 0
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemTotal"):
            total = int(line.split()[1]) // 1024
    return f"{cores()} x {model}, {total} MiB, Linux {os.uname().release}, load {os.getloadavg()[0]:.1f}"


class Processor:
    """The share of one processor that a process used since this was made."""

    def __init__(self, pid):
        self.pid, self.used, self.time = pid, processor_seconds(pid), time.monotonic()

    @property
    def share(self):
        return (processor_seconds(self.pid) - self.used) / (time.monotonic() - self.time)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
