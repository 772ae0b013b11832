"""Every input from the clock."""

from services.identity.sign_in.service import SignIns
from services.identity.signing_key.service import SigningKeys
from shared.jobs import Job


def build(keys: SigningKeys, sign_ins: SignIns) -> list[Job]:
    return [
        Job("destroy-retired-keys", 60, keys.destroy_retired),
        Job("forget-failed-sign-ins", 300, sign_ins.forget_failures),
    ]
