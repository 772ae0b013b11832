"""The HTTP door of the bulk import."""

from typing import Annotated

from fastapi import Request, Response
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from services.identity.intake import errors
from services.identity.intake.rules import COLUMNS
from services.identity.intake.schemas import ImportOutcome
from services.identity.intake.service import IMPORT, Intake
from services.identity.staff.service import CHANGE
from shared.auth import Principal, may
from shared.clock import now
from shared.web import Later, Router, problem_responses
from shared.web.media import MULTIPART, media_of

_FILE = {"type": "string", "format": "binary", "description": "CSV (UTF-8 or GB18030) or XLSX, header first"}
_SCHEMA = {"type": "object", "properties": {"file": _FILE}, "required": ["file"], "additionalProperties": False}


def build(intake: Intake) -> Router:
    router = Router(prefix="/v1/staff-imports", tags=["staff"])

    @router.post(
        "",
        summary="Enter and update many people from a file, all or none; or try it with dry_run=true",
        openapi_extra={"requestBody": {"required": True, "content": {MULTIPART: {"schema": _SCHEMA}}}},
        responses=problem_responses(400, 413, 415, 422),
    )
    async def import_staff(
        request: Request, work: Later, who: Annotated[Principal, may(IMPORT)], dry_run: bool = False
    ) -> ImportOutcome:
        content = await _file(request)
        return await intake.run(await work.begin(), who, content, now(), dry_run=dry_run)

    @router.get("/template.csv", summary="An empty table with the columns of an import", response_class=Response)
    async def get_import_template(_who: Annotated[Principal, may(CHANGE)]) -> Response:
        header = ",".join(column.code for column in COLUMNS)
        disposition = {"Content-Disposition": 'attachment; filename="staff.csv"'}
        return Response(f"\ufeff{header}\r\n".encode(), headers=disposition, media_type="text/csv; charset=utf-8")

    return router


async def _file(request: Request) -> bytes:
    if (media := media_of(request)) != MULTIPART:
        raise errors.not_a_form(media)
    try:
        async with request.form(max_files=1, max_fields=1) as form:
            files = [each for each in form.values() if isinstance(each, UploadFile)]
            if len(files) != 1 or len(form) != 1:
                raise errors.no_file()
            return await files[0].read()
    except HTTPException:
        raise errors.no_file() from None
