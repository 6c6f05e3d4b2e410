"""What can be wrong with a PromQL query; the texts are those of Prometheus."""

from query.promql.ast import Place
from vigla.errors import QueryError


class PromqlError(QueryError):
    """The query text is wrong; the message begins with line and column."""


def parse_error(place: Place | str, message: str) -> PromqlError:
    """The error of a text that is no PromQL, or of an expression whose types do not fit."""
    return PromqlError(f"{place}: parse error: {message}")
