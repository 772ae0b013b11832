"""Every input from the clock."""

from services.console.session.service import Sessions
from shared.jobs import Job


def build(sessions: Sessions) -> list[Job]:
    return [Job("drop-ended-sessions", 60, sessions.drop_ended)]
