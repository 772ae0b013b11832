"""Refusals about credentials. None of them tells which names exist."""

from collections.abc import Sequence

from shared.errors import Conflict, Fault, Forbidden, Invalid, NotFound, TooManyRequests, Unauthenticated


def refused() -> Unauthenticated:
    detail = "The name or the secret is wrong, or the account is closed."
    return Unauthenticated("sign_in_refused", detail, headers={"WWW-Authenticate": 'Bearer realm="kehu"'})


def locked(wait_s: int) -> TooManyRequests:
    detail = f"Too many failed sign-ins; try again in {wait_s} s."
    return TooManyRequests("sign_in_locked", detail, headers={"Retry-After": str(wait_s)})


def busy() -> TooManyRequests:
    detail = "Many are signing in at this moment; try again shortly."
    return TooManyRequests("sign_in_busy", detail, headers={"Retry-After": "2"})


def unfit_password(faults: Sequence[Fault]) -> Invalid:
    return Invalid("unfit_password", "The new password does not meet the rules named in errors.", faults)


def not_theirs() -> Invalid:
    fault = Fault("/password", "wrong_password", None, "the present password")
    return Invalid("wrong_password", "The present password is not right; nothing was changed.", [fault])


def no_account() -> NotFound:
    return NotFound("not_found", "There is no such account, or it is not yours to see.")


def own_account() -> Forbidden:
    return Forbidden("own_account", "Somebody else has to do this for you.")


def account_above_clearance(level: str) -> Forbidden:
    fault = Fault("", "above_clearance", level, "a person whose roles clear no more than yours")
    detail = (
        "The person's roles clear more than you may read. While they keep a second factor they can be invited; "
        "else whoever gives such roles has to take them away until there is a new password."
    )
    return Forbidden("account_above_clearance", detail, [fault])


def no_invitation() -> NotFound:
    return NotFound("no_invitation", "This invitation was used, replaced, or has expired. Ask for a new one.")


def wrong_code() -> Invalid:
    fault = Fault("/code", "wrong_code", None, "the code that the authenticator shows now")
    return Invalid("wrong_code", "The code is not right, or was used before.", [fault])


def factor_stands() -> Conflict:
    return Conflict("second_factor_stands", "A second factor is in force already; switch it off first.")


def no_factor() -> Conflict:
    return Conflict("no_second_factor", "There is no second factor to act upon; begin with a new one.")


def passwords_differ() -> Invalid:
    fault = Fault("/again", "passwords_differ", None, "the same password twice")
    return Invalid("passwords_differ", "The two new passwords are not the same.", [fault])
