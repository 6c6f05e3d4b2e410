"""What can be wrong with a PromQL query; the texts are those of Prometheus.

QueryError
├── PromqlError          the text is no PromQL, or its types do not fit ("bad_data")
└── ExecutionError       the series do not fit the query ("execution")
    └── TooManySamples   it would read more samples than allowed
"""

from query.promql.ast import Place
from vigla.errors import QueryError


class PromqlError(QueryError):
    """The query text is wrong; the message begins with line and column."""


class ExecutionError(QueryError):
    """The query cannot be answered with the series that there are."""


class TooManySamples(ExecutionError):
    """The query would read more samples than allowed."""

    def __init__(self) -> None:
        super().__init__("query processing would load too many samples into memory in query execution")


def parse_error(place: Place | str, message: str) -> PromqlError:
    """The error of a text that is no PromQL, or of an expression whose types do not fit."""
    return PromqlError(f"{place}: parse error: {message}")
