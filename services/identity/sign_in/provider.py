"""The OpenID provider's use cases: loads what a request may need, lets Authlib decide, writes what came of it.

Called by the OAuth routes and by the pages. One request is one transaction; a refusal may write, too (a code or refresh
token that comes a second time ends the sign-in that it came from).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from authlib.oauth2 import OAuth2Error

from services.identity.account.people import People
from services.identity.client.rules import Client, is_uri
from services.identity.client.service import Clients
from services.identity.sign_in import errors, repository, rules
from services.identity.sign_in.credentials import Credentials
from services.identity.sign_in.grants import Asked
from services.identity.sign_in.inspection import Inspection
from services.identity.sign_in.ledger import Code, Holder, Issuer, Ledger, Refresh
from services.identity.sign_in.rules import Session
from services.identity.sign_in.server import Answer, Server
from services.identity.sign_in.sessions import Sessions
from services.identity.signing_key.service import SigningKeys
from services.identity.staff.access import is_same
from shared.auth import Principal
from shared.auth.terms import terms_of
from shared.db import Transaction, Work
from shared.events import SignedIn
from shared.outbox import Outbox
from shared.regime import Regimes

Parameters = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request: by header, if so, and from which network address."""

    authorization: str | None = field(repr=False)
    address: str


@dataclass(frozen=True, slots=True)
class MustSignIn:
    """The app's request is good, but the person has to sign in (anew) first."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What an app asked for, and when."""

    parameters: list[tuple[str, str]]
    asked_at: datetime

    @property
    def redirect_uri(self) -> str:
        """Where the app lives; it was found to be the app's."""
        return dict(self.parameters).get("redirect_uri", "")

    @property
    def hint(self) -> str:
        """Whom the app expects."""
        return dict(self.parameters).get("login_hint", "")[:64]


