"""The OAuth and OpenID Connect server of one request: Authlib decides on a Ledger. Called by `provider` only.

Every answer that goes back to an app names its issuer (RFC 9207).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer, InvalidClientError
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oauth2.rfc9207 import IssuerParameter
from authlib.oidc.rpinitiated import EndSessionEndpoint

from services.identity.client.rules import Kind
from services.identity.sign_in import rules
from services.identity.sign_in.grants import (
    METHODS,
    SECRET_METHODS,
    Asked,
    CodeGrant,
    IdToken,
    KnownClient,
    OwnNameGrant,
    Pkce,
    PlainRequests,
    RefreshGrant,
)
from services.identity.sign_in.ledger import Holder, Ledger, Refresh, Token
from services.identity.signing_key.service import ACCESS_TOKEN, ALGORITHM, Signer
from shared.ids import new_id


@dataclass
class Answer:
    """What Authlib answers; `location` is where it sends the browser."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def location(self) -> str | None:
        return self.headers.get("Location")

    @location.setter
    def location(self, address: str) -> None:
        self.headers["Location"] = address


class _Revocation(RevocationEndpoint):  # type: ignore[misc]
    CLIENT_AUTH_METHODS = METHODS
    server: "Server"

    def query_token(self, token_string: str, token_type_hint: str | None) -> "_Presented | None":  # noqa: ARG002
        return _presented(self.server.ledger)

    def revoke_token(self, token: "_Presented", request: Asked) -> None:  # noqa: ARG002
        self.server.ledger.took_back = token.token


class _Introspection(IntrospectionEndpoint):  # type: ignore[misc]
    CLIENT_AUTH_METHODS = SECRET_METHODS
    server: "Server"

    def query_token(self, token_string: str, token_type_hint: str | None) -> "_Presented | None":  # noqa: ARG002
        return _presented(self.server.ledger)

    def check_permission(self, token: "_Presented", client: KnownClient, request: Asked) -> bool:  # noqa: ARG002
        """Services see to other people's tokens; a partner's system may ask about its own."""
        return client.client.kind is Kind.SERVICE or token.check_client(client)

    def introspect_token(self, token: "_Presented") -> dict[str, Any]:
        return dict(token.token.claims)


class _Presented:
    """A token that is asked about, as Authlib asks."""

    def __init__(self, token: Token) -> None:
        self.token = token

    def check_client(self, client: KnownClient) -> bool:
        return self.token.client == client.client_id

    def is_expired(self) -> bool:
        return not self.token.active

    def is_revoked(self) -> bool:
        return not self.token.active


def _presented(ledger: Ledger) -> _Presented | None:
    return None if ledger.token is None else _Presented(ledger.token)


END_SESSION, REVOCATION, INTROSPECTION = "end_session", "revocation", "introspection"


class _EndSession(EndSessionEndpoint):  # type: ignore[misc]
    server: "Server"

    def get_server_jwks(self) -> Any:
        return self.server.ledger.keys

    def get_algorithms(self) -> list[str]:
        return [ALGORITHM]

    def _is_valid_post_logout_redirect_uri(self, client: KnownClient, uri: str) -> bool:
        """Authlib would compare whole addresses, and a console on another port of loopback could sign in, not out."""
        return client.client.lets_go_to(uri)

    def end_session(self, end_session_request: Any) -> None:
        """`provider` does it, once it knows whose browser this is."""


class _Issuer(IssuerParameter):  # type: ignore[misc]
    def __init__(self, url: str) -> None:
        self._url = url

    def get_issuer(self) -> str:
        return self._url


class Server(AuthorizationServer):  # type: ignore[misc]
    """Authlib's server for one request."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self.ledger = ledger
        self._iss = _Issuer(ledger.issuer.url)
        self.register_extension(self._iss)
        self.register_grant(CodeGrant, [PlainRequests(), Pkce(required=True), IdToken(self)])
        self.register_grant(RefreshGrant)
        self.register_grant(OwnNameGrant)
        self.register_endpoint(_Revocation(self))
        self.register_endpoint(_Introspection(self))
        self.register_endpoint(_EndSession(self))
        tokens = BearerTokenGenerator(self._access_token, self._refresh_token, lambda *_: self._lifetime())
        self.register_token_generator("default", tokens)

    def _lifetime(self) -> int:
        """Seconds that an access token is good for: not longer than the sign-in that it comes from."""
        longest = self.ledger.issuer.lifetime
        holder = self.ledger.holder
        if holder is not None:
            longest = min(longest, holder.session.ends_at - self.ledger.now)
        return int(longest.total_seconds())

    @property
    def signer(self) -> Signer:
        assert self.ledger.signer is not None
        return self.ledger.signer

    def query_client(self, client_id: str) -> KnownClient | None:
        client = self.ledger.clients.get(client_id)
        return None if client is None else KnownClient(client, self.ledger.proven)

    def create_oauth2_request(self, request: Asked) -> Asked:
        return request

    def handle_response(self, status: int, body: Any, headers: Sequence[tuple[str, str]]) -> Answer:
        return Answer(status, body, dict(headers))

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def save_token(self, token: Mapping[str, Any], request: Asked) -> None:  # noqa: ARG002
        self.ledger.gave_access_to = request.client.client_id

    def handle_error_response(self, request: Asked, error: OAuth2Error) -> Answer:
        """An unknown client, a wrong secret and a wrong way to prove oneself read the same."""
        if isinstance(error, InvalidClientError):
            error = InvalidClientError("Unknown client, or not proven to be it.", status_code=401)
        answer: Answer = super().handle_error_response(request, error)
        return answer

    def with_issuer(self, answer: Answer) -> Answer:
        """An error that is sent back to the app names its issuer, too."""
        self._iss.add_issuer_parameter(self, answer)
        return answer

    def _access_token(
        self,
        client: KnownClient,
        grant_type: str,  # noqa: ARG002
        user: Holder | None,
        scope: str,
    ) -> str:
        ledger, own = self.ledger, client.client
        claims = rules.access_claims(
            issuer=ledger.issuer.url,
            audience=ledger.issuer.audience,
            name=own.name if user is None else user.person.name,
            roles=own.roles if user is None else user.person.roles,
            unit=own.unit if user is None else user.person.unit,
            client=own.name,
            token_id=new_id(),
            issued_at=ledger.now,
            lifetime_s=self._lifetime(),
        )
        if user is not None:
            claims["auth_time"] = int(user.session.authenticated_at.timestamp())
            claims["sid"] = str(user.session.id)
            claims["scope"] = scope
        return self.signer.sign(claims, kind=ACCESS_TOKEN)

    def _refresh_token(self, client: KnownClient, grant_type: str, user: Holder, scope: str) -> str:  # noqa: ARG002
        token = self.ledger.next_refresh or rules.new_secret()
        self.ledger.gave_refresh = Refresh(
            rules.mark_of(token), client.client_id, user.session.id, scope, self.ledger.now
        )
        return token
