"""Refusals to sign in. They tell nobody which names exist."""

from shared.errors import TooManyRequests, Unauthenticated


def refused() -> Unauthenticated:
    detail = "The name or the secret is wrong, or the account is closed."
    return Unauthenticated("sign_in_refused", detail, headers={"WWW-Authenticate": 'Bearer realm="kehu"'})


def locked(wait_s: int) -> TooManyRequests:
    detail = f"Too many failed sign-ins; try again in {wait_s} s."
    return TooManyRequests("sign_in_locked", detail, headers={"Retry-After": str(wait_s)})


def busy() -> TooManyRequests:
    detail = "Many are signing in at this moment; try again shortly."
    return TooManyRequests("sign_in_busy", detail, headers={"Retry-After": "2"})
