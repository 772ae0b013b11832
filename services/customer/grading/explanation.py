"""A stored check as people read it: every indicator with value, weight, points and words, in Chinese and English.

Values of indicators obey the clearance of the items behind them; a total is as secret as the most secret system item
that is computed from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from services.customer.dealings.rules import Formulas
from services.customer.grading.rules import Policy
from shared.auth import Principal
from shared.db import Record
from shared.regime import Catalogue, Indicator, Missing, Secrecy

READ = "customer.grade.read"
_ABSENT = {
    Missing.ZERO: ("无数据，按 0 分计，权重 {weight}", "no data, counts as 0 points, weight {weight}"),
    Missing.SKIP_AND_REWEIGH: ("无数据，不计入总分", "no data, left out of the score"),
    Missing.UNKNOWN: ("无数据，因此无法评级", "no data, so there is no grade"),
}
_PRESENT = ("{value}，{points} 分，权重 {weight}", "{value}, {points} points, weight {weight}")
_WITHHELD = ("（不公开），{points} 分，权重 {weight}", "(withheld), {points} points, weight {weight}")


class Explainer:
    """Explains the checks of one policy to readers."""

    def __init__(self, policy: Policy, formulas: Formulas) -> None:
        self._policy = policy
        self._indicators: Mapping[str, Indicator] = {each.id: each for each in policy.declared.indicators}
        self._levels = _levels(policy.catalogue, formulas)

    def items_of(self, indicator: str) -> set[str]:
        """The items that an indicator shows something of; for a total, the system items computed from it."""
        return {code for name in self._policy.reads(indicator) for code in self._levels.get(name, {})}

    def clears(self, who: Principal, indicator: str) -> bool:
        """Whether a reader may see the value of an indicator."""
        levels = [level for name in self._policy.reads(indicator) for level in self._levels.get(name, {}).values()]
        return all(who.clears(READ, level) for level in levels or [Secrecy.INTERNAL])

    def explain(self, who: Principal, row: Record) -> tuple[dict[str, Any], set[str]]:
        """The check in `row` as an answer's members, and the items whose values it shows."""
        shown: set[str] = set()
        views = []
        for each in row["indicators"]:
            cleared = self.clears(who, each["id"])
            if cleared and each["value"] is not None:
                shown |= self.items_of(each["id"])
            views.append(self._view(each, cleared))
        return {**_head(row), **self._words(row), "indicators": views}, shown

    def _view(self, each: Mapping[str, Any], cleared: bool) -> dict[str, Any]:
        declared = self._indicators[each["id"]]
        withheld = not cleared and each["value"] is not None
        forms = _ABSENT[declared.missing] if each["value"] is None else _WITHHELD if withheld else _PRESENT
        zh, en = (form.format(**each) for form in forms)
        return {
            **each,
            "value": None if withheld else each["value"],
            "withheld": withheld,
            "label": declared.label.model_dump(),
            "text": {"zh": f"{declared.label.zh}：{zh}", "en": f"{declared.label.en}: {en}"},
        }

    def _words(self, row: Record) -> dict[str, Any]:
        declared = self._policy.declared
        label = next((each.label for each in declared.standings if each.grade == row["grade"]), None)
        since = declared.effective_from.isoformat()
        if label is None:
            zh = f"已知的指标不足，无法评级。依据：{declared.title.zh}（{since} 起施行）。"
            en = f"Too little is known for a grade. By: {declared.title.en} (in force since {since})."
        else:
            zh = (
                f"得分 {row['score']}，等级 {row['grade']}（{label.zh}）。依据：{declared.title.zh}（{since} 起施行）。"
            )
            en = f"Score {row['score']}, grade {row['grade']} ({label.en}). By: {declared.title.en} (since {since})."
        return {"label": None if label is None else label.model_dump(), "text": {"zh": zh, "en": en}}


def without_words(row: Record) -> dict[str, Any]:
    """A check whose policy text is not declared any more: figures of the outcome only, since nothing says who may
    see the values."""
    figures = [{**each, "value": None, "withheld": True, "label": None, "text": None} for each in row["indicators"]]
    return {**_head(row), "label": None, "text": None, "indicators": figures}


def _head(row: Record) -> dict[str, Any]:
    return {
        "customer_id": row["customer_id"],
        "serial": row["serial"],
        "grade": row["grade"],
        "score": None if row["score"] is None else format(row["score"], "f"),
        "policy": {"id": row["policy_id"], "version": row["policy_version"], "hash": row["policy_hash"]},
        "customer_version": row["customer_version"],
        "checked_at": row["checked_at"],
    }


def _levels(catalogue: Catalogue, formulas: Formulas) -> Mapping[str, Mapping[str, Secrecy]]:
    """For each name that an expression may read: the items behind it with their levels."""
    found: dict[str, dict[str, Secrecy]] = {code: {code: item.secrecy} for code, item in catalogue.items.items()}
    for code, total in _uses(formulas):
        found.setdefault(total, {})[code] = formulas.items[code].secrecy
    return found


def _uses(formulas: Formulas) -> Iterable[tuple[str, str]]:
    return ((code, total) for code in formulas.items for total in formulas.totals_of([code]))
