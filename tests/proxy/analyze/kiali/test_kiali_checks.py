"""Each check tells its code at the line where the fault is written, and is quiet where there is none."""

import pytest

from proxy.analyze.analyzers import SUPPRESS
from proxy.analyze.kiali.checks import CHECKERS, SAME
from proxy.analyze.kiali.messages import CHECKS
from proxy.analyze.messages import TEMPLATES
from tests.proxy.analyze.documents import (
    MESH_POD,
    Case,
    analyzed,
    gateway,
    join,
    route,
    rule,
    service,
    versioned,
)
from tests.proxy.analyze.kiali import policy_cases, traffic_cases

CASES = (*policy_cases.CASES, *traffic_cases.CASES)
_SUBSET = "{host: reviews, subsets: [{name: v1, labels: {v: gone}}]}"
_LOST = "{hosts: [a], gateways: [gone], http: [{route: [{destination: {host: lost, subset: v1}}]}]}"


def _marked(text: str) -> list[int]:
    """Lines with ``# here``; with ``# here 2`` twice."""
    lines = enumerate(versioned(text).splitlines(), 1)
    return [n for n, line in lines if "# here" in line for _ in range(2 if line.endswith("2") else 1)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case) -> None:
    found = analyzed(case.text, [case.analyzer], case.mesh)
    assert sorted((m.code, str(m.key), m.path) for m in found) == sorted(case.found)
    assert sorted(m.line for m in found) == _marked(case.text)
    assert all("{" not in m.text for m in found)


def test_each_code_has_a_case() -> None:
    told = {code for case in CASES for code, _, _ in case.found}
    assert told == {check.code for check in CHECKS.values()}


def test_each_check_is_quiet_in_some_case() -> None:
    assert {case.analyzer for case in CASES if not case.found} == set(CHECKERS)


@pytest.mark.parametrize("spec", ["", "http: [{route: [{destination: {host: reviews, subset: v1}}]}]"])
def test_a_subset_without_endpoints_is_an_error_once_it_is_routed_to(spec: str) -> None:
    text = join(service(), MESH_POD, rule(_SUBSET), route(f"{{hosts: [reviews], {spec}}}"))
    (found,) = analyzed(text, ["kiali.destinationrule.Subsets"])
    assert found.level == ("Error" if spec else "Info")


@pytest.mark.parametrize(
    ("text", "istio", "kiali"),
    [
        (route(_LOST), "IST0101", {"KIA1101", "KIA1102", "KIA1107"}),
        (rule("{host: gone}"), "IST0174", {"KIA0202"}),
        (join(service(), MESH_POD, rule(_SUBSET)), "IST0173", {"KIA0203"}),
        (route("{hosts: [a], gateways: [a.b]}"), "IST0133", {"KIA1108"}),
        (gateway("hosts: [a]"), "IST0101", {"KIA0302"}),
        (service(ports="{name: web, port: 80}"), "IST0118", {"KIA0601"}),
    ],
)
def test_what_istio_says_too_is_told_with_istios_code(text: str, istio: str, kiali: set[str]) -> None:
    assert kiali <= {m.code for m in analyzed(text, CHECKERS)}
    codes = {m.code for m in analyzed(text)}
    assert istio in codes
    assert not codes & kiali


def test_only_what_is_about_the_same_field_is_the_same() -> None:
    text = join(route("{hosts: [a], gateways: [gone], http: [{match: [{gateways: [lost]}]}]}"))
    assert [m.path for m in analyzed(text) if m.code == "KIA1102"] == ["spec.http[0].match[0].gateways[0]"]


def test_the_codes_that_are_the_same_exist() -> None:
    assert SAME.keys() <= {check.code for check in CHECKS.values()}
    assert frozenset().union(*SAME.values()) <= {template.code for template in TEMPLATES.values()}


def test_what_is_suppressed_by_istios_code_does_not_come_back_as_kialis() -> None:
    meta = f"{{name: it, annotations: {{{SUPPRESS}: IST0174}}}}"
    text = f"kind: DestinationRule\nmetadata: {meta}\nspec: {{host: gone}}"
    assert analyzed(text) == []
