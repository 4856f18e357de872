"""Waiting for a condition, with an end. Tests wait for what they need and never for a time."""

import time

import anyio

STEP = 0.02


def until(condition, what, timeout=10.0):
    """Return the first true value of `condition()`; fail with `what` when there is none in time."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout} s: {what}")
        time.sleep(STEP)


async def until_async(condition, what, timeout=10.0):
    """The same inside an event loop: other tasks run while it waits."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout} s: {what}")
        await anyio.sleep(STEP)
