"""Loads the sample customers once in the life of a suite; a load that was cut off is finished at the next start.

The day of the first attempt is kept, since what the sample people buy depends on it and a repeated call must not
differ from the first. Called by the supervisor when all services answer.
"""

from collections.abc import Callable
from datetime import date
from typing import Final

from kehu.client import SuiteClient
from kehu.data import DataDirectory, write_private
from kehu.sample.customers import RECIPES
from kehu.sample.load import REGISTRAR, load
from shared.clock import day_of, now

_DONE: Final = "loaded"
CUSTOMERS: Final = int(RECIPES["count"])


def is_loaded(data: DataDirectory) -> bool:
    """Whether nothing is left to do."""
    return data.sample.exists() and data.sample.read_text().endswith(_DONE)


def load_once(data: DataDirectory, customer_url: str, advance: Callable[[], None]) -> None:
    """Load all of them into the running suite; `advance` is called for each customer."""
    if not data.sample.exists():
        write_private(data.sample, day_of(now()).isoformat())
    day = data.sample.read_text()
    load(customer_url, SuiteClient(data, REGISTRAR).token(), date.fromisoformat(day), advance)
    write_private(data.sample, f"{day} {_DONE}")
