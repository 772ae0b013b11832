"""The HTTP door of submissions."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Query, Request, Response
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from services.reporting.submission import errors
from services.reporting.submission.filing import Filing
from services.reporting.submission.finding import Verdict
from services.reporting.submission.record import View
from services.reporting.submission.schemas import (
    Finding,
    Submission,
    Summary,
    cursor_of,
    finding_of,
    submission_of,
    summary_members,
)
from services.reporting.submission.service import Submissions
from shared.auth import Principal, may
from shared.clock import now
from shared.ids import parse_id
from shared.web import Cursor, Later, Limit, Page, Router, Tx, problem_responses
from shared.web.media import MULTIPART, media_of
from shared.web.pages import read_cursor, write_cursor
from shared.web.problems import prefers_chinese

Filer = Annotated[Principal, may("submission.create")]
Reader = Annotated[Principal, may("submission.read")]
AcceptLanguage = Annotated[str | None, Header(description="zh or en: the language of messages")]
Name = Annotated[str | None, Query(max_length=64)]

_ENVELOPE = {name: {"type": "string", "minLength": 1, "maxLength": 64} for name in ("report", "period", "org")}
_ROWS = {"type": "array", "items": {"type": "object"}, "description": "one object a row, by column code"}
_FILE = {"type": "string", "format": "binary", "description": "CSV (UTF-8 or GB18030) or XLSX, header first"}


def _object(**more: Any) -> dict[str, Any]:
    properties = {**_ENVELOPE, **more}
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": _object(rows=_ROWS)},
            MULTIPART: {"schema": _object(file=_FILE)},
        },
    }
}


def build(submissions: Submissions) -> Router:
    """The routes of submissions."""
    router = Router(prefix="/v1/submissions", tags=["submissions"])

    @router.post(
        "",
        status_code=201,
        summary="File a report, or try it with dry_run=true",
        openapi_extra=BODY,
        responses={
            200: {"model": Submission, "description": "Filed before, or a dry run"},
            **problem_responses(400, 409, 413, 415, 422),
        },
    )
    async def create_submission(
        request: Request,
        response: Response,
        work: Later,
        who: Filer,
        dry_run: bool = False,
        accept_language: AcceptLanguage = None,
    ) -> Submission:
        filing = await read_filing(request)
        if "idempotency-key" in request.headers:
            await submissions.hold(await work.begin())
        at = now()
        examined = await submissions.examine(filing, who, at)
        tx = await work.begin()
        if dry_run:
            response.status_code = 200
            return _answer(response, await submissions.check(tx, examined, who), accept_language)
        view, is_new = await submissions.file(tx, examined, who, at)
        response.status_code = 201 if is_new else 200
        response.headers["Location"] = f"/v1/submissions/{view.record['id']}"
        return _answer(response, view, accept_language)

    @router.get("", summary="Submissions, newest first", responses=problem_responses(400, 422))
    async def list_submissions(
        tx: Tx,
        who: Reader,
        report: Name = None,
        period: Name = None,
        org: Name = None,
        verdict: Verdict | None = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[Summary]:
        filters = {"report": report, "period": period, "org": org, "verdict": verdict and verdict.value}
        given = {name: value for name, value in filters.items() if value is not None}
        before = _id_of(cursor) if cursor else None
        rows = await submissions.list(tx, who, filters=given, before=before, limit=limit + 1)
        items = [Summary(**summary_members(row)) for row in rows[:limit]]
        return Page(items=items, next_cursor=write_cursor(str(items[-1].id)) if len(rows) > limit else None)

    @router.get(
        "/{submission_id}",
        summary="One submission, its verdict and first findings",
        responses=problem_responses(400, 404, 422),
    )
    async def get_submission(
        submission_id: UUID, response: Response, tx: Tx, who: Reader, accept_language: AcceptLanguage = None
    ) -> Submission:
        return _answer(response, await submissions.get(tx, submission_id, who, now()), accept_language)

    @router.get(
        "/{submission_id}/findings",
        summary="Findings by phase, rule and row",
        responses=problem_responses(400, 404, 422),
    )
    async def list_findings(
        submission_id: UUID,
        response: Response,
        tx: Tx,
        who: Reader,
        rule: Name = None,
        cursor: Cursor = None,
        limit: Limit = 200,
        accept_language: AcceptLanguage = None,
    ) -> Page[Finding]:
        start = max(0, read_cursor(cursor, int)[0]) if cursor else 0
        view = await submissions.findings(tx, submission_id, who, now(), rule=rule, start=start, limit=limit)
        language = _language(response, accept_language)
        groups = view.record["groups"]
        items = [finding_of(groups[each.group], each, language) for each in view.listed]
        return Page(items=items, next_cursor=cursor_of(view))

    return router


async def read_filing(request: Request) -> Filing:
    """What was sent: a JSON body, or a form with one file (kept on disk while it comes in)."""
    media = media_of(request, "application/json")
    if media == "application/json":
        return Filing(await request.body())
    if media != MULTIPART:
        raise errors.wrong_media(media)
    try:
        async with request.form(max_files=1, max_fields=8) as form:
            fields = {name: value for name, value in form.items() if isinstance(value, str)}
            files = [value for value in form.values() if isinstance(value, UploadFile)]
            return Filing(await files[0].read() if files else b"", fields)
    except HTTPException as error:
        raise errors.not_multipart(str(error.detail)) from None


def _answer(response: Response, view: View, accept_language: str | None) -> Submission:
    return submission_of(view, _language(response, accept_language))


def _language(response: Response, accept_language: str | None) -> str:
    chinese = prefers_chinese(accept_language)
    response.headers["Content-Language"] = "zh-CN" if chinese else "en"
    return "zh" if chinese else "en"


def _id_of(cursor: str) -> UUID:
    [text] = read_cursor(cursor, str)
    found = parse_id(text)
    if found is None:
        raise errors.bad_cursor(cursor)
    return found
