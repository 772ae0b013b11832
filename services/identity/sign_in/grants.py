"""The three grants of OAuth and the ID token: Authlib decides, these feed it from a Ledger and note what it did.

What Authlib leaves open is settled here: PKCE by S256 for everybody, request objects and other response modes refused,
scopes that we do not know ignored.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from authlib.oauth2.rfc6749 import ClientMixin, InvalidRequestError, OAuth2Payload, OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, ClientCredentialsGrant, RefreshTokenGrant
from authlib.oauth2.rfc6749.util import extract_basic_authorization
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode
from authlib.oidc.core.errors import RequestNotSupportedError, RequestURINotSupportedError

from services.identity.client.rules import SCOPES, Client, Kind
from services.identity.sign_in import rules
from services.identity.sign_in.ledger import Code, Holder, Ledger, Refresh
from services.identity.signing_key.service import ALGORITHM, Signer

_PUBLIC, _BY_HEADER, _BY_FORM = "none", "client_secret_basic", "client_secret_post"
SECRET_METHODS = [_BY_HEADER, _BY_FORM]
METHODS = [*SECRET_METHODS, _PUBLIC]
_GRANTS = {
    Kind.APP: ("authorization_code", "refresh_token"),
    Kind.PARTNER: ("client_credentials",),
    Kind.SERVICE: ("client_credentials",),
}
GRANTS = ("authorization_code", "refresh_token", "client_credentials")
_SCHEME = "https:"  # whether transport is safe is the proxy's affair; Authlib would refuse what it sees behind one


class _Parameters(OAuth2Payload):  # type: ignore[misc]
    def __init__(self, parameters: Sequence[tuple[str, str]]) -> None:
        self._all = parameters

    @property
    def data(self) -> dict[str, str]:
        return dict(self._all)

    @property
    def datalist(self) -> dict[str, list[str]]:
        return {name: [value for key, value in self._all if key == name] for name, _ in self._all}


class Asked(OAuth2Request):  # type: ignore[misc]
    """A request as Authlib reads it. `parameters` in order, repeated ones too."""

    def __init__(self, method: str, parameters: Sequence[tuple[str, str]], authorization: str | None = None) -> None:
        headers = {"Authorization": authorization or ""}
        try:
            given = extract_basic_authorization(headers)
        except ValueError:  # not the UTF-8 that Authlib takes it for
            headers = {}
        else:
            if any("\0" in each for each in given if each is not None):  # no name or secret of ours
                headers = {}
        super().__init__(method, f"{_SCHEME}//issuer", headers=headers)
        self._form = dict(parameters)
        self.payload = _Parameters(parameters)

    @property
    def form(self) -> dict[str, str]:
        return self._form


class Books(Protocol):
    """The server as its grants need it."""

    ledger: Ledger

    @property
    def signer(self) -> Signer: ...


class KnownClient(ClientMixin):  # type: ignore[misc]
    """A client as Authlib asks about it."""

    def __init__(self, client: Client, proven: str | None) -> None:
        self.client = client
        self.client_id = client.name
        self._proven = proven

    def get_client_id(self) -> str:
        return self.client.name

    def get_default_redirect_uri(self) -> None:
        """None: an app says where to send people back to, every time."""

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """What is left of the scope; None refuses: an app asks for `openid`, others act by their roles alone."""
        asked = (scope or "").split()
        if not self.client.is_public:
            return None if asked else ""
        return " ".join(each for each in SCOPES if each in asked) if "openid" in asked else None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return self.client.sends_back_to(redirect_uri)

    def check_client_secret(self, client_secret: str) -> bool:
        """It was proven before (`credentials`)."""
        return self._proven is not None and client_secret == self._proven

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002 - the same everywhere
        return (method == _PUBLIC) == self.client.is_public

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code" and self.client.is_public

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in _GRANTS[self.client.kind]


class _Given:
    """A code or refresh token as Authlib asks about it."""

    def __init__(self, given: Code | Refresh, holder: Holder) -> None:
        self.given = given
        self.holder = holder
        self.code_challenge = given.challenge if isinstance(given, Code) else None
        self.code_challenge_method = "S256"

    def check_client(self, client: KnownClient) -> bool:
        return self.given.client == client.client_id

    def get_redirect_uri(self) -> str:
        assert isinstance(self.given, Code)
        return self.given.redirect_uri

    def get_scope(self) -> str:
        return self.given.scope

    def get_nonce(self) -> str | None:
        return self.given.nonce if isinstance(self.given, Code) else None

    def get_auth_time(self) -> int:
        return int(self.holder.session.authenticated_at.timestamp())

    def get_acr(self) -> None:
        """No classes of authentication are told apart."""

    def get_amr(self) -> list[str]:
        return self.holder.session.amr


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    server: Books

    def save_authorization_code(self, code: str, request: Asked) -> None:
        ledger = self.server.ledger
        assert ledger.code_ends_at is not None
        ledger.gave_code = Code(
            mark=rules.mark_of(code),
            client=request.client.client_id,
            session=request.user.session.id,
            redirect_uri=request.payload.redirect_uri,
            scope=request.scope,
            nonce=request.payload.data.get("nonce"),
            challenge=request.payload.data["code_challenge"],
            expires_at=ledger.code_ends_at,
        )

    def query_authorization_code(self, code: str, client: KnownClient) -> _Given | None:  # noqa: ARG002 - it is loaded
        ledger = self.server.ledger
        given = ledger.code
        if given is None or given.client != client.client_id:
            return None
        if given.used_at is not None:
            ledger.replayed = given.session
            return None
        if ledger.holder is None or ledger.now >= given.expires_at:
            return None
        return _Given(given, ledger.holder)

    def delete_authorization_code(self, authorization_code: _Given) -> None:  # noqa: ARG002
        self.server.ledger.used_code = True

    def authenticate_user(self, authorization_code: _Given) -> Holder:
        return authorization_code.holder


class RefreshGrant(RefreshTokenGrant):  # type: ignore[misc]
    INCLUDE_NEW_REFRESH_TOKEN = True
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    server: Books

    def authenticate_refresh_token(self, refresh_token: str) -> _Given | None:  # noqa: ARG002 - it is loaded
        ledger = self.server.ledger
        given = ledger.refresh
        if given is None:
            return None
        if given.used_at is not None and not given.may_repeat:
            ledger.replayed = given.session
            return None
        return None if ledger.holder is None else _Given(given, ledger.holder)

    def authenticate_user(self, refresh_token: _Given) -> Holder:
        return refresh_token.holder

    def revoke_old_credential(self, refresh_token: _Given) -> None:  # noqa: ARG002
        self.server.ledger.used_refresh = True


class OwnNameGrant(ClientCredentialsGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = SECRET_METHODS


class Pkce(CodeChallenge):  # type: ignore[misc]
    """S256 for everybody; a challenge that is missing or plain is refused before anybody signs in."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: CodeGrant, redirect_uri: str) -> None:
        asked = grant.request.payload.data
        if not asked.get("code_challenge"):
            raise InvalidRequestError("Missing 'code_challenge'")
        if asked.get("code_challenge_method") != "S256":
            raise InvalidRequestError("Unsupported 'code_challenge_method': use S256")
        super().validate_code_challenge(grant, redirect_uri)


