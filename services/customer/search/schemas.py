"""HTTP shapes of the search. Answers are written by orjson; these shapes describe them in the OpenAPI document."""

from __future__ import annotations

from pydantic import BaseModel, Field

from services.customer.file.schemas import CustomerRow


class MatchView(BaseModel):
    """An item that holds the query, and where, in characters of its value: from `start` up to before `end`."""

    item: str
    value: str
    start: int
    end: int


class FoundCustomer(CustomerRow):
    """A customer, and by what they were found: only items that the reader sees."""

    matches: list[MatchView]


class SearchAnswer(BaseModel):
    """A page of customers; `next_cursor` is null on the last one."""

    items: list[FoundCustomer]
    next_cursor: str | None
    capped: bool = Field(description="There may be more than could be put in order: ask more precisely")
    indexing: bool = Field(description="The index is being made: some customers cannot be found yet")
