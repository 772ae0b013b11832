"""What the log refuses, each with its stable code."""

from shared.errors import Fault, Invalid, NotFound


class Contradiction(Exception):
    """The log holds another event under this event's id, or under its source, subject and sequence: never both."""


def no_entry(index: int) -> NotFound:
    return NotFound("entry_not_found", f"The log has no entry {index}.")


def no_tile(address: str) -> NotFound:
    return NotFound("tile_not_found", f"The tree has not grown as far as {address[:80]}, or this is no tile address.")


def no_checkpoint() -> NotFound:
    return NotFound(
        "no_checkpoint", "The log has not published a checkpoint yet; it does so when its first entry comes."
    )


def size_out_of_range(name: str, seen: int, least: int, most: int) -> Invalid:
    return Invalid(
        "size_out_of_range",
        "There is no such proof: the tree never had this size, or does not have it yet.",
        [Fault(f"query:{name}", "size_out_of_range", seen, f"{least}..{most}")],
    )
