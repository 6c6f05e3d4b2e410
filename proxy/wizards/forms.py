"""What people fill in: one form for each wizard. Names of fields are those of the HTTP API."""

from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from proxy.api.base import parse_duration

WHOLE = 100
Kind = Literal[
    "traffic-shifting",
    "request-routing",
    "fault-injection",
    "timeouts",
    "mirroring",
    "circuit-breaker",
]


def _duration(text: str) -> str:
    parse_duration(text)
    return text


Duration = Annotated[str, AfterValidator(_duration)]
Share = Annotated[float, Field(gt=0, le=WHOLE)]
Weights = Annotated[
    dict[str, Annotated[int, Field(ge=0, le=WHOLE)]], Field(description="percent of the requests by version")
]


class Form(BaseModel):
    """Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Condition(Form):
    """A part of a request and what it has to be; of an ``exact`` text, a ``prefix`` or an RE2 ``regex``."""

    part: Literal["header", "query", "uri", "method", "authority", "scheme"] = "header"
    name: str = Field("", description="of the header or query parameter")
    how: Literal["exact", "prefix", "regex"] = "exact"
    value: str = Field(min_length=1)

    @model_validator(mode="after")
    def _named(self) -> Self:
        named = self.part in {"header", "query"}
        if named != bool(self.name):
            raise ValueError("name the header or query parameter" if named else f"{self.part} has no name")
        return self


class Preferred(Form):
    """Requests of one kind that get a version whatever the shares are: A/B by header."""

    when: Condition
    version: str


class TrafficShifting(Form):
    """Shares of versions: canary, blue/green, A/B."""

    weights: Weights
    preferred: Preferred | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        _check_sum(self.weights)
        return self


class Rule(Form):
    """One rule of request routing.

    Attributes:
        of: place of the route that it comes from, whose other fields it keeps; None for a new one.
        kept: the route stays as it is written; conditions and weights are not looked at.
        conditions: all have to hold; without any, every request that got so far.
    """

    of: int | None = Field(None, ge=0)
    kept: bool = False
    conditions: tuple[Condition, ...] = ()
    weights: Weights = Field(default_factory=dict)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.kept and self.of is None:
            raise ValueError("a new rule cannot be kept as it is")
        if not self.kept:
            _check_sum(self.weights)
        if len({(each.part, each.name) for each in self.conditions}) < len(self.conditions):
            raise ValueError("two conditions are about the same part of a request")
        return self


class RequestRouting(Form):
    """Rules in order: the first whose conditions hold counts."""

    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _last(self) -> Self:
        for place, rule in enumerate(self.rules[:-1]):
            if not rule.kept and not rule.conditions:
                raise ValueError(f"rule {place + 1} takes every request: put it last")
        return self


class Delay(Form):
    """Requests wait before they are sent."""

    percent: Share
    duration: Duration


class Abort(Form):
    """Requests are answered with an error instead."""

    percent: Share
    status: Annotated[int, Field(ge=200, le=599)]


class FaultInjection(Form):
    """Faults of all requests, or of those that ``when`` describes; none of both takes faults away."""

    delay: Delay | None = None
    abort: Abort | None = None
    when: Condition | None = None


class Retries(Form):
    """``attempts`` 0 forbids them; conditions as Envoy's ``retry_on``."""

    attempts: Annotated[int, Field(ge=0, le=25)]
    per_try_timeout: Duration | None = None
    retry_on: str = ""


class Timeouts(Form):
    """None leaves it to the mesh's default."""

    timeout: Duration | None = None
    retries: Retries | None = None


class Mirroring(Form):
    """Copies of requests to a version, or none."""

    version: str | None = None
    percent: Share = WHOLE


class ConnectionLimits(Form):
    """More is refused at once; None: no limit."""

    max_connections: Annotated[int, Field(gt=0)] | None = None
    max_pending_requests: Annotated[int, Field(gt=0)] | None = None
    max_requests: Annotated[int, Field(gt=0)] | None = None
    max_requests_per_connection: Annotated[int, Field(gt=0)] | None = None
    max_retries: Annotated[int, Field(gt=0)] | None = None


class Ejection(Form):
    """An endpoint that fails so often in sequence gets nothing for a while."""

    consecutive_errors: Annotated[int, Field(gt=0)] = 5
    interval: Duration = "10s"
    duration: Duration = "30s"
    max_percent: Annotated[int, Field(ge=0, le=WHOLE)] = 10


class CircuitBreaker(Form):
    """None takes it away."""

    limits: ConnectionLimits | None = None
    ejection: Ejection | None = None


AnyForm: TypeAlias = TrafficShifting | RequestRouting | FaultInjection | Timeouts | Mirroring | CircuitBreaker
FORMS: dict[Kind, type[AnyForm]] = {
    "traffic-shifting": TrafficShifting,
    "request-routing": RequestRouting,
    "fault-injection": FaultInjection,
    "timeouts": Timeouts,
    "mirroring": Mirroring,
    "circuit-breaker": CircuitBreaker,
}


def read(kind: Kind, values: Any) -> AnyForm:
    """The form that JSON values fill in.

    Raises:
        pydantic.ValidationError: they do not; its places are those of the fields.
    """
    return FORMS[kind].model_validate(values)


def _check_sum(weights: dict[str, int]) -> None:
    if sum(weights.values()) != WHOLE:
        raise ValueError(f"the shares make {sum(weights.values())} % together, not {WHOLE} %")
