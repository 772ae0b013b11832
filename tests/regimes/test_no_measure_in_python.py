"""Measures live in `regimes/`: no Python of the product names one, its definitions or its figures."""

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from shared.regime import GradePolicy, Report, load

ROOT = Path(__file__).parents[2]
DEFINITIONS = load(ROOT / "regimes").definitions


def names() -> set[str]:
    """Return names that no English word could be: measures, and ids of several words."""
    ids = {definition.id for definition in DEFINITIONS} | {definition.measure for definition in DEFINITIONS}
    return {name for name in ids if "-" in name}


def figures() -> Iterator[str]:
    """Yield thresholds that are too particular to stand in Python by chance."""
    for definition in DEFINITIONS:
        texts: list[str] = []
        if isinstance(definition, Report):
            texts = [rule.expression for rule in definition.rules]
        if isinstance(definition, GradePolicy):
            bands = [band.below for each in definition.indicators for band in each.bands or ()]
            texts = [str(below) for below in bands if isinstance(below, Decimal)]
        for text in texts:
            yield from re.findall(r"[0-9]{5,}", text)


@pytest.mark.parametrize("folder", ["shared", "services"])
def test_python_names_no_measure_and_no_figure_of_one(folder: str) -> None:
    wanted = re.compile("|".join(rf"(?<![\w-]){re.escape(word)}(?![\w-])" for word in {*names(), *figures()}))
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for match in wanted.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_the_search_looks_for_something() -> None:
    assert "bank-risk" in names()
    assert "5000000" in set(figures())
