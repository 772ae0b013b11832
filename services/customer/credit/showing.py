"""Forms and holds as a reader sees them. Opens what is sealed, as far as their sight of the customer goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.customer.credit import repository
from services.customer.credit.journal import Journal
from services.customer.credit.rules import Form, Hold
from shared.auth import Sight
from shared.db import Record, Transaction
from shared.events import CreditProposed
from shared.regime import Credit, Regimes, Secrecy
from shared.sealing import WrappedKey

Fields = dict[str, tuple[Secrecy, str]]
"""What was shown: level and class by code, for the record of who read what."""


class Showing:
    """Makes views."""

    def __init__(self, regimes: Regimes, journal: Journal) -> None:
        self._regimes = regimes
        self._journal = journal

    def asked(self, form: Form) -> Credit:
        """What was asked when a form was put forward: the text that was in force then."""
        credit = form.definition
        return self._regimes.get(Credit, credit["id"].rpartition("/")[2], on=date.fromisoformat(credit["version"]))

    def hidden(self, sight: Sight, form: Form) -> list[str]:
        """Questions whose answers a reader does not see."""
        questions = self.asked(form).questions
        return [each.code for each in questions if not sight.shows(each.secrecy, each.field_class)]

    async def forms(
        self, tx: Transaction, sight: Sight, key: WrappedKey | None, forms: Sequence[Form], now: datetime
    ) -> tuple[list[dict[str, Any]], Fields]:
        """Views of forms of one customer, and the answers that they show. `key`: None once it is destroyed."""
        steps = await self._steps(tx, [each.id for each in forms])
        told: Fields = {}
        return [self._form(sight, key, each, steps.get(each.id, []), told, now) for each in forms], told

    def _form(
        self, sight: Sight, key: WrappedKey | None, form: Form, steps: Sequence[Record], told: Fields, now: datetime
    ) -> dict[str, Any]:
        credit, withheld = self.asked(form), self.hidden(sight, form)
        answers = dict[str, Any]()
        for step in steps:
            if key is not None and step["type"] == CreditProposed.type:
                answers = {
                    code: value for code, value in self._journal.opened(key, step).items() if code not in withheld
                }
        told |= {
            f"credit.{each.code}": (each.secrecy, each.field_class) for each in credit.questions if each.code in answers
        }
        is_shown = sight.shows(credit.secrecy, credit.field_class)
        same = ("id", "customer_id", "term_days", "proposed_by", "proposed_at", "decide_until", "from_on", "ended_on")
        return {
            **{name: getattr(form, name) for name in same},
            "state": form.state_at(now),
            "limit_fen": form.limit_fen if is_shown else None,
            "answers": answers,
            "withheld": [*withheld, *([] if is_shown else ["limit_fen"])],
            "steps": [self._step(key if is_shown else None, each) for each in steps],
        }

    async def holds(
        self, tx: Transaction, sight: Sight, key: WrappedKey | None, credit: Credit, holds: Sequence[Hold]
    ) -> list[dict[str, Any]]:
        """Views of holds of one customer, with what was reported and decided."""
        steps = await self._steps(tx, [each.id for each in holds])
        opens = key if sight.shows(credit.secrecy, credit.field_class) else None
        same = ("id", "state", "since", "ended_at")
        return [
            {
                **{name: getattr(each, name) for name in same},
                "steps": [self._step(opens, step) for step in steps.get(each.id, [])],
            }
            for each in holds
        ]

    def _step(self, key: WrappedKey | None, step: Record) -> dict[str, Any]:
        """A step; what was written with it is `said`, but for answers, which the form shows."""
        is_written = step["sealed"] is not None and step["type"] != CreditProposed.type
        said = self._journal.opened(key, step) if is_written and key is not None else None
        same = {name: step[name] for name in ("type", "at", "actor", "facts")}
        return {**same, "said": said, "withheld": is_written and said is None}

    async def _steps(self, tx: Transaction, matters: Sequence[UUID]) -> Mapping[UUID, list[Record]]:
        found: dict[UUID, list[Record]] = {}
        for step in await repository.steps(tx, matters):
            found.setdefault(step["matter"], []).append(step)
        return found
