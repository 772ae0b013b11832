"""Who is asking, and may they.

Tokens of any OpenID issuer say who; the directory's events say where they stand; the declared roles (regimes, kinds
`role` and `resource`) say what that grants. A route names one action: `may("customer.read")`.
"""

from shared.auth.authority import GENERAL, Authority, Holding, Power, Principal, Scope, Sight
from shared.auth.decision import Decision, Matter, Reason, Subject, decide
from shared.auth.doors import SignedIn, address_of, may, sign_in_too_old, within
from shared.auth.peers import NoOwnToken, OwnToken
from shared.auth.roster import EFFECTS, Follower, Roster, forget_ended, roster_table
from shared.auth.tokens import ALGORITHMS, ISSUED_AT, Authenticator, IssuerKeys, Keys, issued_at

__all__ = [
    "ALGORITHMS",
    "EFFECTS",
    "GENERAL",
    "ISSUED_AT",
    "Authenticator",
    "Authority",
    "Decision",
    "Follower",
    "Holding",
    "IssuerKeys",
    "Keys",
    "Matter",
    "NoOwnToken",
    "OwnToken",
    "Power",
    "Principal",
    "Reason",
    "Roster",
    "Scope",
    "Sight",
    "SignedIn",
    "Subject",
    "address_of",
    "decide",
    "forget_ended",
    "issued_at",
    "may",
    "roster_table",
    "sign_in_too_old",
    "within",
]
