"""Wizards: forms to objects and back, on what people wrote before."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from proxy.analyze.analyzers import analyze
from proxy.config.mesh_config import mesh_config
from proxy.registry.model import Protocol
from proxy.wizards.forms import Kind
from proxy.wizards.wizard import KINDS, changed, shown
from tests.proxy.wizards.services import HOST, MESH, about, applied, configured, routes, written
from vigla.errors import BadInput

WRITTEN = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: hand, labels: {team: a}}
spec:
  hosts: [reviews]
  http:
  - match: [{uri: {prefix: /old}}]
    redirect: {uri: /new}
  - name: testers
    match: [{headers: {end-user: {exact: jason}}}]
    timeout: 7s
    route:
    - destination: {host: reviews, subset: second}
      headers: {request: {set: {a: b}}}
  - route:
    - destination: {host: reviews, subset: first, port: {number: 9080}}
      weight: 75
    - destination: {host: reviews, subset: second}
      weight: 25
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: subsets}
spec:
  host: reviews
  trafficPolicy:
    loadBalancer: {simple: ROUND_ROBIN}
    connectionPool: {tcp: {maxConnections: 7, connectTimeout: 3s}}
  subsets:
  - {name: first, labels: {version: v1}}
  - {name: second, labels: {version: v2}}
"""


def test_shares_of_a_service_without_any_rule() -> None:
    before = about()
    assert shown("traffic-shifting", before).model_dump()["weights"] == {"v1": 50, "v2": 50}
    virtual_service, rule = changed("traffic-shifting", {"weights": {"v1": 80, "v2": 20}}, before)
    assert virtual_service["metadata"] == {
        "name": "reviews",
        "namespace": "shop",
        "labels": {"kiali_wizard": "traffic_shifting"},
    }
    assert virtual_service["spec"]["http"] == [
        {
            "route": [
                {"destination": {"host": HOST, "subset": "v1"}, "weight": 80},
                {"destination": {"host": HOST, "subset": "v2"}, "weight": 20},
            ]
        }
    ]
    assert [subset["name"] for subset in rule["spec"]["subsets"]] == ["v1", "v2"]


def test_shares_in_what_was_written_by_hand() -> None:
    before = about(WRITTEN)
    assert shown("traffic-shifting", before).model_dump()["weights"] == {"v1": 75, "v2": 25}
    (document,) = changed("traffic-shifting", {"weights": {"v1": 0, "v2": 100}}, before)
    expected = copy.deepcopy(before.virtual_service)
    assert expected
    expected["spec"]["http"][2]["route"] = [
        {"destination": {"host": "reviews", "subset": "second"}, "weight": 100}
    ]
    assert document == expected


def test_a_version_by_header() -> None:
    form = {
        "weights": {"v1": 100},
        "preferred": {"when": {"name": "group", "how": "prefix", "value": "beta"}, "version": "v2"},
    }
    before = about(WRITTEN)
    made = changed("traffic-shifting", form, before)
    assert [route.get("name") for route in routes(made)] == [None, "testers", "preferred", None]
    assert routes(made)[2]["match"] == [{"headers": {"group": {"prefix": "beta"}}}]
    after = applied(before, made)
    shown_then = shown("traffic-shifting", after).model_dump(mode="json")
    assert shown_then["preferred"] == {**form["preferred"], "when": {"part": "header", **_when(form)}}
    undone = changed("traffic-shifting", {"weights": {"v1": 75, "v2": 25}}, after)
    assert [route.get("name") for route in routes(undone)] == [None, "testers", None]


def _when(form: Any) -> Any:
    return form["preferred"]["when"]


def test_shares_of_connections() -> None:
    before = about("", protocol=Protocol.TCP)
    made = changed("traffic-shifting", {"weights": {"v1": 90, "v2": 10}}, before)
    assert [each["weight"] for each in made[0]["spec"]["tcp"][0]["route"]] == [90, 10]
    assert shown("traffic-shifting", applied(before, made)).model_dump()["weights"] == {"v1": 90, "v2": 10}
    with pytest.raises(BadInput, match="no HTTP port"):
        changed("fault-injection", {}, before)


