"""Refusals about client systems."""

from collections.abc import Sequence

from shared.errors import Conflict, Fault, Forbidden, Invalid, NotFound, PreconditionFailed


def no_client() -> NotFound:
    return NotFound("not_found", "There is no such client, or it is not yours to see.")


def name_taken(name: str) -> Conflict:
    return Conflict("name_taken", f"{name} is taken, by a client or by a person. Choose another name.")


def unfit(faults: Sequence[Fault]) -> Invalid:
    return Invalid("unfit_client", "The client cannot be entered like this; correct what errors names.", faults)


def unit_out_of_reach(unit: str | None) -> Forbidden:
    return Forbidden(
        "client_out_of_reach",
        "This unit, or an app, which belongs to none, is out of your reach.",
        [Fault("/unit", "out_of_reach", unit, "a unit within your reach")],
    )


def public_client() -> Conflict:
    return Conflict("public_client", "An app cannot keep a secret, so it has none.")


def closed() -> Conflict:
    return Conflict("client_closed", "The client is closed; nothing of it can be changed.")


def changed_meanwhile(version: int) -> PreconditionFailed:
    detail = "The client was changed meanwhile; read it again."
    return PreconditionFailed("version_conflict", detail, members={"version": version})
