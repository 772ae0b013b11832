"""Alembic's entry: all tables of the identity database."""

import services.identity.account.models
import services.identity.client.models
import services.identity.custody.models
import services.identity.line.models
import services.identity.org.models
import services.identity.outstanding.models
import services.identity.partner_key.models
import services.identity.sign_in.models
import services.identity.signing_key.models
import services.identity.staff.models  # noqa: F401 - tables register themselves with METADATA
from services.identity.tables import METADATA
from shared.migrations import run

run(METADATA)
