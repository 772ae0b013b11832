"""Every input from the clock."""

from services.identity.custody.service import ChangeOvers
from services.identity.sign_in.assembly import WayIn
from services.identity.signing_key.service import SigningKeys
from services.identity.staff.due import Due
from services.identity.staff.history import Histories
from shared.jobs import Job


def build(keys: SigningKeys, way_in: WayIn, due: Due, histories: Histories, changes: ChangeOvers) -> list[Job]:
    return [
        Job("destroy-retired-keys", 60, keys.destroy_retired),
        Job("people-by-date", 30, due.take_effect),
        Job("rewrap-staff-keys", 60, histories.rewrap_due),
        Job("forget-failed-sign-ins", 300, way_in.guard.forget_old),
        Job("forget-old-sign-ins", 60, way_in.sessions.tidy),
        Job("rewrap-seed", 60, way_in.seed.rewrap_due),
        Job("rewrap-second-factors", 60, way_in.factors.rewrap_due),
        Job("drop-invitations", 300, way_in.accounts.drop_invitations),
        Job("drop-client-secrets", 300, way_in.clients.drop_expired_secrets),
        Job("expire-change-overs", 60, changes.expire),
    ]
