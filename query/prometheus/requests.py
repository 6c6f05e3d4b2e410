"""Requests of the API: their parameters, and work that runs within the bounds of queries."""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import parse_qsl

from fastapi import Request, Response

from query import bodies
from query.limits import MAX_ROWS, Limits
from query.prometheus import answers, params
from query.promql.ast import Expr
from query.promql.parser import parse
from vigla.errors import QueryError, ViglaError
from vigla.storage.api import QueryContext

MS_PER_S = 1000
MAX_FORM_BYTES = 10 * 1024 * 1024
FORM = "application/x-www-form-urlencoded"
Form = Mapping[str, Sequence[str]]


def one(form: Form, name: str) -> str:
    """A parameter, the first if it is given again; empty if it is not given."""
    return form.get(name, ("",))[0]


def parsed(form: Form) -> Expr:
    """The expression in ``query``.

    Raises:
        QueryError: it does not parse.
    """
    try:
        return parse(one(form, "query"))
    except QueryError as error:
        raise QueryError(f'invalid parameter "query": {error}') from error


class Requests:
    """Answers requests by work in threads.

    Args:
        limits: bounds of every query.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    async def answered(self, request: Request, work: Callable[[Form, QueryContext], Response]) -> Response:
        """Run a lookup or query within its bounds; errors become Prometheus' envelope."""
        try:
            form = await _form(request)
            wanted = one(form, "timeout")
            timeout = params.duration_ms("timeout", wanted) / MS_PER_S if wanted else float("inf")
            limit = min(timeout, self._limits.settings.promql_timeout_s)
            return await self._limits.run(
                request,
                lambda context: work(form, context),
                timeout_s=limit,
                max_rows=MAX_ROWS,
                waits=True,
            )
        except ViglaError as error:
            return answers.failed(error)


async def _form(request: Request) -> dict[str, list[str]]:
    """Parameters of the body, then those of the address."""
    pairs: list[tuple[str, str]] = []
    if request.method == "POST" and request.headers.get("content-type", "").startswith(FORM):
        pairs += parse_qsl(
            (await bodies.read(request, MAX_FORM_BYTES, "the form")).decode(errors="replace"),
            keep_blank_values=True,
        )
    pairs += request.query_params.multi_items()
    made: dict[str, list[str]] = {}
    for name, value in pairs:
        made.setdefault(name, []).append(value)
    return made
