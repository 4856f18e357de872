"""Figures with their bars, as a table."""

from dataclasses import dataclass


@dataclass
class Figure:
    """One measured thing; without a bar it is only told."""

    bar: str
    what: str
    value: float
    unit: str = ""
    most: float | None = None
    least: float | None = None

    @property
    def is_good(self):
        return (self.most is None or self.value <= self.most) and (self.least is None or self.value >= self.least)

    @property
    def limit(self):
        if self.most is not None:
            return f"<= {shown(self.most)}"
        return f">= {shown(self.least)}" if self.least is not None else ""

    @property
    def verdict(self):
        if self.most is None and self.least is None:
            return ""
        return "ok" if self.is_good else "NO"


def shown(value):
    if value == int(value):
        return f"{int(value)}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def table(figures):
    rows = [("", "measured", "value", "bar", "")]
    rows += [(f.bar, f.what, f"{shown(f.value)} {f.unit}".strip(), f.limit, f.verdict) for f in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)