class Provider:
    """`successors` gives the key that refresh tokens are derived with."""

    def __init__(
        self,
        outbox: Outbox,
        regimes: Regimes,
        people: People,
        clients: Clients,
        sessions: Sessions,
        keys: SigningKeys,
        credentials: Credentials,
        inspection: Inspection,
        issuer: Issuer,
        successors: Callable[[], bytes],
    ) -> None:
        self._outbox = outbox
        self._regimes = regimes
        self._people = people
        self._clients = clients
        self._sessions = sessions
        self._keys = keys
        self._credentials = credentials
        self._inspection = inspection
        self._issuer = issuer
        self._successors = successors

    async def authorize(
        self, tx: Transaction, asked_for: Parameters, session: Session | None, asked_at: datetime, now: datetime
    ) -> Answer | MustSignIn:
        """Back to the app with a code or an error; or the person must sign in.

        `asked_at`: when the app asked; who signed in since then has done what `prompt` and `max_age` want.
        Raises: Malformed (bad_authorization_request), before it is sure that the address is the app's
        """
        asked = Asked("GET", asked_for)
        redirect_uri = str(asked.payload.redirect_uri or "")
        if not is_uri(redirect_uri):
            raise errors.bad_request("invalid_request")
        holder = await self._holder_for(tx, asked, session, asked_at, now)
        ledger = Ledger(self._issuer, now, await self._client(tx, asked.payload.client_id, now), holder=holder)
        ledger.code_ends_at = terms_of(self._regimes, now).ends("authorization_code", now)
        server = Server(ledger)
        try:
            grant = server.get_consent_grant(asked, holder)
        except OAuth2Error as error:
            if not error.redirect_uri:
                raise errors.bad_request(str(error.error)) from error
            return server.with_issuer(server.handle_error_response(asked, error))
        is_fresh = holder is not None and holder.session.authenticated_at >= asked_at
        if holder is None or (grant.prompt and not is_fresh):
            return MustSignIn()
        answer: Answer = server.create_authorization_response(asked, holder, grant)
        await self._write(tx, ledger)
        return answer

    async def keep(self, tx: Transaction, asked_for: Parameters, now: datetime) -> str:
        """Keep what an app asked for while the person signs in; what it is found by."""
        secret = rules.new_secret()
        expires_at = terms_of(self._regimes, now).ends("authorization_request", now)
        await repository.ask(tx, rules.mark_of(secret), urlencode(asked_for), now, expires_at)
        return secret

    async def kept(self, tx: Transaction, secret: str, now: datetime) -> Kept | None:
        """What was kept, while it may still be granted."""
        row = await repository.asked(tx, rules.mark_of(secret), now)
        return None if row is None else Kept(parse_qsl(row["query"], keep_blank_values=True), row["asked_at"])

    async def resume(self, tx: Transaction, secret: str, session: Session, now: datetime) -> Answer | None:
        """Grant what was kept, once the person has signed in; None if it is too old or was granted."""
        kept = await self.kept(tx, secret, now)
        if kept is None:
            return None
        answer = await self.authorize(tx, kept.parameters, session, kept.asked_at, now)
        if isinstance(answer, MustSignIn):
            return None
        await repository.answered(tx, rules.mark_of(secret))
        return answer

    async def _holder_for(
        self, tx: Transaction, asked: Asked, session: Session | None, asked_at: datetime, now: datetime
    ) -> Holder | None:
        """The person in this browser, if they signed in recently enough for the app."""
        if session is None or not session.is_open:
            return None
        max_age_s = rules.seconds_of(asked.payload.data.get("max_age", ""))
        age_s = (now - session.authenticated_at).total_seconds()
        if max_age_s is not None and age_s > max_age_s and session.authenticated_at < asked_at:
            return None
        return await self._holder(tx, session, now)

    async def _holder(self, tx: Transaction, session: Session | None, now: datetime) -> Holder | None:
        if session is None:
            return None
        person = await self._people.find(tx, session.name, now)
        return Holder(person, session) if person is not None and person.in_service else None

    async def _client(self, tx: Transaction, name: str | None, now: datetime) -> dict[str, Client]:
        client = await self._clients.find(tx, name, now) if name else None
        return {} if client is None or client.closed_at is not None else {client.name: client}

    async def token(self, work: Work, form: Parameters, caller: Caller, now: datetime) -> Answer:
        """Tokens for a code, for a refresh token, or for a client in its own name; or Authlib's refusal.

        Raises: TooManyRequests
        """
        asked = Asked("POST", form, caller.authorization)
        client_id, proven = await self._credentials.prove(asked, caller.address, now)
        tx = await work.begin()
        ledger = Ledger(self._issuer, now, await self._client(tx, client_id, now), proven)
        ledger.signer = await self._keys.signer(tx, now)
        match asked.payload.grant_type:
            case "authorization_code":
                await self._load_code(tx, ledger, asked)
            case "refresh_token":
                await self._load_refresh(tx, ledger, asked)
        answer: Answer = Server(ledger).create_token_response(asked)
        await self._write(tx, ledger)
        if ledger.gave_access_to is not None and ledger.holder is None:
            await self._publish_client(tx, ledger.gave_access_to, now)
        return answer

    async def about(self, work: Work, endpoint: str, form: Parameters, caller: Caller, now: datetime) -> Answer:
        """What a token is (INTROSPECTION), or that it is taken back (REVOCATION); or Authlib's refusal.

        Raises: TooManyRequests
        """
        asked = Asked("POST", form, caller.authorization)
        client_id, proven = await self._credentials.prove(asked, caller.address, now)
        tx = await work.begin()
        ledger = Ledger(self._issuer, now, await self._client(tx, client_id, now), proven)
        ledger.token = await self._inspection.look_at(tx, asked.form.get("token", ""), now)
        answer: Answer = Server(ledger).create_endpoint_response(endpoint, asked)
        await self._write(tx, ledger)
        return answer

    async def userinfo(self, tx: Transaction, who: Principal) -> dict[str, str | None]:
        """Who a (verified) access token stands for, as far as its scope tells. Raises: Forbidden"""
        name = who.name
        if not is_same(who, name) or "openid" not in (scope := rules.scope_of(who.token)):
            raise errors.no_person()
        if "profile" not in scope:
            return {"sub": name}
        return {"sub": name, "preferred_username": name, "name": await self._people.full_name(tx, name)}

    async def _load_code(self, tx: Transaction, ledger: Ledger, asked: Asked) -> None:
        mark = rules.mark_of(asked.form.get("code", ""))
        session = await self._origin(tx, mark, ledger.now)
        row = await repository.code(tx, mark)
        if row is not None:
            ledger.code = Code(**dict(row))
            ledger.holder = await self._holder(tx, session, ledger.now)

    async def _load_refresh(self, tx: Transaction, ledger: Ledger, asked: Asked) -> None:
        token = asked.form.get("refresh_token", "")
        session = await self._origin(tx, rules.mark_of(token), ledger.now)
        row = await repository.refresh(tx, rules.mark_of(token))
        if row is None:
            return
        ledger.next_refresh = rules.successor_of(self._successors(), token)
        may_repeat = False
        if row["used_at"] is not None:
            successor = await repository.refresh(tx, rules.mark_of(ledger.next_refresh))
            grace_ends_at = terms_of(self._regimes, ledger.now).ends("refresh_grace", row["used_at"])
            may_repeat = successor is not None and successor["used_at"] is None and ledger.now < grace_ends_at
        ledger.refresh = Refresh(**dict(row), may_repeat=may_repeat)
        ledger.holder = await self._holder(tx, session, ledger.now)

    async def _origin(self, tx: Transaction, mark: bytes, now: datetime) -> Session | None:
        """The session that gave a code or a refresh token; held before what it gave, as by whoever takes that back."""
        session = await repository.origin(tx, mark)
        return None if session is None else await self._sessions.hold(tx, session, now)

    async def _write(self, tx: Transaction, ledger: Ledger) -> None:
        """What came of the request."""
        if ledger.gave_code is not None:
            await repository.add_code(tx, ledger.gave_code)
        if ledger.used_code and ledger.code is not None:
            await repository.use_code(tx, ledger.code.mark, ledger.now)
        if ledger.used_refresh and ledger.refresh is not None:
            await repository.use_refresh(tx, ledger.refresh.mark, ledger.now)
        if ledger.gave_refresh is not None:
            await repository.add_refresh(tx, ledger.gave_refresh)
        if ledger.gave_access_to is not None and ledger.holder is not None:
            await self._sessions.see(tx, ledger.holder.session, ledger.now)
        if ledger.replayed is not None:
            await self._end(tx, ledger.replayed, "replayed", "anonymous", ledger.now)
        if ledger.took_back is not None:
            actor = f"client/{ledger.took_back.client}"
            if ledger.took_back.session is not None:
                await self._end(tx, ledger.took_back.session, "revoked", actor, ledger.now)
            elif ledger.took_back.active:
                await self._clients.revoke(tx, ledger.took_back.client, ledger.now, actor=actor, reason="revoked")

    async def _end(self, tx: Transaction, session: UUID, reason: str, actor: str, now: datetime) -> None:
        found = await repository.by_id(tx, session)
        if found is not None:
            await self._sessions.end(tx, found.id, found.name, now, reason=reason, actor=actor)

    async def _publish_client(self, tx: Transaction, name: str, now: datetime) -> None:
        event = SignedIn(name=name, method="client_credentials")
        envelope = self._outbox.envelope(
            event, feature="sign_in", subject=f"account/{name}", actor=f"client/{name}", at=now
        )
        await self._outbox.add(tx, envelope, event)
