"""One spelling for each number and account, so that the same one is never assigned twice. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping

LONGEST = 120
_SPACING = re.compile(r"[\s\-().·/]+")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_AREA = re.compile(r"0((?:10|2[0-9]|[3-9][0-9]{2})[2-9][0-9]{6,7})")
_SERVICE = re.compile(r"[48]00[0-9]{7}")
_INTERNATIONAL = re.compile(r"\+[1-9][0-9]{6,14}")
_MAIL = re.compile(r"[^@\s]{1,64}@[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")


def _number(text: str) -> str | None:
    """E.164; numbers without a country are Chinese: mobiles, area code and number, 400 and 800."""
    digits = _SPACING.sub("", text)
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    if digits.startswith("86") and _MOBILE.fullmatch(digits[2:]):
        digits = "+" + digits
    if _MOBILE.fullmatch(digits) or _SERVICE.fullmatch(digits):
        digits = f"+86{digits}"
    elif area := _AREA.fullmatch(digits):
        digits = f"+86{area[1]}"
    return digits if _INTERNATIONAL.fullmatch(digits) else None


def _mail(text: str) -> str | None:
    lowered = text.lower()
    return lowered if _MAIL.fullmatch(lowered) else None


def _account(text: str) -> str | None:
    folded = text.casefold()
    return folded if folded.isprintable() and " " not in folded else None


_FORMS: Mapping[str, tuple[Callable[[str], str | None], str]] = {
    "phone": (_number, "a telephone number, such as +86 571 8888 0000 or 138 0000 0000"),
    "fax": (_number, "a fax number, such as +86 571 8888 0000"),
    "email": (_mail, "an address, such as sales@example.com"),
}
_ACCOUNT = (_account, "the name of an account, without blanks")


def normal(channel: str, value: str) -> str | None:
    """The one spelling of a number or account of a channel; None if it cannot be one."""
    form, _ = _FORMS.get(channel, _ACCOUNT)
    text = unicodedata.normalize("NFKC", value).strip()
    return form(text) if 0 < len(text) <= LONGEST else None


def expected(channel: str) -> str:
    """What a value of a channel looks like."""
    return _FORMS.get(channel, _ACCOUNT)[1]
