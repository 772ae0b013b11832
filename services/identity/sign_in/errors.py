"""Refusals of signing in, for pages and for routes."""

from shared.errors import Forbidden, Malformed, NotFound, Unauthenticated


def no_session() -> Unauthenticated:
    return Unauthenticated("no_session", "Sign in first.")


def foreign_form() -> Forbidden:
    return Forbidden("foreign_form", "This form is not from this page, or it is too old. Open it again.")


def no_such_session() -> NotFound:
    return NotFound("not_found", "There is no such sign-in of yours.")


def no_person() -> Forbidden:
    challenge = 'Bearer realm="kehu", error="insufficient_scope", scope="openid"'
    detail = "The token is not of a person who signed in."
    return Forbidden("insufficient_scope", detail, headers={"WWW-Authenticate": challenge})


def bad_request(error: str) -> Malformed:
    detail = "The app that sent you here asked for something that cannot be answered. Tell those who run it."
    return Malformed("bad_authorization_request", detail, members={"error": error})
