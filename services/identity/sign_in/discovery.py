"""The discovery document: what the provider offers, from the same names that it works with."""

from services.identity.client.rules import SCOPES
from services.identity.sign_in.grants import GRANTS, METHODS, SECRET_METHODS
from services.identity.sign_in.schemas import Discovery
from services.identity.signing_key.service import ALGORITHM
from shared.web.texts import LANGUAGE_TAGS

_CLAIMS = ("iss", "aud", "sub", "sid", "exp", "iat", "auth_time", "amr", "nonce", "at_hash")
_OF_PROFILE = ("name", "preferred_username")


def discovery(issuer: str) -> Discovery:
    """The document of an issuer."""
    address = issuer.rstrip("/")
    return Discovery(
        issuer=issuer,
        authorization_endpoint=f"{address}/oauth/authorize",
        token_endpoint=f"{address}/oauth/token",
        userinfo_endpoint=f"{address}/oauth/userinfo",
        jwks_uri=f"{address}/.well-known/jwks.json",
        revocation_endpoint=f"{address}/oauth/revoke",
        introspection_endpoint=f"{address}/oauth/introspect",
        end_session_endpoint=f"{address}/oauth/logout",
        scopes_supported=[*SCOPES],
        claims_supported=[*_CLAIMS, *_OF_PROFILE],
        response_types_supported=["code"],
        response_modes_supported=["query"],
        grant_types_supported=[*GRANTS],
        prompt_values_supported=["none", "login"],
        subject_types_supported=["public"],
        ui_locales_supported=[*LANGUAGE_TAGS.values()],
        code_challenge_methods_supported=["S256"],
        id_token_signing_alg_values_supported=[ALGORITHM],
        token_endpoint_auth_methods_supported=[*METHODS],
        revocation_endpoint_auth_methods_supported=[*METHODS],
        introspection_endpoint_auth_methods_supported=[*SECRET_METHODS],
        authorization_response_iss_parameter_supported=True,
        claims_parameter_supported=False,
        request_parameter_supported=False,
        request_uri_parameter_supported=False,
    )
