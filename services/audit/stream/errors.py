"""What reading refuses, each with its stable code."""

from shared.errors import Fault, Forbidden, Invalid, NotFound


def no_entry(index: int) -> NotFound:
    return NotFound("entry_not_found", f"The log has no entry {index}, or its content was dropped.")


def not_everywhere() -> Forbidden:
    return Forbidden("entries_need_all_units", "Entries are read across all units; your role reaches only some.")


def bad_event_id(seen: str, size: int) -> Invalid:
    fault = Fault("header:Last-Event-ID", "bad_event_id", seen[:80], f"an id that this stream sent, below {size}")
    return Invalid("bad_event_id", "The stream has no such place; start again without Last-Event-ID.", [fault])
