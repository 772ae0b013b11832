"""The figures of signing in and asking, which are declared (regimes, clock `access`), as they are on a day."""

from __future__ import annotations

from datetime import datetime

from shared.clock import day_of
from shared.regime import Clock, Regimes

ACCESS = "access"


def terms_of(regimes: Regimes, now: datetime) -> Clock:
    """The clock in force."""
    return regimes.get(Clock, ACCESS, on=day_of(now))
