"""A service on a day in the fourth quarter, with files that were registered in earlier ones."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import time_machine

from services.customer.review.standing import Standings
from tests.factories.customer import RunningCustomer

TODAY = "2026-11-24T10:00:00+08:00"
SECOND_QUARTER = "2026-05-12T10:00:00+08:00"
THIRD_QUARTER = "2026-08-11T10:00:00+08:00"
Register = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def clock() -> Any:
    """The time, which stands still but when a test moves it."""
    with time_machine.travel(TODAY, tick=False) as traveller:
        yield traveller


@pytest.fixture
def register(service: RunningCustomer, clock: Any) -> Register:
    """A file that was registered at some moment, and whose reviews are reckoned."""

    async def registered(at: str = SECOND_QUARTER, **items: Any) -> dict[str, Any]:
        clock.move_to(at)
        found = await service.register(**items)
        clock.move_to(TODAY)
        await service.run_consumers()
        return found

    return registered


def standings_of(service: RunningCustomer) -> Standings:
    """The service's own, as its jobs hold it."""
    [job] = [job for job in service.parts.jobs if job.name == "reviews_overdue"]
    found: Standings = job.due.__self__  # type: ignore[attr-defined]
    return found