class PlainRequests:
    """Parameters that would change what is asked, which we do not offer, are refused instead of overlooked."""

    def __call__(self, grant: CodeGrant) -> None:
        grant.register_hook("after_validate_authorization_request_payload", self._refuse)

    def _refuse(self, grant: CodeGrant, _redirect_uri: str) -> None:
        asked = grant.request.payload.data
        if "request" in asked:
            raise RequestNotSupportedError("Send the parameters themselves.")
        if "request_uri" in asked:
            raise RequestURINotSupportedError("Send the parameters themselves.")
        if asked.get("response_mode", "query") != "query":
            raise InvalidRequestError("Unsupported 'response_mode': use query")
        if "max_age" in asked and rules.seconds_of(asked["max_age"]) is None:
            raise InvalidRequestError("Invalid 'max_age': seconds")


class IdToken(OpenIDCode):  # type: ignore[misc]
    def __init__(self, server: Books) -> None:
        super().__init__(require_nonce=False)
        self._server = server

    def exists_nonce(self, nonce: str, request: Asked) -> bool:  # noqa: ARG002
        """A nonce binds the token to the app's own session: the app compares, nobody else can."""
        return False

    def get_client_algorithm(self, client: KnownClient) -> str:  # noqa: ARG002
        return ALGORITHM

    def get_encode_header(self, client: KnownClient) -> dict[str, str]:  # noqa: ARG002
        return {"alg": ALGORITHM, "kid": self._server.signer.kid, "typ": "JWT"}

    def resolve_client_private_key(self, client: KnownClient) -> Any:  # noqa: ARG002
        return self._server.signer.key

    def get_client_claims(self, client: KnownClient) -> dict[str, Any]:
        ledger = self._server.ledger
        issued = int(ledger.now.timestamp())
        expires = issued + int(ledger.issuer.lifetime.total_seconds())
        return {"iss": ledger.issuer.url, "aud": client.client_id, "iat": issued, "exp": expires}

    def generate_user_info(self, user: Holder, scope: str) -> dict[str, Any]:  # noqa: ARG002
        return {"sub": user.person.name, "sid": str(user.session.id)}
