"""Why, or why not: one decision about one action, with its reasons in words. Pure.

`kehu may` and the console show the reasons. The doors take the same steps where each can be taken: `may` (granted,
signed in of late), `within` (reached), `Sight.shows` (cleared, shown); a test holds the two together. Not in it is what
some routes demand besides: a service's own token beside the person's (`peer`), the reach of all units (audit's stream).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from shared.auth.authority import GENERAL, Authority, Power, Principal
from shared.regime import Secrecy, Text, highest


@dataclass(frozen=True, slots=True)
class Matter:
    """What the action is about, as far as it matters: where the record belongs, the field that is asked for (level,
    class, the role that keeps it), and who took which earlier step of the same matter (action -> actor)."""

    unit: str | None = None
    assignee: str | None = None
    is_record: bool = False
    level: Secrecy | None = None
    field_class: str = GENERAL
    keeper: str | None = None
    done: Mapping[str, str] = field(default_factory=dict)

    def about(self, level: Secrecy, field_class: str, keeper: str | None = None) -> Matter:
        """The same matter, asked about one field."""
        return replace(self, level=level, field_class=field_class, keeper=keeper)


@dataclass(frozen=True, slots=True)
class Subject:
    """A record as authority sees it: where it belongs, and by name of its fields their level and class, and the role
    that keeps each, if one does."""

    unit: str | None
    assignee: str | None = None
    fields: Mapping[str, tuple[Secrecy, str]] = field(default_factory=dict)
    keepers: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reason:
    """One step of a decision; `code` is stable."""

    code: str
    text: Text


@dataclass(frozen=True, slots=True)
class Decision:
    """Yes or no. The last reason is the one that decided."""

    allowed: bool
    reasons: tuple[Reason, ...]

    @property
    def code(self) -> str:
        return self.reasons[-1].code


def decide(authority: Authority, who: Principal, action: str, matter: Matter, now: float) -> Decision:
    """Whether a caller may do `action` in a matter; `now` in POSIX seconds."""
    reasons: list[Reason] = []
    for reason, holds in _steps(authority, who, action, matter, now):
        reasons.append(reason)
        if not holds:
            return Decision(False, tuple(reasons))
    return Decision(True, tuple(reasons))


def _steps(
    authority: Authority, who: Principal, action: str, matter: Matter, now: float
) -> Iterator[tuple[Reason, bool]]:
    powers = who.powers.get(action, ())
    yield _granted(action, powers), bool(powers)
    if matter.is_record:
        powers = tuple(power for power in powers if power.scope.reaches(matter.unit, matter.assignee))
        yield _reached(matter, powers), bool(powers)
    if matter.level is not None:
        level = matter.level
        cleared = tuple(power for power in powers if power.clearance.covers(level))
        yield _cleared(level, powers, cleared), bool(cleared)
        shown = tuple(power for power in cleared if power.shows(level, matter.field_class))
        yield _shown(matter.field_class, shown), bool(shown)
        rule = authority.action(action)
        if matter.keeper is not None and rule is not None and rule.by_keeper:
            kept = tuple(power for power in shown if power.sets(matter.keeper))
            yield _kept(matter.keeper, kept), bool(kept)
    yield from _conditions(authority, who, action, matter, now)


def _conditions(
    authority: Authority, who: Principal, action: str, matter: Matter, now: float
) -> Iterator[tuple[Reason, bool]]:
    """What holds for the action whoever does it."""
    rule = authority.action(action)
    if rule is None:
        return
    resource = action.partition(".")[0]
    for step in sorted(rule.unless_did):
        if matter.done.get(f"{resource}.{step}") == who.actor:
            yield (
                _reason("same_person", f"本人已做过 {step}，不能再做 {action}", f"{step} was done by the same person"),
                False,
            )
    if rule.recent:
        recent = is_recent(authority, who, now)
        zh, en = ("近期登录过", "signed in of late") if recent else ("需要近期登录", "needs a sign-in of late")
        yield _reason("recent" if recent else "sign_in_too_old", zh, en), recent


def is_recent(authority: Authority, who: Principal, now: float) -> bool:
    """Whether the caller proved who they are within the declared term."""
    return who.signed_in_at is not None and now - who.signed_in_at <= authority.recency_s()


def _reason(code: str, zh: str, en: str) -> Reason:
    return Reason(code, Text(zh=zh, en=en))


def _names(powers: tuple[Power, ...]) -> str:
    return ", ".join(dict.fromkeys(power.role for power in powers))


def _granted(action: str, powers: tuple[Power, ...]) -> Reason:
    if not powers:
        return _reason("not_granted", f"没有角色授予 {action}", f"no role grants {action}")
    return _reason("granted", f"{_names(powers)} 授予 {action}", f"{_names(powers)} grants {action}")


def _reached(matter: Matter, powers: tuple[Power, ...]) -> Reason:
    unit = matter.unit or "-"
    if not powers:
        return _reason("out_of_reach", f"机构 {unit} 不在管辖范围内", f"unit {unit} is out of reach")
    return _reason(
        "reached", f"机构 {unit} 在 {_names(powers)} 的管辖范围内", f"unit {unit} is within reach of {_names(powers)}"
    )


def _cleared(level: Secrecy, held: tuple[Power, ...], cleared: tuple[Power, ...]) -> Reason:
    if not cleared:
        most = highest(power.clearance for power in held)
        return _reason("above_clearance", f"密级 {level} 高于知密范围 {most}", f"{level} is above the clearance {most}")
    return _reason("cleared", f"知密范围包括 {level}", f"cleared for {level}")


def _shown(field_class: str, shown: tuple[Power, ...]) -> Reason:
    if not shown:
        return _reason(
            "field_class", f"职责不包括信息类 {field_class}", f"fields of class {field_class} are not granted"
        )
    return _reason("shown", f"职责包括信息类 {field_class}", f"fields of class {field_class} are granted")


def _kept(keeper: str, kept: tuple[Power, ...]) -> Reason:
    if not kept:
        return _reason("not_kept", f"该信息项由 {keeper} 维护", f"{keeper} keeps the field, or a role above it")
    return _reason("kept", f"{_names(kept)} 可维护 {keeper} 的信息项", f"{_names(kept)} sets what {keeper} keeps")
