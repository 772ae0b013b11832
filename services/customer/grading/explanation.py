"""A stored check as people read it: every indicator with value, weight, points and words, in Chinese and English.

Values and points of indicators obey the clearance of the items behind them, as the dictionary of the reading day says;
a total is as secret as the most secret system item that is computed from it. The score, from which the points of one
indicator could be reckoned back, is shown with all of them or not at all; the grade follows from an action of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from services.customer.dealings.rules import Formulas
from services.customer.grading.rules import Policy
from shared.auth import GENERAL, Sight
from shared.db import Record
from shared.regime import Catalogue, Indicator, Missing, Secrecy

READ = "customer.grade.read"
_ABSENT = {
    Missing.ZERO: ("无数据，按 0 分计，权重 {weight}", "no data, counts as 0 points, weight {weight}"),
    Missing.SKIP_AND_REWEIGH: ("无数据，不计入总分", "no data, left out of the score"),
    Missing.UNKNOWN: ("无数据，因此无法评级", "no data, so there is no grade"),
}
_PRESENT = ("{value}，{points} 分，权重 {weight}", "{value}, {points} points, weight {weight}")
_WITHHELD = ("（不公开），权重 {weight}", "(withheld), weight {weight}")


class Explainer:
    """Explains the checks of one policy to readers of one day.

    `then`: the formulas of the day whose policy it is; `catalogue` and `formulas` of the day on which somebody reads.
    """

    def __init__(self, policy: Policy, then: Formulas, catalogue: Catalogue, formulas: Formulas) -> None:
        self._policy = policy
        self._indicators: Mapping[str, Indicator] = {each.id: each for each in policy.declared.indicators}
        self._behind = {name: _behind(policy.reads(name), catalogue, then, formulas) for name in self._indicators}

    def explain(self, sight: Sight, row: Record) -> tuple[dict[str, Any], set[str]]:
        """The check in `row` as an answer's members, and the items whose values it shows."""
        shown: set[str] = set()
        views = []
        for each in row["indicators"]:
            behind = self._behind[each["id"]]
            withheld = each["value"] is not None and not _clears(sight, behind)
            if behind and each["value"] is not None and not withheld:
                shown |= behind.keys()
            views.append(self._view(each, withheld))
        head = _head(row, hidden=any(each["withheld"] for each in views))
        return {**head, **self._words(head), "indicators": views}, shown

    def _view(self, each: Mapping[str, Any], withheld: bool) -> dict[str, Any]:
        declared = self._indicators[each["id"]]
        forms = _ABSENT[declared.missing] if each["value"] is None else _WITHHELD if withheld else _PRESENT
        zh, en = (form.format(**each) for form in forms)
        return {
            **(_without_figures(each) if withheld else each),
            "withheld": withheld,
            "label": declared.label.model_dump(),
            "text": {"zh": f"{declared.label.zh}：{zh}", "en": f"{declared.label.en}: {en}"},
        }

    def _words(self, head: Mapping[str, Any]) -> dict[str, Any]:
        declared, grade, score = self._policy.declared, head["grade"], head["score"]
        label = next((each.label for each in declared.ranks if each.grade == grade), None)
        since = declared.effective_from.isoformat()
        if label is None:
            zh, en = "已知的指标不足，无法评级", "Too little is known for a grade"
        elif score is None:
            zh, en = f"等级 {grade}（{label.zh}），得分不公开", f"Grade {grade} ({label.en}), score withheld"
        else:
            zh, en = f"得分 {score}，等级 {grade}（{label.zh}）", f"Score {score}, grade {grade} ({label.en})"
        return {
            "label": None if label is None else label.model_dump(),
            "text": {
                "zh": f"{zh}。依据：{declared.title.zh}（{since} 起施行）。",
                "en": f"{en}. By: {declared.title.en} (since {since}).",
            },
        }


def without_words(row: Record) -> dict[str, Any]:
    """A check whose policy text is not declared any more: its grade only, since nothing says who may see the rest."""
    figures = [{**_without_figures(each), "withheld": True, "label": None, "text": None} for each in row["indicators"]]
    return {**_head(row, hidden=True), "label": None, "text": None, "indicators": figures}


def _without_figures(each: Mapping[str, Any]) -> dict[str, Any]:
    """An indicator without its value and without the points, which tell what the value is."""
    return {**each, "value": None, "points": None}


def _head(row: Record, *, hidden: bool) -> dict[str, Any]:
    """`hidden`: an indicator is withheld, so that the score would tell its points."""
    return {
        "customer_id": row["customer_id"],
        "serial": row["serial"],
        "grade": row["grade"],
        "score": None if hidden or row["score"] is None else format(row["score"], "f"),
        "policy": {"id": row["policy_id"], "version": row["policy_version"], "hash": row["policy_hash"]},
        "customer_version": row["customer_version"],
        "checked_at": row["checked_at"],
    }


def _behind(
    names: Iterable[str], catalogue: Catalogue, *formulas: Formulas
) -> Mapping[str, tuple[Secrecy, str]] | None:
    """The items that an expression over these names tells something of, with level and class; None if the dictionary
    does not have one of them any more, so that nothing says who may see it."""
    codes: set[str] = set()
    for name in names:
        if name not in catalogue.types:
            return None
        computed = {code for each in formulas for code in each.items if name in each.totals_of([code])}
        codes |= computed if name in catalogue.total_types else {name}
    if not codes <= catalogue.items.keys():
        return None
    return {code: (catalogue.items[code].secrecy, catalogue.items[code].field_class) for code in codes}


def _clears(sight: Sight, behind: Mapping[str, tuple[Secrecy, str]] | None) -> bool:
    """Whether the sight of a file shows what is told of these items; what tells of none is for all of the staff."""
    if behind is None:
        return False
    return all(sight.shows(*each) for each in behind.values() or [(Secrecy.INTERNAL, GENERAL)])