def test_rules_keep_what_a_form_cannot_show() -> None:
    before = about(WRITTEN)
    form = shown("request-routing", before).model_dump(mode="json")
    assert [(rule["of"], rule["kept"]) for rule in form["rules"]] == [(0, True), (1, False), (2, False)]
    assert form["rules"][1]["conditions"] == [
        {"part": "header", "name": "end-user", "how": "exact", "value": "jason"}
    ]
    form["rules"][1]["conditions"].append({"part": "method", "value": "GET"})
    form["rules"].insert(0, {"conditions": [{"part": "uri", "value": "/x"}], "weights": {"v1": 100}})
    (document,) = changed("request-routing", form, before)
    written = before.virtual_service
    assert written
    first, kept, changed_one, last = document["spec"]["http"]
    assert first["match"] == [{"uri": {"exact": "/x"}}]
    assert (kept, last) == (written["spec"]["http"][0], written["spec"]["http"][2])
    assert changed_one["timeout"] == "7s"
    assert changed_one["match"] == [{"headers": {"end-user": {"exact": "jason"}}, "method": {"exact": "GET"}}]
    assert changed_one["route"][0]["headers"] == {"request": {"set": {"a": "b"}}}


def test_faults_of_all_requests_and_none() -> None:
    before = about(WRITTEN)
    form = {"delay": {"percent": 50, "duration": "7s"}, "abort": {"percent": 0.5, "status": 503}}
    made = changed("fault-injection", form, before)
    redirect, *others = routes(made)
    assert "fault" not in redirect
    assert [each["fault"]["delay"]["fixedDelay"] for each in others] == ["7s", "7s"]
    after = applied(before, made)
    assert shown("fault-injection", after).model_dump(mode="json") == {**form, "when": None}
    assert routes(changed("fault-injection", {}, after)) == routes([before.virtual_service])


def test_faults_of_some_requests() -> None:
    before = about(WRITTEN)
    form = {"abort": {"percent": 100, "status": 500}, "when": {"name": "x", "value": "1"}}
    made = changed("fault-injection", form, before)
    assert routes(made)[0]["match"] == [{"headers": {"x": {"exact": "1"}}}]
    assert [bool(route.get("fault")) for route in routes(made)] == [True, False, False, False]
    after = applied(before, made)
    assert shown("fault-injection", after).model_dump()["when"]["name"] == "x"
    assert routes(changed("fault-injection", {}, after)) == routes([before.virtual_service])


def test_other_fields_of_retries_stay() -> None:
    text = WRITTEN.replace("timeout: 7s", "retries: {attempts: 1, backoff: 25ms}")
    made = changed(
        "timeouts",
        {"timeout": "2s", "retries": {"attempts": 3, "per_try_timeout": "500ms", "retry_on": "5xx"}},
        about(text),
    )
    testers, last = routes(made)[1:]
    assert testers["retries"] == {
        "attempts": 3,
        "backoff": "25ms",
        "perTryTimeout": "500ms",
        "retryOn": "5xx",
    }
    assert (testers["timeout"], last["timeout"]) == ("2s", "2s")


def test_mirroring_makes_the_subset_it_needs() -> None:
    before = about("", "v1", "v2", "v3")
    made = changed("mirroring", {"version": "v3", "percent": 10}, before)
    assert routes(made)[0]["mirror"] == {"host": HOST, "subset": "v3"}
    assert made[1]["spec"]["subsets"] == [{"name": "v3", "labels": {"version": "v3"}}]
    assert shown("mirroring", applied(before, made)).model_dump() == {"version": "v3", "percent": 10}


def test_a_circuit_breaker_beside_other_policies() -> None:
    before = about(WRITTEN)
    now = shown("circuit-breaker", before).model_dump()
    assert now["limits"]["max_connections"] == 7
    form = {"limits": {"max_requests": 10}, "ejection": {"consecutive_errors": 3}}
    (rule,) = changed("circuit-breaker", form, before)
    assert rule["spec"]["trafficPolicy"] == {
        "loadBalancer": {"simple": "ROUND_ROBIN"},
        "connectionPool": {"tcp": {"connectTimeout": "3s"}, "http": {"http2MaxRequests": 10}},
        "outlierDetection": {
            "consecutive5xxErrors": 3,
            "interval": "10s",
            "baseEjectionTime": "30s",
            "maxEjectionPercent": 10,
        },
    }
    (none,) = changed("circuit-breaker", {}, applied(before, [rule]))
    assert "outlierDetection" not in none["spec"]["trafficPolicy"]


def test_several_objects_about_one_service_are_not_guessed_at() -> None:
    other = WRITTEN.split("---", maxsplit=1)[0].replace("name: hand", "name: other")
    with pytest.raises(BadInput, match=r"several VirtualService.*shop/hand, shop/other"):
        about(WRITTEN + "---" + other)


