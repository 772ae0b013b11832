"""Every input from the clock."""

from services.customer.file.keys import Keys
from shared.jobs import Job


def table(keys: Keys) -> list[Job]:
    """The jobs of this service."""
    return [Job("rewrap_keys_due", 60, keys.rewrap_due)]
