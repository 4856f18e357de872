"""Figures with their bars, as a table."""

from dataclasses import dataclass


@dataclass
class Figure:
    """One measured thing; without a bar it is only told."""

    bar: str
    what: str
    # None: it could not be measured, which `told` must explain.
    value: float | None
    unit: str = ""
    most: float | None = None
    least: float | None = None
    # Why a bar is not judged here, or why there is no value, in words.
    told: str | None = None

    @property
    def is_good(self):
        if self.told is not None:
            return True
        if self.value is None:
            return False
        return (self.most is None or self.value <= self.most) and (self.least is None or self.value >= self.least)

    @property
    def text(self):
        return "not measured" if self.value is None else f"{shown(self.value)} {self.unit}".strip()

    @property
    def limit(self):
        if self.most is not None and self.least is not None:
            return f"{shown(self.least)} .. {shown(self.most)}"
        if self.most is not None:
            return f"<= {shown(self.most)}"
        return f">= {shown(self.least)}" if self.least is not None else ""

    @property
    def verdict(self):
        if not self.is_good:
            return "NO"
        if self.told is not None:
            return "told"
        return "" if self.most is None and self.least is None else "ok"


def shown(value):
    if value == int(value):
        return f"{int(value)}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def table(figures):
    """The figures, and below them why some are told and not judged."""
    rows = [("", "measured", "value", "bar", "")]
    rows += [(f.bar, f.what, f.text, f.limit, f.verdict) for f in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    lines += [f"told, not judged: {f.bar}, {f.what}: {f.told}" for f in figures if f.told is not None]
    return "\n".join(lines)
