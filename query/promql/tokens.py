"""The words and signs of PromQL, and how error messages name them."""

from dataclasses import dataclass

from query.promql.ast import Place
from query.promql.gotext import quote
from query.promql.signatures import AGGREGATIONS

IDENTIFIER = "identifier"
METRIC_IDENTIFIER = "metric identifier"
STRING = "string"
NUMBER = "number"
DURATION = "duration"
END = "end of input"

SET_OPERATORS = frozenset({"and", "or", "unless"})
KEYWORDS = frozenset(
    {"anchored", "bool", "by", "fill", "fill_left", "fill_right", "group_left", "group_right", "ignoring"}
    | {"offset", "on", "smoothed", "without"}
)
BOUNDS = frozenset({"start", "end"})
DURATION_FUNCTIONS = frozenset({"step", "range", "min_of", "max_of"})
WORDS = SET_OPERATORS | {"atan2"} | KEYWORDS | BOUNDS | DURATION_FUNCTIONS | AGGREGATIONS.keys()
"""Words with a meaning, in lower case; any case is read."""

METRIC_NAMES = frozenset(
    {IDENTIFIER, METRIC_IDENTIFIER, "anchored", "by", "fill", "fill_left", "fill_right", "offset", "smoothed"}
    | {"without"}
    | SET_OPERATORS
    | BOUNDS
    | DURATION_FUNCTIONS
    | AGGREGATIONS.keys()
)
"""Kinds of tokens that can stand for a metric."""

GROUPING_LABELS = (WORDS - {"without"}) | {IDENTIFIER, METRIC_IDENTIFIER}
"""Kinds of tokens that can stand for a label without quotes in ``by (...)``."""

_OPERATORS = frozenset(
    {"+", "-", "*", "/", "%", "^", "==", "!=", "<", "<=", ">", ">=", "</", ">/", "=~", "!~", "@", "atan2"}
)
_SHOWN = 10  # characters of a token that a message repeats


@dataclass(frozen=True, slots=True)
class Token:
    """One word or sign.

    Attributes:
        kind: the sign itself, the word in lower case, or one of the constants above.
        text: as written.
        value: of a string, its escapes resolved.
    """

    kind: str
    text: str
    place: Place
    value: str = ""

    def describe(self) -> str:
        """As Prometheus names it after ``unexpected``."""
        if self.kind == END:
            return END
        if self.kind in {IDENTIFIER, METRIC_IDENTIFIER}:
            return f"{self.kind} {quote(self.text)}"
        if self.kind in KEYWORDS:
            return f"<{self.text}>"
        if self.kind in _OPERATORS or self.kind in SET_OPERATORS:
            return f"<op:{self.text}>"
        if self.kind in AGGREGATIONS:
            return f"<aggr:{self.text}>"
        shown = quote(self.text)
        if len(self.text) > _SHOWN:
            shown = f"{quote(self.text[:_SHOWN])}..."
        return f"{self.kind} {shown}" if self.kind in {STRING, NUMBER, DURATION} else shown
