# Gatehouse. SPDX-License-Identifier: MIT
"""What the figures were measured on, and how quiet it was."""

import os
import platform
import subprocess
import time

# Above this load before the start, others were using the processors.
QUIET_LOAD = 0.5
# Ticks in which all processors together may do something, in a quiet half second.
QUIET_SHARE = 0.05


def describe():
    """The machine and the versions of what runs on it."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "system": system(),
        "libuv": first_line(["pkg-config", "--modversion", "libuv"]),
        "swift": first_line(["swift", "--version"]),
        "compiler": first_line(["cc", "--version"]),
        "load": os.getloadavg()[0],
    }


def processor():
    with open("/proc/cpuinfo") as text:
        for line in text:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def system():
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return platform.system()


def first_line(command):
    try:
        shown = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "?"
    lines = (shown.stdout or shown.stderr).strip().splitlines()
    return lines[0] if lines else "?"


def ticks():
    """All ticks of the processors since they started, and those in which they did nothing."""
    with open("/proc/stat") as text:
        numbers = [int(part) for part in text.readline().split()[1:9]]
    return sum(numbers), numbers[3] + numbers[4]


def wait_until_quiet(seconds):
    """Waits, at most so long, until the processors have had nothing to do for half a second.

    Returns whether they had.
    """
    end = time.monotonic() + seconds
    while True:
        all_before, idle_before = ticks()
        time.sleep(0.5)
        all_after, idle_after = ticks()
        busy = 1 - (idle_after - idle_before) / max(1, all_after - all_before)
        if busy <= QUIET_SHARE:
            return True
        if time.monotonic() >= end:
            return False
