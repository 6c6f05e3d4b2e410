"""Traffic shifting and request routing: which version gets which requests."""

from collections.abc import Sequence

from proxy.wizards.conditions import conditions, match
from proxy.wizards.destinations import targets, weights
from proxy.wizards.forms import Preferred, RequestRouting, Rule, TrafficShifting
from proxy.wizards.subject import Document, Subject
from proxy.wizards.subsets import known, subsets
from vigla.errors import BadInput

PREFERRED = "preferred"
"""Name of the route for requests that get a version whatever the shares are."""


def shift(form: TrafficShifting, subject: Subject) -> list[Document]:
    """The objects that give versions these shares.

    Raises:
        BadInput: the form does not fit the service, or no route takes the requests that are left.
    """
    section = "http" if subject.http else "tcp"
    if form.preferred and not subject.http:
        raise BadInput("only requests have headers: this service has no HTTP port")
    document = subject.routed("traffic-shifting")
    last = _last(subject, document, section)
    wanted = [version for version, share in form.weights.items() if share]
    if form.preferred:
        wanted.append(form.preferred.version)
    found = subsets(subject, dict.fromkeys(wanted), "traffic-shifting")
    before = {**last, "route": list(last["route"])}
    last["route"] = targets(form.weights, found.names, before)
    if section == "http":
        routes = document["spec"]["http"]
        there = [route for route in routes if route.get("name") == PREFERRED]
        routes[:] = [route for route in routes if route.get("name") != PREFERRED]
        if form.preferred:
            like = {**before, "route": [target for route in (*there, before) for target in route["route"]]}
            routes.insert(_place(routes, last), _preferred(form.preferred, found.names, like))
    return [document, *([found.rule] if found.rule else [])]


def shifted(subject: Subject) -> TrafficShifting:
    """The present shares.

    Raises:
        BadInput: as ``shift``, or the service has no versions.
    """
    _versions(subject)
    section = "http" if subject.http else "tcp"
    document = subject.routed("traffic-shifting")
    versions = known(subject)
    shares = weights(_last(subject, document, section), versions, subject.versions)
    return TrafficShifting(weights=shares, preferred=_read_preferred(document, versions))


def reroute(form: RequestRouting, subject: Subject) -> list[Document]:
    """The objects that route by these rules; routes that no rule names are dropped.

    Raises:
        BadInput: the form does not fit the service.
    """
    if not subject.http:
        raise BadInput("this service has no HTTP port: nothing is known about its requests")
    document = subject.routed("request-routing")
    routes = document["spec"].get("http", [])
    wanted = [version for rule in form.rules for version, share in rule.weights.items() if share]
    found = subsets(subject, dict.fromkeys(wanted), "request-routing")
    document["spec"]["http"] = [_ruled(rule, routes, subject, found.names) for rule in form.rules]
    return [document, *([found.rule] if found.rule else [])]


def routed(subject: Subject) -> RequestRouting:
    """The present rules; what a form cannot show is kept as it is.

    Raises:
        BadInput: the service has no versions, or no HTTP port.
    """
    _versions(subject)
    if not subject.http:
        raise BadInput("this service has no HTTP port: nothing is known about its requests")
    document = subject.routed("request-routing")
    own = subject.own_routes(document)
    versions = known(subject)
    rules = []
    for place, route in enumerate(document["spec"].get("http", ())):
        asked = conditions(route)
        if asked is None or not any(route is each for each in own):
            rules.append(Rule(of=place, kept=True))
        else:
            shares = weights(route, versions, subject.versions)
            rules.append(Rule(of=place, conditions=asked, weights=shares))
    return RequestRouting(rules=tuple(rules))


def _ruled(rule: Rule, routes: Sequence[Document], subject: Subject, names: dict[str, str]) -> Document:
    if rule.of is not None and rule.of >= len(routes):
        raise BadInput(
            f"there is no route {rule.of + 1} any more: the configuration changed, open the wizard anew"
        )
    before = routes[rule.of] if rule.of is not None else {}
    if rule.kept:
        return before
    like = before if before.get("route") else {"route": [{"destination": {"host": subject.service.hostname}}]}
    made = {key: value for key, value in before.items() if key not in {"match", "route"}}
    first = {"match": [match(rule.conditions)]} if rule.conditions else {}
    return first | made | {"route": targets(rule.weights, names, like)}


def _last(subject: Subject, document: Document, section: str) -> Document:
    """The route of requests that no other takes."""
    found = [route for route in subject.own_routes(document, section) if not route.get("match")]
    if not found:
        name = document["metadata"]["name"]
        raise BadInput(f"VirtualService {name} has no route without a match to this service: edit it by hand")
    return found[-1]


def _place(routes: list[Document], route: Document) -> int:
    return next(place for place, each in enumerate(routes) if each is route)


def _preferred(wanted: Preferred, names: dict[str, str], like: Document) -> Document:
    others = {key: value for key, value in like.items() if key not in {"name", "match", "route"}}
    route = targets({wanted.version: 100}, names, like)
    return {"name": PREFERRED, "match": [match((wanted.when,))], **others, "route": route}


def _read_preferred(document: Document, versions: dict[str, str]) -> Preferred | None:
    for route in document["spec"].get("http", ()):
        asked = conditions(route)
        if route.get("name") == PREFERRED and asked and len(asked) == 1:
            version = versions.get(route["route"][0]["destination"].get("subset", ""))
            return Preferred(when=asked[0], version=version) if version else None
    return None


def _versions(subject: Subject) -> None:
    if not subject.versions:
        raise BadInput(
            f"no workload of {subject.service.name} has the label version: label them to tell versions apart"
        )
