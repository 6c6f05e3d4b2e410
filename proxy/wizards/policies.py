"""Faults, timeouts, retries and mirroring: fields of every route that leads to a service."""

from typing import Any

from proxy.wizards.conditions import conditions, match
from proxy.wizards.forms import WHOLE, Abort, Delay, FaultInjection, Mirroring, Retries, Timeouts
from proxy.wizards.subject import Document, Subject
from proxy.wizards.subsets import known, subsets
from vigla.errors import BadInput

FAULT = "fault"
"""Name of the route for requests that alone have faults."""


def inject(form: FaultInjection, subject: Subject) -> list[Document]:
    """The VirtualService with these faults.

    Raises:
        BadInput: there is nothing to put them on.
    """
    document, routes = _routes(subject, "fault-injection")
    fault = _fault(form)
    document["spec"]["http"] = [each for each in document["spec"]["http"] if each.get("name") != FAULT]
    routes = [each for each in routes if each.get("name") != FAULT]
    for route in routes:
        route.pop("fault", None)
        if fault and form.when is None:
            route["fault"] = fault
    if fault and form.when:
        last = next((each for each in reversed(routes) if not each.get("match")), routes[-1])
        others = {key: value for key, value in last.items() if key not in {"name", "match", "fault"}}
        special = {"name": FAULT, "match": [match((form.when,))], "fault": fault, **others}
        document["spec"]["http"].insert(0, special)
    return [document]


def injected(subject: Subject) -> FaultInjection:
    """The present faults: of the first route that has any.

    Raises:
        BadInput: as ``inject``.
    """
    _, routes = _routes(subject, "fault-injection")
    route = next((each for each in routes if each.get("fault")), None)
    if route is None:
        return FaultInjection()
    asked = conditions(route) if route.get("name") == FAULT else None
    return FaultInjection(
        delay=_read_delay(route["fault"].get("delay")),
        abort=_read_abort(route["fault"].get("abort")),
        when=asked[0] if asked else None,
    )


def limit(form: Timeouts, subject: Subject) -> list[Document]:
    """The VirtualService with this timeout and these retries.

    Raises:
        BadInput: there is nothing to put them on.
    """
    document, routes = _routes(subject, "timeouts")
    for route in routes:
        _put(route, "timeout", form.timeout)
        _put(route, "retries", _retries(form.retries, route.get("retries") or {}))
    return [document]


def limited(subject: Subject) -> Timeouts:
    """The present ones, of the first route.

    Raises:
        BadInput: as ``limit``.
    """
    _, routes = _routes(subject, "timeouts")
    written = routes[0].get("retries")
    retries = written and Retries(
        attempts=written.get("attempts", 0),
        per_try_timeout=written.get("perTryTimeout"),
        retry_on=written.get("retryOn", ""),
    )
    return Timeouts(timeout=routes[0].get("timeout"), retries=retries or None)


def mirror(form: Mirroring, subject: Subject) -> list[Document]:
    """The objects that send copies to a version.

    Raises:
        BadInput: there is nothing to put it on, or a route has mirrors that a form cannot show.
    """
    document, routes = _routes(subject, "mirroring")
    found = subsets(subject, [form.version] if form.version else [], "mirroring")
    for route in routes:
        if route.get("mirrors"):
            raise BadInput("a route of this service has several mirrors: edit it by hand")
        for field in ("mirror", "mirrorPercentage", "mirrorPercent"):
            route.pop(field, None)
        if form.version:
            host = route["route"][0]["destination"]["host"]
            route["mirror"] = {"host": host, "subset": found.names[form.version]}
            route["mirrorPercentage"] = {"value": form.percent}
    return [document, *([found.rule] if found.rule else [])]


def mirrored(subject: Subject) -> Mirroring:
    """The present mirror.

    Raises:
        BadInput: as ``mirror``.
    """
    _, routes = _routes(subject, "mirroring")
    route = next((each for each in routes if each.get("mirror")), None)
    if route is None:
        return Mirroring()
    version = known(subject).get(route["mirror"].get("subset", ""))
    percent = route.get("mirrorPercentage", {}).get("value") or route.get("mirrorPercent") or WHOLE
    return Mirroring(version=version, percent=percent)


def _routes(subject: Subject, kind: str) -> tuple[Document, list[Document]]:
    if not subject.http:
        raise BadInput("this service has no HTTP port: nothing is known about its requests")
    document = subject.routed(kind)
    routes = subject.own_routes(document)
    if not routes:
        raise BadInput(f"VirtualService {document['metadata']['name']} has no route to this service alone")
    return document, routes


def _put(route: Document, field: str, value: Any) -> None:
    if value is None:
        route.pop(field, None)
    else:
        route[field] = value


def _fault(form: FaultInjection) -> Document:
    made: Document = {}
    if form.delay:
        made["delay"] = {"percentage": {"value": form.delay.percent}, "fixedDelay": form.delay.duration}
    if form.abort:
        made["abort"] = {"percentage": {"value": form.abort.percent}, "httpStatus": form.abort.status}
    return made


def _read_delay(written: Document | None) -> Delay | None:
    if not written or "fixedDelay" not in written:
        return None
    return Delay(percent=_percent(written), duration=written["fixedDelay"])


def _read_abort(written: Document | None) -> Abort | None:
    if not written or "httpStatus" not in written:
        return None
    return Abort(percent=_percent(written), status=written["httpStatus"])


def _percent(written: Document) -> float:
    """Istio reads a fault without a percentage as one of every request."""
    return float(written.get("percentage", {}).get("value") or written.get("percent") or WHOLE)


def _retries(form: Retries | None, written: Document) -> Document | None:
    """Other fields of what is written stay."""
    if form is None:
        return None
    made = {**written, "attempts": form.attempts}
    _put(made, "perTryTimeout", form.per_try_timeout)
    _put(made, "retryOn", form.retry_on or None)
    return made
