"""What a caller is told when something goes wrong: one table of codes, and what leads to each of them.

Every error is `{"error": {"code", "message", ...}}`. A handler raises `ApiError`; errors of the floors below, names of
constraints and the framework's own refusals are translated here and nowhere else.
"""

import logging
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import asyncpg
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from persistence import errors as persistence_errors
from studio import errors as studio_errors
from voice import errors as voice_errors

log = logging.getLogger(__name__)

CODES: Final[Mapping[str, tuple[int, str]]] = MappingProxyType(
    {
        "malformed": (400, "The request cannot be read."),
        "bad_webhook": (401, "This is no webhook of the voice provider."),
        "unauthenticated": (401, "Send a valid bearer token or session cookie."),
        "forbidden": (403, "Your role in this project does not allow this."),
        "voice_removed": (403, "The owner has removed you from the voice room: try again later."),
        "foreign_origin": (403, "A session cookie may only write from the studio's own pages."),
        "not_found": (404, "There is nothing here, or you may not see it."),
        "method_not_allowed": (405, "This address does not know that method."),
        "conflict": (409, "This does not fit what is stored."),
        "owner_is_fixed": (409, "The owner's membership cannot be changed or removed."),
        "too_many_projects": (409, "You own as many projects as one may: deleted ones count for thirty days."),
        "too_many_snapshots": (409, "This project has as many named snapshots as one may: delete some first."),
        "too_many_invites": (409, "This project has as many open invitations as one may: withdraw some first."),
        "track_locked": (409, "Somebody else holds this track: wait, or ask them."),
        "name_taken": (409, "This name is taken."),
        "username_taken": (409, "This username is taken."),
        "email_taken": (409, "This address has an account."),
        "moment_gone": (410, "This moment is no longer kept, or it never was."),
        "invite_expired": (410, "This invitation has expired."),
        "invite_revoked": (410, "This invitation was withdrawn."),
        "invite_exhausted": (410, "This invitation has been used up."),
        "invite_outdated": (410, "The owner removed you after this invitation was made: ask for a new one."),
        "too_large": (413, "The body is too large."),
        "invalid": (422, "A value is not allowed."),
        "rate_limited": (429, "Too many requests: try again later."),
        "internal": (500, "Something went wrong on our side."),
        "drafts_busy": (503, "Too many drafts are being read at this moment: try again."),
        "document_unavailable": (503, "This document cannot be opened until an operator has looked at it."),
        "database_unavailable": (503, "The database cannot be reached: try again."),
        "voice_unconfigured": (503, "This studio has no voice: nobody has set it up."),
        "voice_unavailable": (503, "The voice provider cannot be reached: try again."),
        "studio_not_built": (503, "The studio page has not been built."),
    }
)

CONSTRAINTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "project_invites_not_exhausted": "invite_exhausted",
        "project_members_one_owner": "owner_is_fixed",
        "studio_snapshots_name": "name_taken",
        "profiles_username_key": "username_taken",
        "users_email_key": "email_taken",
    }
)
"""The constraint a statement ran into → the code; a constraint without an entry is a conflict."""

STATUSES: Final[Mapping[int, str]] = MappingProxyType(
    {400: "malformed", 401: "unauthenticated", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}
)

EXPECTED: Final = frozenset({"voice_unconfigured", "drafts_busy"})
"""What is no failure, though it is answered like one: not logged."""


class ApiError(Exception):
    """A refusal with a code of `CODES`; `detail` is added to the error object."""

    def __init__(self, code: str, message: str | None = None, **detail: object) -> None:
        self.code = code
        self.message = message
        self.detail = detail
        super().__init__(code, message)


def translated(error: Exception) -> ApiError:
    """The refusal that an exception of the floors below means."""
    match error:
        case ApiError():
            return error
        case studio_errors.NotFound() | persistence_errors.NotFound():
            return ApiError("not_found")
        case studio_errors.Invalid(field=field, reason=reason):
            return ApiError("invalid", fields=[{"field": field, "reason": reason}])
        case studio_errors.Locked(track=track, user=user, until=until):
            return ApiError("track_locked", track=track, user=user, until=until)
        case voice_errors.Unavailable() | voice_errors.Misconfigured():
            return ApiError("voice_unavailable")
        case voice_errors.NotThere():
            return ApiError("not_found")
        case voice_errors.BadWebhook():
            return ApiError("bad_webhook")
        case persistence_errors.MomentGone(since=since):
            return ApiError("moment_gone", since=since)
        case persistence_errors.NameTaken():
            return ApiError("name_taken")
        case persistence_errors.Quarantined() | persistence_errors.CorruptState():
            return ApiError("document_unavailable")
        case asyncpg.IntegrityConstraintViolationError():
            return ApiError(CONSTRAINTS.get(error.constraint_name or "", "conflict"))
        case asyncpg.DataError():
            return ApiError("invalid")
        case _ if isinstance(error, persistence_errors.TRANSIENT):
            return ApiError("database_unavailable")
    return ApiError("internal")


def body(error: ApiError) -> dict[str, Any]:
    """The JSON of a refusal."""
    return {"error": {"code": error.code, "message": error.message or CODES[error.code][1], **error.detail}}


def response(error: ApiError) -> JSONResponse:
    """The answer to a request that was refused."""
    headers = {"Cache-Control": "no-store"}
    if error.code == "unauthenticated":
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(retry := error.detail.get("retry_after_seconds"), int):
        headers["Retry-After"] = str(retry)
    return JSONResponse(body(error), CODES[error.code][0], headers)


async def answer(request: Request, error: Exception) -> JSONResponse:
    """Any exception as an answer; what nobody thought of is logged, and told to nobody."""
    refusal = translated(error)
    if CODES[refusal.code][0] >= 500 and refusal.code not in EXPECTED:
        route = getattr(request.scope.get("route"), "path", "unmatched")
        log.error("request failed: %s", refusal.code, exc_info=error, extra={"route": route})
    return response(refusal)


async def answer_validation(_: Request, error: Exception) -> JSONResponse:
    """A path that names nothing is missing; a body that is no JSON is malformed; else the fields are named."""
    assert isinstance(error, RequestValidationError)
    problems: Sequence[Mapping[str, Any]] = error.errors()
    if any(problem["loc"][0] == "path" for problem in problems):
        return response(ApiError("not_found"))
    if any(problem["type"] == "json_invalid" for problem in problems):
        return response(ApiError("malformed"))
    # The value itself is never echoed: it may be a secret, a NaN or a megabyte.
    fields = [{"field": _field(problem["loc"]), "reason": str(problem["msg"])[:200]} for problem in problems[:20]]
    return response(ApiError("invalid", fields=fields))


def _field(location: Sequence[object]) -> str:
    return ".".join(str(part)[:80] for part in location[1:])


async def answer_http(_: Request, error: Exception) -> JSONResponse:
    """The framework's own refusals."""
    assert isinstance(error, HTTPException)
    refused = response(ApiError(STATUSES.get(error.status_code, "malformed")))
    refused.headers.update(error.headers or {})
    return refused


def install(app: FastAPI) -> None:
    """Makes `app` answer every exception in our form."""
    app.add_exception_handler(RequestValidationError, answer_validation)
    app.add_exception_handler(HTTPException, answer_http)
    ours = (studio_errors.StudioError, persistence_errors.PersistenceError, voice_errors.VoiceError)
    floors = (ApiError, *ours, asyncpg.PostgresError)
    for kind in (*floors, *persistence_errors.TRANSIENT, Exception):
        app.add_exception_handler(kind, answer)
