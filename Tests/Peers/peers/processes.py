"""Finding processes by a marker in their environment, so that grandchildren in other groups are found too."""

import os
import signal
from pathlib import Path

MARKER = "GATEHOUSE_TEST_RUN"


def marked(run, server=None):
    """The ids of live processes whose environment carries this run's marker (and this server's name)."""
    wanted = [f"{MARKER}={run}".encode()]
    if server is not None:
        wanted.append(f"GATEHOUSE_TEST_SERVER={server}".encode())
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            variables = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if all(word in variables for word in wanted):
            found.append(int(entry.name))
    return sorted(found)


def is_alive(pid):
    """Whether a process runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] not in ("Z", "X")


def zombies_of(pid):
    """The dead children that a process has not collected."""
    dead = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if fields[0] == "Z" and int(fields[1]) == pid:
            dead.append(int(entry.name))
    return dead


def describe(pids):
    """The command lines of processes, for a failure that explains itself."""
    lines = []
    for pid in pids:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            words = "gone"
        lines.append(f"{pid}: {words}")
    return "; ".join(lines)


def end_all(run):
    """Kill what a failed test left behind, so that the next one starts clean."""
    for pid in marked(run):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
