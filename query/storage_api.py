"""``GET /api/vigla/v1/storage``: what the lake's tables consist of."""

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from query import native_errors
from vigla.errors import ViglaError
from vigla.storage.api import Reader
from vigla.storage.tables import LakeTables

PATH = "/api/vigla/v1"


def router(store: Reader, tables: LakeTables) -> APIRouter:
    """The route.

    Args:
        store: what is described.
        tables: its tables, in the answer's order.
    """
    routes = APIRouter(prefix=PATH, tags=["storage"])

    @routes.get("/storage")
    async def storage() -> Response:
        """Files, rows and bytes of each table, and its oldest and newest ``ts``.

        Rows that wait in memory for the next flush are in none of them.
        """
        try:
            found = await run_in_threadpool(lambda: [_table(store, each.name) for each in tables.all])
        except ViglaError as error:
            return native_errors.answer(error)
        return JSONResponse({"tables": found})

    return routes


def _table(store: Reader, name: str) -> dict[str, Any]:
    """Times in Unix nanoseconds, null without files."""
    files = store.files(name)
    return {
        "name": name,
        "files": len(files),
        "rows": sum(file.rows for file in files),
        "bytes": sum(file.size for file in files),
        "oldest": str(min(file.min_ns for file in files)) if files else None,
        "newest": str(max(file.max_ns for file in files)) if files else None,
    }
