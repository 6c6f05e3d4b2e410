"""Telemetry."""

from proxy.api.telemetry import CustomTag, Metrics, MetricsOverrides, ProviderRef, Telemetry, Tracing
from proxy.validate import checks, scope
from proxy.validate.spot import Spot


def telemetry(at: Spot, spec: Telemetry) -> None:
    """All rules of the kind."""
    scope.attachment(at, spec.selector, spec.target_ref, spec.target_refs)
    for spot, tracing in at.each("tracing", spec.tracing):
        _tracing(spot, tracing)
    if len(spec.tracing) > 1:
        (at / "tracing").warn("only the first entry of a direction has an effect")
    for spot, metrics in at.each("metrics", spec.metrics):
        _metrics(spot, metrics)
    for spot, logging in at.each("accessLogging", spec.access_logging):
        _providers(spot, logging.providers)
        if logging.filter is not None and not logging.filter.expression:
            (spot / "filter" / "expression").error("required: a CEL expression")


def _providers(at: Spot, providers: tuple[ProviderRef, ...]) -> None:
    for spot, provider in at.each("providers", providers):
        if not provider.name:
            (spot / "name").error("required: an extension provider of the mesh")


def _tracing(at: Spot, tracing: Tracing) -> None:
    _providers(at, tracing.providers)
    if len(tracing.providers) > 1:
        (at / "providers").warn("only the first provider has an effect")
    if tracing.random_sampling_percentage is not None:
        checks.percent(at / "randomSamplingPercentage", tracing.random_sampling_percentage)
    for spot, name, tag in at.entries("customTags", tracing.custom_tags):
        if not name:
            spot.error("a tag's name must not be empty")
        _tag(spot, tag)


def _tag(at: Spot, tag: CustomTag) -> None:
    texts = {
        "literal": tag.literal and tag.literal.value,
        "environment": tag.environment and tag.environment.name,
        "header": tag.header and tag.header.name,
        "formatter": tag.formatter and tag.formatter.value,
    }
    given = {name: text for name, text in texts.items() if text is not None}
    checks.one_of(at, **dict.fromkeys(given, True))
    if not given:
        at.error("a tag needs one of literal, environment, header, formatter")
    for name, text in given.items():
        if not text:
            part = "value" if name in {"literal", "formatter"} else "name"
            (at / name / part).error("required: must not be empty")


def _metrics(at: Spot, metrics: Metrics) -> None:
    _providers(at, metrics.providers)
    checks.duration(at / "reportingInterval", metrics.reporting_interval)
    for spot, override in at.each("overrides", metrics.overrides):
        _override(spot, override)


def _override(at: Spot, override: MetricsOverrides) -> None:
    match = override.match
    if match is not None:
        given = {"metric": match.metric is not None, "customMetric": match.custom_metric is not None}
        checks.one_of(at / "match", **given)
        if match.custom_metric == "":
            (at / "match" / "customMetric").error("must not be empty")
    for spot, name, tag in at.entries("tagOverrides", override.tag_overrides):
        if not name:
            spot.error("a tag's name must not be empty")
        if tag.operation == "UPSERT" and not tag.value:
            (spot / "value").error("required with operation UPSERT: a CEL expression")
        if tag.operation == "REMOVE" and tag.value:
            (spot / "value").error("cannot be used with operation REMOVE")
