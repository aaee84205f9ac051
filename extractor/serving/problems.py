"""What is not done, and why: one sentence, as a problem of RFC 9457 (application/problem+json)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import Response

from extractor.errors import DocumentError, ExtractorError, MachineError, ModelError, UsageError

PROBLEM_TYPE = "application/problem+json"


class Refused(Exception):
    """A request that is not done. `detail` is one sentence that says what to do next."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, dict(headers or {})


def build_problem(refused: Refused) -> Response:
    content = {
        "type": "about:blank",
        "title": HTTPStatus(refused.status).phrase,
        "status": refused.status,
        "detail": refused.detail,
    }
    body = json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace")
    return Response(body, refused.status, refused.headers, PROBLEM_TYPE)


def explain_error(error: ExtractorError) -> Refused:
    """What an error of ours is to a client."""
    match error:
        case DocumentError() | UsageError():
            return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        case MachineError():
            return Refused(HTTPStatus.SERVICE_UNAVAILABLE, str(error), {"Retry-After": "30"})
        case ModelError():
            return Refused(HTTPStatus.BAD_GATEWAY, str(error))
    return Refused(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
