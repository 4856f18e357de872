# Gatehouse. SPDX-License-Identifier: MIT
"""Writes what was measured: a table for people, JSON for programs."""

import json

from . import machine
from .tools import OUTPUT

HEADER = "| what | floor | gateway | ratio | of the rounds | target | |\n|---|--:|--:|--:|--:|--:|---|"


def table(measured):
    lines = [HEADER]
    for row in measured["rows"]:
        compared = row.get("ratio", row.get("difference"))
        sign = "+" if "difference" in row else ""
        span = f"{number(row['least'])} … {number(row['most'])}" if "least" in row else ""
        cells = [
            row["name"],
            number(row["floor"]) if "floor" in row else "",
            number(row["gateway"]),
            f"{sign}{number(compared)}" if compared is not None else "",
            span,
            row["target"],
            {True: "passes", False: "**misses**", None: ""}[row["passes"]],
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def number(value):
    if abs(value) >= 100:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"


def heading(measured):
    found = measured["machine"]
    options = measured["options"]
    lines = [
        f"{found['processor']}, {found['cores']} cores; {found['system']}, Linux {found['kernel']}; load before the "
        f"start {found['load']:.2f}",
        f"{found['swift']}; libuv {found['libuv']}; {found['compiler']}",
        f"{options['rounds']} rounds of {options['seconds']:g} s after {options['warmup']:g} s of warm-up, floor and "
        "gateway in turn",
    ]
    if found["load"] > machine.QUIET_LOAD:
        lines.append("WARNING: others were using the processors; the figures are not to be trusted")
    if measured["disturbed"]:
        lines.append(f"WARNING: {measured['disturbed']} measurements began while others used the processors")
    return "\n".join(lines)


def write(measured):
    """Prints the table; returns whether every target was met."""
    (OUTPUT / "result.json").write_text(json.dumps(measured, indent=2) + "\n")
    print(heading(measured), table(measured), sep="\n\n", flush=True)
    judged = [row["passes"] for row in measured["rows"] if row["passes"] is not None]
    missed, total = judged.count(False), len(judged)
    print(f"\n{total - missed} of {total} targets are met.")
    return missed == 0
