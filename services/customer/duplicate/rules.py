"""Pure rules of duplicates: forms of texts, keys by which they are found, what two customers have alike (R5.2).

Keys are keyed hashes of forms, so that a table of them holds no value. A form that is also compared by likeness has one
key more for each of its characters: of the form without it. So two forms that differ in one character, or in the order
of two neighbours, have a key in common. Those that differ in more meet only if another rule brings the files together.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias

from rapidfuzz.distance import Levenshtein

from shared.regime import Comparison, DuplicateRules, Form, FormStep, Verdict

Forms: TypeAlias = Mapping[str, Mapping[str, str]]
"""Rule -> item -> the form of its value."""
_BRACKETED = re.compile(r"[(\[{<〈《「『【〔][^()\[\]{}<>〈〉《》「」『』【】〔〕]*[)\]}>〉》」』】〕]")
_LONGEST = 64  # characters of a form that are compared
_STEPS: Mapping[FormStep, Callable[[str], str]] = {
    FormStep.WIDTH: lambda text: unicodedata.normalize("NFKC", text),
    FormStep.CASE: str.casefold,
    FormStep.BRACKETS: lambda text: _BRACKETED.sub("", text),
    FormStep.SIGNS: lambda text: "".join(filter(str.isalnum, text)),
    FormStep.DIGITS: lambda text: "".join(filter(str.isdecimal, text)),
}


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that holds between two customers, by which item of each; `same` or only alike."""

    rule: str
    items: tuple[str, str]
    same: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """What a definition says about two customers."""

    definition: str
    verdict: Verdict
    score: int
    hits: tuple[Hit, ...]


def form_of(declared: Form, text: str) -> str:
    """The form in which a text is compared; empty if it is too short to be."""
    for step in declared.steps:
        text = _STEPS[step](text)
    for old, new in declared.replace.items():
        text = text.replace(old, new)
    text = _trimmed(text, declared)
    return text[:_LONGEST] if len(text) >= declared.shortest else ""


def _trimmed(text: str, declared: Form) -> str:
    """Without the declared beginnings and endings, as far as enough is left."""
    while True:
        begun = next((each for each in declared.beginnings if _leaves(text, each, declared, str.startswith)), "")
        ended = next((each for each in declared.endings if _leaves(text, each, declared, str.endswith)), "")
        if begun:
            text = text.removeprefix(begun)
        elif ended:
            text = text.removesuffix(ended)
        else:
            return text


def _leaves(text: str, piece: str, declared: Form, stands: Callable[[str, str], bool]) -> bool:
    return stands(text, piece) and len(text) - len(piece) >= declared.shortest


class Comparer:
    """A definition, put to work."""

    def __init__(self, declared: DuplicateRules) -> None:
        self.declared = declared
        self.codes = frozenset(code for rule in declared.rules for code in rule.items)

    def forms(self, values: Mapping[str, Any]) -> Forms:
        """The forms of what is compared of a customer."""
        found: dict[str, dict[str, str]] = {}
        for rule in self.declared.rules:
            declared = self.declared.forms[rule.form]
            given = {code: values[code] for code in rule.items if isinstance(values.get(code), str)}
            formed = {code: form for code, text in given.items() if (form := form_of(declared, text))}
            if formed:
                found[rule.id] = formed
        return found

    def keys(self, forms: Forms, secret: bytes) -> set[int]:
        """The keys of a customer's forms, as signed numbers of 64 bits."""
        rules = {rule.id: rule for rule in self.declared.rules}
        texts = {
            f"{self.declared.id}/{name}/{text}"
            for name, formed in forms.items()
            for form in formed.values()
            for text in _neighbours(rules[name], form)
        }
        return {_key(text, secret) for text in texts}

    def compare(self, one: Forms, other: Forms) -> Finding | None:
        """What two customers have alike, if that says something."""
        found = [hit for rule in self.declared.rules if (hit := _hit(rule, one, other)) is not None]
        weights = {rule.id: (rule.weight, rule.alike.weight if rule.alike else 0) for rule in self.declared.rules}
        score = sum(weights[hit.rule][0 if hit.same else 1] for hit in found)
        if score < self.declared.possible:
            return None
        verdict = Verdict.CERTAIN if score >= self.declared.certain else Verdict.POSSIBLE
        return Finding(self.declared.id, verdict, score, tuple(found))


def strongest(found: Iterable[Finding | None]) -> Finding | None:
    """Of what several definitions say, the gravest."""
    real = [each for each in found if each is not None]
    return max(real, key=lambda each: (each.verdict is Verdict.CERTAIN, each.score), default=None)


def only(forms: Forms, seen: Callable[[str], bool]) -> Forms:
    """The forms of those items that somebody may see."""
    kept = {name: {code: form for code, form in formed.items() if seen(code)} for name, formed in forms.items()}
    return {name: formed for name, formed in kept.items() if formed}


def _neighbours(rule: Comparison, form: str) -> Iterator[str]:
    yield form
    if rule.alike is not None and len(form) > 2:
        yield from {form[:place] + form[place + 1 :] for place in range(len(form))}


def _key(text: str, secret: bytes) -> int:
    return int.from_bytes(hmac.digest(secret, text.encode(), hashlib.sha256)[:8], "big", signed=True)


def _hit(rule: Comparison, one: Forms, other: Forms) -> Hit | None:
    pairs = list(product(one.get(rule.id, {}).items(), other.get(rule.id, {}).items()))
    for (mine, left), (theirs, right) in pairs:
        if left == right:
            return Hit(rule.id, (mine, theirs), True)
    if rule.alike is not None:
        for (mine, left), (theirs, right) in pairs:
            if 100 * Levenshtein.normalized_similarity(left, right) >= rule.alike.least:
                return Hit(rule.id, (mine, theirs), False)
    return None
