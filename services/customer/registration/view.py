"""Forms as answers show them. Pure: who may see what is decided before."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from services.customer.registration import rules
from services.customer.registration.rules import Form, Judged
from shared.db import Record

Clears = Callable[[Collection[str]], set[str]]
"""Those of some items that the reader may see."""

_PLAIN = (
    "id", "kind", "unit", "state", "version", "proposer", "created_by", "created_at", "updated_at", "round",
    "submitted_at", "expires_at", "customer_id",
)  # fmt: skip


def row(form: Form, named: Mapping[str, Any]) -> dict[str, Any]:
    """A form in a list; `named`: what its reader may see of what customers are listed by."""
    return {**_plain(form), "number": named.get("number"), "name": named.get("name")}


def body(
    form: Form, values: Mapping[str, Any], seen: Collection[str], withheld: Collection[str], judged: Judged | None,
    clears: Clears,
) -> dict[str, Any]:  # fmt: skip
    """A whole form, but for its rounds."""
    shown = {
        **_plain(form),
        "staff": list(form.staff),
        "values": {code: value for code, value in values.items() if code in seen},
        "withheld": sorted(withheld),
        "important": None, "staff_needed": None, "faults": [], "duplicates": [],
    }  # fmt: skip
    if judged is None:
        return shown
    faults = [each.as_dict() for each in rules.shown(judged.faults, withheld)]
    if clears(judged.decides) >= judged.decides:  # or else it would tell of values that are withheld
        shown |= {"important": judged.important, "staff_needed": judged.staff}
    else:
        faults = [each for each in faults if each["code"] != "too_few_staff"]
    return {**shown, "faults": faults, "duplicates": [likeness(each) for each in judged.likenesses]}


def likeness(each: rules.Likeness) -> dict[str, Any]:
    """A likely double."""
    known = {"id": each.id, "customer_id": each.customer_id, "name": each.name}
    return {**known, "certain": each.certain, "rules": list(each.rules)}


def round_of(found: Record, said: Mapping[str, Any], agreed: Sequence[Record], clears: Clears) -> dict[str, Any]:
    """One time that the form was handed in: who, when, what came of it, what was said."""
    plain = {
        name: found[name]
        for name in ("round", "submitted_by", "submitted_at", "expires_at", "outcome", "closed_at", "closed_by")
    }
    reasons = said.get("items", {})
    seen = clears(reasons)
    return {
        **plain,
        "reason": said.get("reason"),
        "items": {code: reason for code, reason in reasons.items() if code in seen},
        "approvals": [
            {"step": each["step"], "by": each["actor"], "at": each["at"]}
            for each in agreed
            if each["round"] == found["round"]
        ],
    }


def _plain(form: Form) -> dict[str, Any]:
    return {name: getattr(form, name) for name in _PLAIN}
