"""Refusals about keys of partner systems."""

from collections.abc import Sequence

from shared.errors import Conflict, Fault, Invalid, NotFound


def no_key() -> NotFound:
    """There is none, told as if it were out of reach."""
    return NotFound("not_found", "There is no such record, or it is not yours to see.")


def unfit(faults: Sequence[Fault]) -> Invalid:
    return Invalid("unfit_key", "The key cannot be made like this; correct what errors names.", faults)


def not_a_partner(client: str) -> Conflict:
    return Conflict("not_a_partner", f"{client} is no partner's system; only those have keys.")


def client_closed(client: str) -> Conflict:
    return Conflict("client_closed", f"{client} is closed; nothing of it can be changed.")


def too_many(most: int) -> Conflict:
    detail = f"{most} keys of this client are alive. Revoke one, or wait until one has expired."
    return Conflict("too_many_keys", detail, members={"alive_at_most": most})


def ended() -> Conflict:
    return Conflict("key_ended", "The key has expired or was revoked; make a new one.")
