"""Every input from the bus."""

from shared.inbox import Consumer
from shared.process import Parts


def table(parts: Parts) -> list[Consumer]:
    """The consumers of this service."""
    return []
