"""The alerts page, in a browser, over rules that were evaluated."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from playwright.sync_api import Route, expect

from query.promql.engine import Engine
from query.promql.memory import MemorySeries
from query.rules.evaluation import GroupState, Surroundings, evaluate, fresh
from query.rules.groups import groups
from tests.browser.conftest import PHONE, OpenPage, serving
from vigla.storage.api import Stop

HOSTILE = "<b>bold</b> \u202e😀"
RULES = """
groups:
  - name: quiet
    rules:
      - {record: 'job:up:sum', expr: sum by (job) (up)}
      - {alert: Never, expr: up > 5, labels: {severity: info}, annotations: {summary: nothing}}
  - name: loud
    rules:
      - record: broken
        expr: label_replace(up, "job", "x", "", "")
      - {alert: Slow, expr: up == 1, for: 1h}
      - alert: Down
        expr: up == 0
        labels: {severity: critical}
        annotations: {summary: "{{ $labels.job }} is down", description: Look at it., runbook: "http://r"}
"""


@dataclass
class Evaluated:
    """Rules as they are after one evaluation."""

    states: Sequence[GroupState]
    alertmanagers: Sequence[str] = ("http://am.example:9093/api/v2/alerts",)


@pytest.fixture(scope="module")
def alerts_server() -> Iterator[str]:
    now = time.time_ns() // 10**6
    series = MemorySeries()
    for job, value in (("web", 1.0), ("db", 1.0), (HOSTILE, 0.0)):
        series.append((("__name__", "up"), ("job", job)), now, value)
    states = [fresh(group) for group in groups(RULES, "rules.yml", 60_000)]
    for state in states:
        evaluate(state, Surroundings(Engine(), series), now, Stop())
    with serving((), rules=Evaluated(states)) as address:
        yield address


def test_what_fires_comes_first_and_says_why(alerts_server: str, open_page: OpenPage) -> None:
    page = open_page(f"{alerts_server}/alerts")
    expect(page.get_by_role("heading", name="loud")).to_be_visible()
    names = page.locator(".rule summary strong").all_inner_texts()
    assert names == ["Down", "Slow", "broken", "job:up:sum", "Never"]
    firing = page.locator(".alert.firing")
    expect(firing).to_have_count(1)
    expect(firing).to_contain_text(f"{HOSTILE} is down")
    expect(firing).to_contain_text("Look at it.")
    assert firing.locator("header b").count() == 0
    expect(page.locator(".alert.pending")).to_have_count(2)
    expect(page.locator(".rule-body .failed")).to_contain_text("labelset")
    expect(page.locator("[data-receivers]")).to_have_text("Alertmanager: am.example:9093")


def test_states_and_search_narrow_and_stay_in_the_address(alerts_server: str, open_page: OpenPage) -> None:
    page = open_page(f"{alerts_server}/alerts")
    page.get_by_role("button", name="Pending 1").click()
    expect(page.locator(".rule summary strong")).to_have_text(["Slow"])
    page.reload()
    expect(page.locator(".rule summary strong")).to_have_text(["Slow"])
    page.get_by_role("searchbox", name="Find rule or label").fill("nosuch")
    expect(page.get_by_role("heading", name="No rule matches")).to_be_visible()


def test_a_rule_leads_to_its_graph(alerts_server: str, open_page: OpenPage) -> None:
    page = open_page(f"{alerts_server}/alerts?find=Never")
    page.get_by_text("Never").click()
    page.get_by_role("link", name="Show as a graph").click()
    page.wait_for_url("**/metrics?q=up*")


def test_no_rules(empty_server: str, open_page: OpenPage) -> None:
    page = open_page(f"{empty_server}/alerts")
    expect(page.get_by_role("heading", name="No rules")).to_be_visible()


def test_a_failing_server_keeps_what_was_shown(alerts_server: str, open_page: OpenPage) -> None:
    page = open_page(f"{alerts_server}/alerts", expect_failures=True)
    expect(page.locator(".alert.firing")).to_have_count(1)

    def fail(route: Route) -> None:
        route.fulfill(status=500, json={"status": "error", "error": "the lake is away"})

    page.route("**/api/v1/rules", fail)
    page.get_by_role("button", name="Refresh now").click()
    expect(page.locator(".notice")).to_contain_text("the lake is away")
    expect(page.locator(".alert.firing")).to_have_count(1)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_a_phone(alerts_server: str, open_page: OpenPage, theme: str) -> None:
    page = open_page(f"{alerts_server}/alerts", PHONE, theme)
    expect(page.locator(".alert.firing")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
