"""The identity service with a company in which one person keeps the entry of reports."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.factories.custody import CONTENT, Custody
from tests.factories.directory import running_directory


@pytest.fixture
async def custody(identity_dsn: str, tmp_path: Path) -> AsyncIterator[Custody]:
    async with running_directory(identity_dsn, tmp_path, CONTENT) as directory:
        yield Custody(directory)
