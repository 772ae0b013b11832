"""Every input from the clock."""

from services.reporting.submission.keys import Keys
from shared.jobs import Job


def table(keys: Keys) -> list[Job]:
    """The jobs of this service; each goes on at once while it finds something to do."""
    return [Job("rewrap_keys_due", 60, keys.rewrap_due)]
