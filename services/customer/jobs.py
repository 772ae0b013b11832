"""Every input from the clock."""

from services.customer.file.keys import Keys
from services.customer.grading.service import Grading
from shared.jobs import Job


def table(keys: Keys, grading: Grading) -> list[Job]:
    """The jobs of this service; each goes on at once while it finds something to do."""
    return [Job("rewrap_keys_due", 60, keys.rewrap_due), Job("grades_due", 60, grading.round_due)]
