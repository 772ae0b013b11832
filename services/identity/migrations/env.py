"""Alembic's entry: all tables of the identity database."""

import services.identity.directory.models
import services.identity.sign_in.models
import services.identity.signing_key.models  # noqa: F401 - tables register themselves with METADATA
from services.identity.tables import METADATA
from shared.migrations import run

run(METADATA)
