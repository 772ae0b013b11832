"""Processes that examine filings, so that a large table never holds up the event loop. Owned by the api.

They are given no key and no connection, and a bounded memory: bytes go in, a judgement comes out (shared/aside.py).
"""

from datetime import date
from pathlib import Path

from services.reporting.submission import errors
from services.reporting.submission.filing import Examined, Examiner, Filing
from shared.aside import Aside, Full, Lost
from shared.regime import load


class Judges:
    """A bounded queue before `processes` processes."""

    def __init__(self, regimes: Path, *, processes: int, waiting: int, memory_mib: int) -> None:
        self._aside = Aside(_prepare, regimes, processes=processes, waiting=waiting, memory_mib=memory_mib)

    async def examine(self, filing: Filing, today: date) -> Examined:
        """As `Examiner.examine`, elsewhere. Raises also: TooLarge, Unavailable (judges_busy, judge_lost)"""
        try:
            return await self._aside.call(_examine, filing, today)
        except Full:
            raise errors.judges_busy() from None
        except Lost:
            raise errors.judge_lost() from None

    async def close(self) -> None:
        """End the processes; a filing that is being examined is waited for."""
        await self._aside.close()


class _Process:
    """What one judging process keeps between filings."""

    examiner: Examiner


def _prepare(regimes: Path) -> None:
    _Process.examiner = Examiner(load(regimes))


def _examine(filing: Filing, today: date) -> Examined:
    try:
        return _Process.examiner.examine(filing, today)
    except MemoryError:
        raise errors.too_large_to_judge() from None
