"""ETags of customer files: the version in quotes. Read and written by the HTTP doors of features that change files."""

from __future__ import annotations

import re

from services.customer.file import errors

_ETAG = re.compile(r'"([1-9][0-9]{0,8})"')


def of(version: int) -> str:
    """The ETag of a version."""
    return f'"{version}"'


def base(if_match: str | None) -> int:
    """The version that a change was made on. Raises: PreconditionRequired, Invalid (bad_if_match)."""
    if if_match is None:
        raise errors.if_match_missing()
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        raise errors.bad_if_match(if_match)
    return int(found[1])


def known(if_none_match: str | None) -> int | None:
    """The version that a reader has already, if it is one of ours."""
    found = _ETAG.search(if_none_match or "")
    return int(found[1]) if found else None
