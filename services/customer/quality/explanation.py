"""What is found of a file as people read it, in Chinese and English, as far as the reader sees the items behind it.

That an item has a value, any reader of the file learns (`withheld`), so marks and score are shown whole; what fails is
named only where its item, or all items that a rule reads, are in sight. No value is told. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.customer.quality.rules import Reason, by_part
from services.customer.review.rules import Cadences
from shared.auth import Sight
from shared.db import Record
from shared.regime import Catalogue, Part, QualityPolicy, Secrecy, Text

_TITLES = {
    Part.COMPLETENESS: Text(zh="完整性", en="Completeness"),
    Part.ACCURACY: Text(zh="准确性", en="Accuracy"),
    Part.TIMELINESS: Text(zh="及时性", en="Timeliness"),
}
_FOUND = {
    Part.COMPLETENESS: ("应填 {looked} 项，已填 {right} 项", "{right} of {looked} items have a value"),
    Part.ACCURACY: ("检查 {looked} 处，符合 {right} 处", "{right} of {looked} checks hold"),
    Part.TIMELINESS: ("应按期维护 {looked} 处，按期 {right} 处", "{right} of {looked} things are kept in time"),
}
_NOTHING = ("无可评内容，不计入总分", "there is nothing to look at, left out of the score")
_REASONS = {
    Reason.MISSING: ("未填写", "no value"),
    Reason.INVALID: ("不符合现行指标字典", "does not fit the dictionary in force"),
    Reason.BROKEN: ("应为{expected}", "expected is {expected}"),
    Reason.OVERDUE: ("逾期未复核", "not verified in time"),
    Reason.UNVERIFIED: ("逾期未进行", "not made in time"),
    Reason.LATE: ("变更登记迟于规定时限", "its change was made later than the term"),
}


@dataclass(frozen=True, slots=True)
class Thing:
    """What may fail: its label, what is expected if it is a rule, level and class of each item that it tells of."""

    reason: Reason
    code: str
    label: Text
    fields: frozenset[tuple[Secrecy, str]]
    expected: Text | None = None

    @property
    def failing(self) -> str:
        """As it is stored."""
        return f"{self.reason}:{self.code}"

    def told(self) -> dict[str, Any]:
        """As it is answered."""
        zh, en = _REASONS[self.reason]
        expected = self.expected or self.label
        return {
            "part": self.reason.part,
            "reason": self.reason,
            "code": self.code,
            "label": self.label.model_dump(),
            "text": {
                "zh": f"{self.label.zh}：{zh.format(expected=expected.zh)}",
                "en": f"{self.label.en}: {en.format(expected=expected.en)}",
            },
        }


Things = Mapping[str, Thing]


def things(catalogue: Catalogue, cadences: Cadences | None) -> Things:
    """All that may fail in files of a kind, as it is stored."""
    found = [
        Thing(reason, item.code, item.label, frozenset({(item.secrecy, item.field_class)}))
        for item in catalogue.items.values()
        for reason in (Reason.MISSING, Reason.INVALID, Reason.OVERDUE, Reason.LATE)
    ]
    for rule in catalogue.rules.values():
        fields = frozenset((catalogue.items[code].secrecy, catalogue.items[code].field_class) for code in rule.reads)
        found.append(Thing(Reason.BROKEN, rule.id, rule.label, fields, rule.message))
    for cadence in cadences.reviews if cadences is not None else ():
        found.append(Thing(Reason.UNVERIFIED, cadence.id, cadence.title, frozenset()))
    return {each.failing: each for each in found}


def explained(row: Record, known: Things, policy: QualityPolicy | None, sight: Sight) -> dict[str, Any]:
    """What is found of a file; `policy`: that of the kind today, whose words are told if it is the one it went by."""
    if policy is not None and policy.ref.as_json() != row["policy"]:
        policy = None
    level = None if policy is None else next((each for each in policy.levels if each.id == row["level"]), None)
    by = by_part(row["failing"])
    parts = [_part(part, row, [f"{reason}:{code}" for reason, code in by[part]], known, policy, sight) for part in Part]
    zh, en = f"得分 {row['score']}，{row['level']}", f"Score {row['score']}, {row['level']}"
    if policy is not None and level is not None:
        zh = f"得分 {row['score']}，{level.title.zh}。依据：{policy.title.zh}（{policy.effective_from} 起施行）。"
        en = f"Score {row['score']}, {level.title.en}. By: {policy.title.en} (since {policy.effective_from})."
    return {
        "customer_id": row["customer_id"],
        **{name: row[name] for name in ("kind", "level", "policy", "assessed_at")},
        "score": format(row["score"], "f"),
        "customer_version": row["file_version"],
        "label": None if level is None else level.title.model_dump(),
        "text": {"zh": zh, "en": en},
        "parts": parts,
    }


def _part(
    part: Part, row: Record, failing: list[str], known: Things, policy: QualityPolicy | None, sight: Sight
) -> dict[str, Any]:
    mark, looked = row[part], row["looked"][part]
    shown = [known[each] for each in failing if each in known and all(sight.shows(*of) for of in known[each].fields)]
    words = _NOTHING if mark is None else _FOUND[part]
    zh, en = (_filled(each, looked=looked, right=looked - len(failing)) for each in words)
    title, ending = _TITLES[part], "" if mark is None else f"{mark:f}"
    return {
        "part": part,
        "label": title.model_dump(),
        "mark": None if mark is None else format(mark, "f"),
        "weight": None if policy is None else policy.parts[part],
        "looked": looked,
        "failing": [each.told() for each in shown],
        "withheld": len(failing) - len(shown),
        "text": {
            "zh": f"{title.zh}{ending and f' {ending}'}：{zh}",
            "en": f"{title.en}{ending and f' {ending}'}: {en}",
        },
    }


def _filled(form: str, **words: int) -> str:
    return form.format(**words)