def test_objects_of_gateways_and_other_hosts_are_left_alone() -> None:
    text = WRITTEN.replace("hosts: [reviews]", "hosts: [reviews]\n  gateways: [edge]")
    assert about(text).virtual_service is None
    assert about(text.replace("[edge]", "[edge, mesh]")).virtual_service is not None
    assert about(WRITTEN.replace("hosts: [reviews]", "hosts: [ratings]")).virtual_service is None


@pytest.mark.parametrize(
    ("kind", "form", "said"),
    [
        ("traffic-shifting", {"weights": {"v1": 80}}, "80 % together"),
        ("traffic-shifting", {"weights": {"v1": 120, "v2": -20}}, "less than or equal to 100"),
        ("request-routing", {"rules": []}, "at least 1"),
        (
            "request-routing",
            {"rules": [{"weights": {"v1": 100}}, {"weights": {"v1": 100}}]},
            "rule 1 takes every request",
        ),
        ("fault-injection", {"delay": {"percent": 1, "duration": "5"}}, "write a duration with its unit"),
        ("fault-injection", {"abort": {"percent": 0, "status": 500}}, "greater than 0"),
        ("fault-injection", {"when": {"part": "uri", "name": "x", "value": "/"}}, "uri has no name"),
        ("fault-injection", {"when": {"value": "/"}}, "name the header"),
        ("timeouts", {"retries": {"attempts": -1}}, "greater than or equal to 0"),
        ("mirroring", {"color": 1}, "Extra inputs"),
    ],
)
def test_bad_forms_are_told(kind: Kind, form: Any, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        changed(kind, form, about())


def test_a_version_that_is_not_there() -> None:
    with pytest.raises(BadInput, match="no workload of reviews has version v9: there is v1, v2"):
        changed("traffic-shifting", {"weights": {"v9": 100}}, about())
    with pytest.raises(BadInput, match="label version"):
        shown("traffic-shifting", about("", ""))


weights = st.integers(0, 100).map(lambda share: {"v1": share, "v2": 100 - share})
conditions = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["a", "b"]),
        "value": st.sampled_from(["x", "é", '"']),
        "part": st.just("header"),
    }
)
percents = st.sampled_from([0.1, 5, 100])
faults = st.fixed_dictionaries(
    {},
    optional={
        "delay": st.fixed_dictionaries({"percent": percents, "duration": st.sampled_from(["1s", "250ms"])}),
        "abort": st.fixed_dictionaries({"percent": percents, "status": st.integers(200, 599)}),
    },
)
FORMS: dict[Kind, st.SearchStrategy[Any]] = {
    "traffic-shifting": st.fixed_dictionaries(
        {"weights": weights},
        optional={
            "preferred": st.fixed_dictionaries({"when": conditions, "version": st.sampled_from(["v1", "v2"])})
        },
    ),
    "request-routing": st.lists(
        st.fixed_dictionaries(
            {"conditions": st.lists(conditions, min_size=1, max_size=1), "weights": weights}
        ),
        max_size=2,
    ).map(lambda rules: {"rules": [*rules, {"weights": {"v1": 100}}]}),
    "fault-injection": faults,
    "timeouts": st.fixed_dictionaries(
        {},
        optional={
            "timeout": st.sampled_from(["1s", "1m"]),
            "retries": st.fixed_dictionaries({"attempts": st.integers(0, 5)}),
        },
    ),
    "mirroring": st.sampled_from([{}, {"version": "v1"}, {"version": "v2", "percent": 3.5}]),
    "circuit-breaker": st.sampled_from(
        [{}, {"limits": {"max_connections": 1}}, {"ejection": {"interval": "1s"}}]
    ),
}
steps = st.lists(
    st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.just(kind), FORMS[kind])), max_size=5
)


@settings(deadline=None, derandomize=True, max_examples=80)
@given(steps, st.sampled_from(["", WRITTEN]))
def test_any_sequence_of_wizards_is_sound_and_shows_what_was_asked(steps: Any, text: str) -> None:
    subject = about(text)
    for kind, form in steps:
        subject = applied(subject, changed(kind, form, subject))
        then = shown(kind, subject).model_dump(mode="json")
        assert changed(kind, then, subject) == [], "what a form shows changes nothing"
        if kind != "request-routing":
            assert _filled(then, form) == form
    config = configured(MESH + written(subject))
    assert [m.text for m in analyze(config, mesh_config(config)) if m.level == "Error"] == []


def _filled(shown_then: Any, form: Any) -> Any:
    """The part of what is shown that the form says something about."""
    if not isinstance(form, dict):
        return shown_then
    return {key: _filled(shown_then[key], value) for key, value in form.items()}
