"""Parameters of the graph APIs, from a query string to options."""

from collections.abc import Mapping

from pydantic import TypeAdapter, ValidationError

from query.prometheus.params import duration_ms
from query.topology.options import Focus, GraphOptions
from vigla.errors import BadInput, QueryError

_OPTIONS: TypeAdapter[GraphOptions] = TypeAdapter(GraphOptions)


def node_focus(path: Mapping[str, str]) -> Focus | None:
    """The node that a path is about."""
    return Focus(**path) if path else None


def options_of(
    query: Mapping[str, str], now: int, focus: Focus | None, *, everywhere: bool = False
) -> GraphOptions:
    """What the parameters of a request ask for; an empty ``appenders`` is none of the optional ones.

    Args:
        query: parameters by name.
        now: Unix seconds, where ``queryTime`` is not given.
        focus: of a node graph.
        everywhere: without ``namespaces`` all are meant.

    Raises:
        BadInput: a value is not one of those allowed, or ``namespaces`` is missing.
    """
    namespaces = [each for each in query.get("namespaces", "").split(",") if each]
    if not namespaces and focus is None and not everywhere:
        raise BadInput("namespaces is missing: name one or more, separated by commas")
    rates = {name.removeprefix("rate").lower(): query[name] for name in _RATES if query.get(name)}
    found: dict[str, object] = {
        "namespaces": namespaces,
        "graph_type": query.get("graphType") or "workload",
        "at": query.get("time") or query.get("queryTime") or now,
        "duration": seconds("duration", query.get("duration") or "10m"),
        "rates": rates,
        "inject_services": query.get("injectServiceNodes") or False,
        "idle_edges": query.get("includeIdleEdges") or False,
        "box_by": names(query.get("boxBy", "")),
        "appenders": names(query["appenders"]) if "appenders" in query else None,
        "response_time": query.get("responseTime") or "95",
        "throughput": query.get("throughputType") or "request",
        "focus": focus,
        "ambient": query.get("ambientTraffic", "none") != "none",
    }
    try:
        return _OPTIONS.validate_python(found)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise BadInput(f"{place}: {first['msg']}, not {first['input']!r}") from error


_RATES = ("rateGrpc", "rateHttp", "rateTcp")


def names(text: str) -> frozenset[str]:
    """What a list separated by commas has."""
    return frozenset(each.strip() for each in text.split(",") if each.strip())


def whole(name: str, text: str) -> int:
    """A whole number.

    Raises:
        BadInput: it is none.
    """
    try:
        return int(text)
    except ValueError:
        raise BadInput(f"{name}: whole Unix seconds, not {text!r}") from None


def seconds(name: str, text: str) -> int:
    """Whole seconds of a duration as ``10m``.

    Raises:
        BadInput: it is none.
    """
    try:
        return max(duration_ms(name, text) // 1000, 1)
    except QueryError as error:
        raise BadInput(str(error)) from error
