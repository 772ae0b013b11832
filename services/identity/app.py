"""Composition root of the identity service: settings become parts, nothing else happens here."""

from pathlib import Path

from services.identity import jobs
from services.identity.directory import document
from services.identity.directory import routes as directory_routes
from services.identity.directory.passwords import Passwords
from services.identity.directory.service import Directory
from services.identity.settings import IdentitySettings
from services.identity.sign_in import routes as sign_in_routes
from services.identity.sign_in.service import SignIns
from services.identity.signing_key import routes as signing_key_routes
from services.identity.signing_key.service import OwnKeys, SigningKeys
from shared.auth import Authenticator
from shared.clock import now
from shared.process import Parts, Service, standard_parts


def compose(settings: IdentitySettings) -> Parts:
    parts = standard_parts("identity", settings)
    passwords = Passwords(settings.hashing_slots)
    directory = Directory(passwords, parts.regimes)
    keys = SigningKeys(
        parts.outbox, settings.key_ring, lifetime=settings.token_lifetime, prepublish=settings.key_prepublish
    )
    sign_ins = SignIns(parts.database, parts.outbox, directory, keys, settings)
    file = document.read(settings.directory_file) if settings.directory_file else None

    async def begin() -> None:
        async with parts.database.transaction() as tx:
            await keys.ensure(tx, now())
        if file is not None:
            await directory.load(parts.database, file, now())

    async def end() -> None:
        passwords.close()

    parts.authenticator = Authenticator(settings, parts.regimes, keys=OwnKeys(parts.database, keys, now))
    parts.routers += [
        signing_key_routes.build(keys, settings.issuer),
        sign_in_routes.build(sign_ins),
        directory_routes.build(directory),
    ]
    parts.jobs += jobs.build(keys, sign_ins)
    parts.on_start += [begin]
    parts.on_stop += [end]
    return parts


SERVICE = Service("identity", IdentitySettings, compose, Path(__file__).parent / "migrations")
