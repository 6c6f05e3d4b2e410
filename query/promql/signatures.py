"""Names, argument types and result types of PromQL's functions and aggregations (Prometheus 3.14)."""

from dataclasses import dataclass

from query.promql.ast import ValueType


@dataclass(frozen=True, slots=True)
class Signature:
    """How a function is called.

    Attributes:
        arguments: types of the arguments; the last one counts for all further ones.
        variadic: 0: exactly these arguments; ``n`` > 0: the last may be absent or come up to ``n`` times;
            -1: the last may be absent or come any number of times.
        experimental: behind a flag in Prometheus; here always on.
    """

    name: str
    arguments: tuple[ValueType, ...]
    returns: ValueType
    variadic: int = 0
    experimental: bool = False


_VECTOR_FUNCTIONS = [
    "abs",
    "absent",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "ceil",
    "cos",
    "cosh",
    "deg",
    "exp",
    "floor",
    "histogram_avg",
    "histogram_count",
    "histogram_stddev",
    "histogram_stdvar",
    "histogram_sum",
    "ln",
    "log10",
    "log2",
    "rad",
    "sgn",
    "sin",
    "sinh",
    "sort",
    "sort_desc",
    "sqrt",
    "tan",
    "tanh",
    "timestamp",
]
_RANGE_FUNCTIONS = [
    "absent_over_time",
    "avg_over_time",
    "changes",
    "count_over_time",
    "delta",
    "deriv",
    "first_over_time",
    "idelta",
    "increase",
    "irate",
    "last_over_time",
    "max_over_time",
    "min_over_time",
    "present_over_time",
    "rate",
    "resets",
    "stddev_over_time",
    "stdvar_over_time",
    "sum_over_time",
]
_EXPERIMENTAL_RANGE_FUNCTIONS = [
    "mad_over_time",
    "ts_of_first_over_time",
    "ts_of_last_over_time",
    "ts_of_max_over_time",
    "ts_of_min_over_time",
]
DATE_FUNCTIONS = [
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "days_in_month",
    "hour",
    "minute",
    "month",
    "year",
]
_QUERY_FUNCTIONS = ["end", "range", "start", "step"]
_OTHERS = (
    Signature("clamp", ("vector", "scalar", "scalar"), "vector"),
    Signature("clamp_max", ("vector", "scalar"), "vector"),
    Signature("clamp_min", ("vector", "scalar"), "vector"),
    Signature("double_exponential_smoothing", ("matrix", "scalar", "scalar"), "vector", experimental=True),
    Signature("histogram_fraction", ("scalar", "scalar", "vector"), "vector"),
    Signature("histogram_quantile", ("scalar", "vector"), "vector"),
    Signature(
        "histogram_quantiles", ("vector", "string", "scalar", "scalar"), "vector", 9, experimental=True
    ),
    Signature("info", ("vector", "vector"), "vector", 1, experimental=True),
    Signature("label_join", ("vector", "string", "string", "string"), "vector", -1),
    Signature("label_replace", ("vector", "string", "string", "string", "string"), "vector"),
    Signature("max_of", ("scalar", "scalar"), "scalar", experimental=True),
    Signature("min_of", ("scalar", "scalar"), "scalar", experimental=True),
    Signature("pi", (), "scalar"),
    Signature("predict_linear", ("matrix", "scalar"), "vector"),
    Signature("quantile_over_time", ("scalar", "matrix"), "vector"),
    Signature("round", ("vector", "scalar"), "vector", 1),
    Signature("scalar", ("vector",), "scalar"),
    Signature("sort_by_label", ("vector", "string"), "vector", -1, experimental=True),
    Signature("sort_by_label_desc", ("vector", "string"), "vector", -1, experimental=True),
    Signature("start_timestamp", ("vector",), "vector", experimental=True),
    Signature("time", (), "scalar"),
    Signature("vector", ("scalar",), "vector"),
)

SIGNATURES: dict[str, Signature] = {
    signature.name: signature
    for signature in (
        *(Signature(name, ("vector",), "vector") for name in _VECTOR_FUNCTIONS),
        *(Signature(name, ("matrix",), "vector") for name in _RANGE_FUNCTIONS),
        *(
            Signature(name, ("matrix",), "vector", experimental=True)
            for name in _EXPERIMENTAL_RANGE_FUNCTIONS
        ),
        *(Signature(name, ("vector",), "vector", 1) for name in DATE_FUNCTIONS),
        *(Signature(name, (), "scalar", experimental=True) for name in _QUERY_FUNCTIONS),
        *_OTHERS,
    )
}

AGGREGATIONS: dict[str, ValueType | None] = {
    "avg": None,
    "bottomk": "scalar",
    "count": None,
    "count_values": "string",
    "group": None,
    "limit_ratio": "scalar",
    "limitk": "scalar",
    "max": None,
    "min": None,
    "quantile": "scalar",
    "stddev": None,
    "stdvar": None,
    "sum": None,
    "topk": "scalar",
}
"""Type of the parameter; None: the aggregation takes none."""
