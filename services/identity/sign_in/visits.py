"""Who is asking for a page, in which language: the same for every page of the sign-in site.

A form that does not carry this browser's key is refused here, before anything else happens.
"""

from dataclasses import dataclass, field

from starlette.datastructures import FormData
from starlette.requests import Request

from services.identity.sign_in import errors
from services.identity.sign_in.rules import START, new_secret
from shared.auth import address_of as origin_of
from shared.web.media import own_form
from shared.web.site import FORM_FIELD, form_key, is_own_form, language_of, path_of

_COOKIE = "kehu_sign_in"
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Visit:
    """One request for a page. `path`: a page to come back to; `form` is empty but for POST."""

    path: str
    language: str
    address: str
    agent: str
    secret: str = field(repr=False)
    form: FormData = field(default_factory=FormData, repr=False)

    @property
    def form_key(self) -> str:
        return form_key(self.secret)

    def text(self, name: str) -> str:
        """A field of the form; "" if it is not filled in."""
        value = self.form.get(name)
        return value if isinstance(value, str) else ""


class Visits:
    """`secure`: the site is reached over https, so its cookie goes nowhere else."""

    def __init__(self, *, secure: bool) -> None:
        self.secure = secure
        self.cookie = f"__Host-{_COOKIE}" if secure else _COOKIE

    async def of(self, request: Request) -> Visit:
        """The visit. Raises: Forbidden (foreign_form)"""
        secret = request.cookies.get(self.cookie, "")
        if not secret or len(secret) > _LONGEST:
            secret = new_secret()
        form = FormData()
        if request.method == "POST":
            form = await own_form(request)
            if not is_own_form(secret, form.get(FORM_FIELD)):
                raise errors.foreign_form()
        agent = request.headers.get("user-agent", "")
        path = path_of(request) if request.method == "GET" else START
        return Visit(path, language_of(request), address_of(request), agent, secret, form)

    def unread(self, request: Request) -> Visit:
        """The visit without its form, for a page that says what went wrong."""
        secret = request.cookies.get(self.cookie) or new_secret()
        return Visit(START, language_of(request), address_of(request), "", secret)


def address_of(request: Request) -> str:
    """The network address of whoever asks, as far as it is known."""
    return origin_of(request) or ""
