"""Refusals on the way in and out, in words that a person can use."""

from shared.errors import Malformed, Unauthenticated, Unavailable


class Ended(Exception):
    """The issuer gives no more tokens for this sign-in."""


def no_session() -> Unauthenticated:
    return Unauthenticated("no_session", "Sign in first.")


def not_begun() -> Malformed:
    detail = "This sign-in was not begun in this browser, took too long, or was finished before. Begin again."
    return Malformed("sign_in_not_begun", detail)


def foreign_issuer() -> Malformed:
    return Malformed("sign_in_mixed_up", "The answer is not from the sign-in service that was asked. Begin again.")


def declined() -> Malformed:
    return Malformed("sign_in_declined", "The sign-in service did not sign you in. Begin again.")


def unproven() -> Malformed:
    detail = "What the sign-in service sent does not prove who you are, so you are not signed in. Begin again."
    return Malformed("sign_in_unproven", detail)


def unavailable() -> Unavailable:
    detail = "The sign-in service does not answer. Try again."
    return Unavailable("issuer_unavailable", detail, headers={"Retry-After": "2"})
