"""Pure rules of relations: what can be, and what is wrong with what somebody asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from shared.errors import Fault
from shared.regime import WHOLE, BadValue, Codelist, FieldType, Party, Relation, Text, ValueField, read_value

_NAMED = Text(zh="名称", en="Name")
_FIELDS = {
    "name": ValueField(code="name", label=_NAMED, type=FieldType.TEXT, max_length=200),
    "certificate_type": ValueField(code="certificate_type", label=_NAMED, type=FieldType.CODE, max_length=40),
    "certificate_number": ValueField(code="certificate_number", label=_NAMED, type=FieldType.CODE, max_length=60),
}
_EXPECTED: Mapping[str, Callable[[Relation], str]] = {
    "party_not_allowed": lambda kind: f"one of {', '.join(kind.outside) or 'the customers'}",
    "share_required": lambda _: "a share in percent",
    "share_not_kept": lambda _: "no share",
    "bad_share": lambda _: f"above 0 and at most {WHOLE}",
}


@dataclass(frozen=True, slots=True)
class Outside:
    """Somebody who is no customer, as given; the number may be missing."""

    party: Party
    name: str
    certificate_type: str | None = None
    certificate_number: str | None = None

    def kept(self) -> dict[str, Any]:
        """What is sealed of them."""
        given = {name: getattr(self, name) for name in _FIELDS}
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Wish:
    """A relation as somebody wants it: the other side is a customer or somebody outside."""

    kind: str
    other: UUID | None
    outside: Outside | None
    share: Decimal | None
    since: date | None


def faults(kind: Relation, certificates: Codelist, wish: Wish, today: date) -> Iterator[Fault]:
    """Everything that is wrong with a wish, but for what other relations say."""
    if (wish.other is None) is (wish.outside is None):
        yield Fault("/party", "one_other_side", None, "a customer_id or a party, not both")
    refused = kind.refuses(wish.outside.party if wish.outside else None, wish.share)
    if refused is not None:
        place = "/party/type" if refused == "party_not_allowed" else "/share"
        seen = str(wish.share) if wish.share is not None and place == "/share" else None
        yield Fault(place, refused, seen, _EXPECTED[refused](kind))
    if wish.since is not None and wish.since > today:
        yield Fault("/since", "in_the_future", wish.since.isoformat(), f"not after {today}")
    if wish.outside is not None:
        yield from _party_faults(kind, certificates, wish.outside, today)


def _party_faults(kind: Relation, certificates: Codelist, outside: Outside, today: date) -> Iterator[Fault]:
    if (outside.certificate_type is None) is not (outside.certificate_number is None):
        yield Fault("/party/certificate_number", "half_a_certificate", None, "type and number, or neither")
    for name, value in outside.kept().items():
        codes = certificates.codes if name == "certificate_type" else None
        field = _FIELDS[name]
        if name == "certificate_number":
            field = field.model_copy(update={"check": kind.checks.get(outside.certificate_type or "")})
        try:
            read_value(field, value, codes, on=today)
        except BadValue as bad:
            yield Fault(f"/party/{name}", bad.code, bad.seen, bad.expected)


def end_faults(since: date | None, ended_on: date, today: date) -> Iterator[Fault]:
    """A last day that has not come, or lies before the first."""
    if ended_on > today:
        yield Fault("/ended_on", "in_the_future", ended_on.isoformat(), f"not after {today}")
    if since is not None and ended_on < since:
        yield Fault("/ended_on", "ends_before_it_starts", ended_on.isoformat(), f"not before {since}")


def label(kind: Relation | None, *, from_other_side: bool) -> dict[str, str] | None:
    """What the other side is to whoever looks; None if the kind is not declared any more."""
    if kind is None:
        return None
    text = kind.inverse if from_other_side and kind.inverse is not None else kind.title
    return {"zh": text.zh, "en": text.en}


def other_side(row: Mapping[str, Any] | Any, customer_id: UUID) -> UUID | None:
    """The customer on the other side of a stored relation; None if that is no customer."""
    side: UUID | None = row["other_id"] if row["customer_id"] == customer_id else row["customer_id"]
    return side
