"""The jobs of exchange in a process of their own, which may be told to die at a crash point: see test_crash.py.

`python -m tests.fakes.exchanger DSN ISSUER REGIMES JOB`: takes steps until there are none left.
"""

import asyncio
import sys
from pathlib import Path

from services.customer.app import compose
from tests.factories.customer import settings_of


async def live(dsn: str, issuer: str, regimes: str, name: str) -> None:
    """All steps that are due."""
    parts = compose(settings_of(dsn, issuer=issuer, regimes_path=Path(regimes)))
    await parts.database.start()
    job = next(each for each in parts.jobs if each.name == name)
    while await job.once(parts.database):
        pass
    for stop in parts.on_stop:
        await stop()
    await parts.database.close()


if __name__ == "__main__":
    asyncio.run(live(*sys.argv[1:]))
