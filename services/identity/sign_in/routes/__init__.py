"""The doors of signing in: OAuth endpoints, pages, and what signed-in people do with their own sign-ins."""

from fastapi import APIRouter

from services.identity.sign_in.routes.departure import build as departure
from services.identity.sign_in.routes.invitation import build as invitation
from services.identity.sign_in.routes.oauth import build as oauth
from services.identity.sign_in.routes.own import build as own
from services.identity.sign_in.routes.own_pages import build as own_pages
from services.identity.sign_in.routes.shell import build as shell
from services.identity.sign_in.routes.site import build as site

__all__ = ["APIRouter", "departure", "invitation", "oauth", "own", "own_pages", "shell", "site"]
