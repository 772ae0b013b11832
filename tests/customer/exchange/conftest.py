"""The processes beside are started once for all tests of the same measures: they keep one file at a time."""

import asyncio
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from shared.aside import Aside
from tests.factories.customer import REGIMES


class _Lasting(Aside):
    """One that outlives the services that it works for."""

    async def close(self) -> None:
        """Not yet."""


@cache
def _lasting(*given: Any, **bounds: Any) -> Aside:
    return _Lasting(*given, **bounds)


@pytest.fixture(scope="session", autouse=True)
def processes_beside_last() -> Iterator[None]:
    made: list[Aside] = []

    def aside(*given: Any, **bounds: Any) -> Aside:
        if given[1:] not in ((), (REGIMES,)):
            return Aside(*given, **bounds)
        found = _lasting(*given, **bounds)
        made.append(found)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.customer.app.Aside", aside)
        yield
    for each in set(made):
        asyncio.run(Aside.close(each))
