"""What is derived from the secret in a browser's cookie, and which addresses one may be sent on to. Pure."""

import hashlib
import hmac
import re

_LOCAL = re.compile(r"/(?:[^/\\\x00-\x20\x7f][^\\\x00-\x20\x7f]*)?")


def mark_of(secret: str) -> bytes:
    """What a session is found by: the cookie itself is not kept, so that a copy of the table opens nothing."""
    return hashlib.sha256(secret.encode()).digest()


def form_key(secret: str) -> str:
    """What each form of this browser carries: another site can neither read nor guess it."""
    return hmac.digest(secret.encode(), b"form", "sha256").hex()


def is_own_form(secret: str, given: object) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode(), form_key(secret).encode())


def local_path(given: str | None) -> str:
    """The address to go on to, if it is one of this site; else the start page."""
    return given if given and len(given) <= 2000 and _LOCAL.fullmatch(given) else "/"
