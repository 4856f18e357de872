# Gatehouse. SPDX-License-Identifier: MIT
"""Builds what is measured and what measures it."""

import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUTPUT = ROOT / ".build" / "bench"

LIBRARIES = {"limit_relay": ["-luv", "-lhttp_parser"]}


class BenchError(Exception):
    """Something that ends the run, said to the person who started it."""


def sources():
    """The folder of the load client, the small server and the floor."""
    stated = os.environ.get("GATEHOUSE_BENCH_SOURCES")
    folder = pathlib.Path(stated) if stated else ROOT / ".." / "shared" / "bench"
    names = ["mcpload.c", "mcp_echo.c", "limit_relay.c"]
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise BenchError(
            f"{', '.join(missing)} not found in {folder}.\n"
            "Set GATEHOUSE_BENCH_SOURCES to the folder that has the load client, the small server and the floor."
        )
    return folder.resolve()


def build_tools():
    """Compiles the C programs that are older than their sources; returns where each lies."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    folder = sources()
    files = [folder / f"{name}.c" for name in ("mcpload", "mcp_echo", "limit_relay")]
    files.append(ROOT / "Benchmarks" / "start_time.c")
    programs = {}
    for source in files:
        program = OUTPUT / source.stem
        programs[source.stem] = program
        if program.exists() and program.stat().st_mtime > source.stat().st_mtime:
            continue
        command = ["cc", "-O2", "-o", program, source, *LIBRARIES.get(source.stem, [])]
        if run(command).returncode != 0:
            raise BenchError(f"{source.name} does not compile; the floor needs libuv1-dev and libhttp-parser-dev")
    return programs


def build_gateway():
    """Builds the gateway as it is shipped; returns the program."""
    if run([ROOT / "scripts" / "build-release"]).returncode != 0:
        raise BenchError("the gateway does not build")
    return ROOT / ".build" / "release" / "gatehouse"


def run(command, **options):
    """Runs a command whose talk goes to stderr: stdout is for the results."""
    try:
        return subprocess.run([str(part) for part in command], stdout=2, **options)
    except FileNotFoundError as error:
        raise BenchError(f"{command[0]} is not installed") from error
