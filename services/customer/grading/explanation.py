"""A stored check as people read it: every indicator with value, weight, points and words, in Chinese and English.

Values and points of indicators obey the clearance of the items behind them, as the dictionary of the reading day says;
a total is as secret as the most secret system item that is computed from it. The score, from which the points of one
indicator could be reckoned back, is shown with all of them or not at all; the grade follows from an action of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from services.customer.dealings.rules import Formulas
from services.customer.grading.advice import next_better
from services.customer.grading.patience import Why
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
_COURSE = {
    Why.MOVED: ("分数已越过等级界限并满足变动条件", "the score is far enough beyond the border of the grade before"),
    Why.AT_ONCE: ("符合立即降级条件，未留缓冲", "the condition holds under which a worse grade acts at once"),
    Why.MARGIN: ("按分数为 {by_score}，但越过界限不够，仍为 {settled}",
                 "by score it is {by_score}, not far enough beyond the border, so {settled} stays"),
    Why.DAYS: ("按分数为 {by_score}，已连续 {days} 天，尚未达到规定天数，仍为 {settled}",
               "by score it is {by_score}, on {days} days so far, which are too few, so {settled} stays"),
    Why.QUARTER: ("按分数为 {by_score}，只在季度评定时变动，仍为 {settled}",
                  "by score it is {by_score}; only a quarter's round moves it, so {settled} stays"),
}  # fmt: skip
_OVERRIDE = ("由人工定为 {grade}；计算等级为 {settled}", "Set to {grade} by people; reckoned it is {settled}")
_CLASS = ("客户分类：{0}", "Customer class: {0}")
_WITHHELD = ("（不公开），权重 {weight}", "(withheld), weight {weight}")


class Explainer:
    """Explains the checks of one policy to readers of one day.

    `then`: the formulas of the day whose policy it is; `catalogue` and `formulas` of the day on which somebody reads.
    """

    def __init__(self, policy: Policy, then: Formulas, catalogue: Catalogue, formulas: Formulas) -> None:
        self._policy = policy
        self._indicators: Mapping[str, Indicator] = {each.id: each for each in policy.declared.indicators}
        self._behind = {name: behind(policy.reads(name), catalogue, then, formulas) for name in self._indicators}
        self._behind_at_once = behind(policy.behind_at_once, catalogue, then, formulas)
        classes = policy.declared.classification
        self._item = None if classes is None else catalogue.items.get(classes.item)
        self._behind_class = None if self._item is None else behind(policy.behind_class, catalogue, then, formulas)

    def explain(self, sight: Sight, row: Record, *, advise: bool = False) -> tuple[dict[str, Any], set[str]]:
        """The check in `row` as an answer's members, and the items whose values it shows.

        `advise`: with what the next better grade would take, for readers from whom nothing is withheld.
        """
        shown: set[str] = set()
        views = []
        for each in row["indicators"]:
            items = self._behind[each["id"]]
            withheld = each["value"] is not None and not _clears(sight, items)
            if items and each["value"] is not None and not withheld:
                shown |= items.keys()
            views.append(self._view(each, withheld))
        hidden = any(each["withheld"] for each in views)
        head = _head(row, hidden=hidden)
        course = self._course(row, hidden=hidden or not self._may_tell(sight, row))
        view = {
            **head, **self._words(head), "indicators": views, **course,
            "customer_class": self._class(sight, row, shown),
            "next": self._next(row) if advise and not hidden else None,
        }  # fmt: skip
        return {**view, "sentences": sentences(view)}, shown

    def _may_tell(self, sight: Sight, row: Record) -> bool:
        """Whether the reader may know if the condition holds under which a worse grade acts at once."""
        at_once = row["course"] is not None and row["course"]["at_once"]
        return not at_once or _clears(sight, self._behind_at_once)

    def _course(self, row: Record, *, hidden: bool) -> dict[str, Any]:
        """How the grade came about, as far as it does not tell on which side of a border a hidden score lies."""
        course, override = row["course"], row["override_id"]
        settled = row["grade"] if course is None else course["settled"]
        words = {"grade": row["grade"] or "-", "settled": settled or "-"}
        told = None
        if course is not None and not hidden and Why(course["why"]) in _COURSE:
            words |= {"by_score": course["by_score"], "days": abs(course["leaning"])}
            told = _text(_COURSE[Why(course["why"])], **words)
        return {
            "settled": settled,
            "by_score": None if hidden or course is None else course["by_score"],
            "course": told,
            "override": None if override is None else {"id": override, "text": _text(_OVERRIDE, **words)},
        }

    def _class(self, sight: Sight, row: Record, shown: set[str]) -> dict[str, Any] | None:
        item, code = self._item, row["customer_class"]
        if item is None or code is None or not sight.shows(item.secrecy, item.field_class):
            return None
        if not _clears(sight, self._behind_class):
            return None
        shown |= {*(self._behind_class or ())}
        label = (item.choices or {}).get(code)
        zh, en = (code, code) if label is None else (label.zh, label.en)
        text = {"zh": _CLASS[0].format(zh), "en": _CLASS[1].format(en)}
        return {"code": code, "label": {"zh": zh, "en": en}, "text": text}

    def _next(self, row: Record) -> dict[str, Any] | None:
        held = row["grade"] if row["course"] is None else row["course"]["settled"]
        found = next_better(self._policy.declared, held, row["score"], row["indicators"])
        return None if found is None else found.as_json()

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
    nothing = dict.fromkeys(("label", "text", "by_score", "course", "override", "customer_class", "next"))
    settled = row["grade"] if row["course"] is None else row["course"]["settled"]
    return {**_head(row, hidden=True), **nothing, "indicators": figures, "settled": settled, "sentences": []}


def sentences(view: Mapping[str, Any]) -> list[dict[str, str]]:
    """The explanation as sentences in both languages, in the order in which people read it."""
    after = view["next"]
    parts = [
        view, {"text": view["course"]}, view["override"], view["customer_class"], *view["indicators"], after,
        *(after["ways"] if after is not None else ()),
    ]  # fmt: skip
    return [part["text"] for part in parts if part is not None and part["text"] is not None]


def _text(form: tuple[str, str], **words: Any) -> dict[str, str]:
    zh, en = (each.format(**words) for each in form)
    return {"zh": zh, "en": en}


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


def behind(names: Iterable[str], catalogue: Catalogue, *formulas: Formulas) -> Mapping[str, tuple[Secrecy, str]] | None:
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
