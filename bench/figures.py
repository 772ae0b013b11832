"""One measured figure, its floor and its target; printing and collecting them. Used by each benchmark."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

Benchmark = Callable[[], Awaitable[list["Figure"]]]


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` in `unit` (median of several runs), beside `floor` of the same run and unit, and what is aimed at."""

    name: str
    value: float
    unit: str
    target: str
    met: bool
    floor: float | None = None
    floor_name: str = ""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """value / floor."""
        return None if not self.floor else self.value / self.floor


def median(values: Sequence[float]) -> float:
    """The middle one; what every figure quotes."""
    return statistics.median(values)


def machine() -> str:
    """What the figures were measured on."""
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory_gib:.0f} GiB, Python {platform.python_version()}, {platform.system()}"


def table(figures: Sequence[Figure]) -> str:
    """A Markdown table."""
    lines = ["| what | measured | floor in the same run | ratio | target | met |", "|---|---|---|---|---|---|"]
    for each in figures:
        floor = f"{each.floor:,.0f} {each.unit} ({each.floor_name})" if each.floor else "–"
        ratio = f"{each.ratio:.2f}" if each.ratio else "–"
        note = f" ({each.note})" if each.note else ""
        value = f"{each.value:,.0f}" if each.value >= 100 else f"{each.value:.2f}"
        met = "yes" if each.met else "**no**"
        lines.append(f"| {each.name}{note} | {value} {each.unit} | {floor} | {ratio} | {each.target} | {met} |")
    return "\n".join(lines)
