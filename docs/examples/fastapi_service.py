"""A web service of one's own that answers with records; `extractor serve` is a whole one, with jobs, keys and bounds.

pip install recordproof fastapi uvicorn
uvicorn --factory fastapi_service:build_service
curl --data-binary @invoice.pdf 'http://127.0.0.1:8000/invoices?name=invoice.pdf'
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, HTTPException, Request

from extractor import Engine, load_task
from extractor.errors import DocumentError

MAX_BYTES = 20 << 20


def build_service(engine: Engine | None = None) -> FastAPI:
    """The service; without an engine, the embedded model answers, or what the environment names."""
    invoice = load_task("invoice")
    answering = engine or Engine()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with answering:  # one engine for all requests, which ends with the service
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/invoices")
    async def read_invoice(request: Request, name: str) -> dict[str, Any]:
        data = b""
        async for piece in request.stream():
            data += piece
            if len(data) > MAX_BYTES:
                raise HTTPException(413, f"A document has at most {MAX_BYTES >> 20} MB.")
        try:
            found = await answering.aextract(data, invoice, name=name)
        except DocumentError as error:
            raise HTTPException(422, str(error)) from error
        evidence = {path: proof.quote for path, proof in found.file.evidence.items() if proof}
        return {"status": str(found.status), "record": found.record, "evidence": evidence}

    return app
