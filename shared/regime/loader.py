"""Loading of all declared measures. Every service calls `load` once, when it starts, and passes `Regimes` down."""

from collections.abc import Sequence
from pathlib import Path

from shared.regime.check import check
from shared.regime.reading import Problem, read
from shared.regime.regimes import Regimes


class BrokenRegimes(Exception):
    """Definitions that do not hold; a service does not start on them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(["the declared measures do not hold:", *map(str, problems)]))


def load(root: Path) -> Regimes:
    """Read and check every definition below a folder.

    Raises: BrokenRegimes with all problems, each with file, line and hint
    """
    regimes, problems = inspect(root)
    if problems:
        raise BrokenRegimes(problems)
    return regimes


def inspect(root: Path) -> tuple[Regimes, tuple[Problem, ...]]:
    """Return what could be read and everything that is wrong; for commands that report rather than start."""
    reading = read(root)
    regimes = Regimes(source.definition for source in reading.sources)
    return regimes, check(reading, regimes)
