"""Pages of services, workloads and applications, of a mesh's metrics and of spans."""

import re
import time
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from benchmarks.serving import Server
from tests.browser.accessibility import serious_findings
from tests.browser.conftest import DESKTOP, NORMAL, PHONE, OpenPage, serving
from tests.browser.istio import HOSTILE, LONG, mesh_metrics
from tests.browser.logs import decided
from tests.browser.spans import bookinfo

QUIET = {"VIGLA_SCRAPE__OWN": "false", "VIGLA_RULES__MESH": "false", "VIGLA_MESH__ENABLED": "true"}


@pytest.fixture(scope="module")
def mesh() -> Iterator[str]:
    """A server with metrics, traces and access logs of a mesh."""
    now = time.time_ns()
    traces = [bookinfo(NORMAL, now - 20_000_000_000)]
    logs = decided(NORMAL, now - 20_000_000_000)
    with serving(traces, metrics=[mesh_metrics()], logs=logs) as address:
        yield address


def test_services_are_listed_the_worst_first(mesh: str, open_page: OpenPage) -> None:
    page = open_page(f"{mesh}/services")
    first = page.locator(".objects tbody tr").first
    expect(first).to_contain_text("shop")
    expect(first).to_contain_text("failing")
    expect(first).to_contain_text("11.1 %")
    page.get_by_role("button", name="Calls").click()
    expect(page).to_have_url(re.compile("sort=rate"))
    page.get_by_label("Find by name or namespace").fill("db")
    expect(page.locator(".objects tbody tr")).to_have_count(1)
    page.reload()
    expect(page.locator(".objects tbody tr")).to_have_count(1)
    page.get_by_role("link", name="db").click()
    expect(page.get_by_role("heading", name="db")).to_be_visible()
    expect(page.get_by_role("link", name="Services").first).to_be_visible()


@pytest.mark.parametrize(
    ("listed", "name"), [("workloads", "shop-v2"), ("applications", "shop"), ("services", "shop")]
)
def test_every_kind_has_its_page(mesh: str, open_page: OpenPage, listed: str, name: str) -> None:
    page = open_page(f"{mesh}/{listed}")
    page.get_by_role("link", name=name, exact=True).first.click()
    expect(page).to_have_url(re.compile(f"/{listed}/shop/{name}"))
    expect(page.get_by_role("region", name="Health")).to_contain_text("inbound http 503")
    expect(page.locator(".object-graph [data-node]").first).to_be_visible()
    page.get_by_role("link", name="Traffic").click()
    inbound = page.get_by_label("Inbound", exact=True).first
    expect(inbound.get_by_role("row").nth(1)).to_contain_text("web")
    expect(inbound.get_by_role("row").nth(1)).to_contain_text("100 %")
    page.reload()
    expect(page.get_by_role("link", name="Traffic")).to_have_attribute("aria-current", "page")


def test_charts_are_grouped_and_lead_to_their_query(mesh: str, open_page: OpenPage) -> None:
    page = open_page(f"{mesh}/services/shop/shop?tab=inbound")
    expect(page.get_by_role("region", name="Share of errors")).to_be_visible()
    expect(page.locator(".object-chart .line").first).to_be_visible()
    page.get_by_label("Group the charts").select_option("response_code")
    expect(page.get_by_role("region", name="Calls a second").get_by_role("listitem")).to_have_text(
        ["200", "503"]
    )
    expect(page).to_have_url(re.compile("by=response_code"))
    page.get_by_role("region", name="Calls a second").get_by_role("link", name="Query").click()
    expect(page.get_by_label("PromQL expression")).to_have_value(re.compile("istio_requests_total"))


def test_traces_and_access_logs_of_one_object(mesh: str, open_page: OpenPage) -> None:
    page = open_page(f"{mesh}/services/-/reviews?tab=traces")
    expect(page.get_by_role("row").nth(1)).to_contain_text("productpage: GET /productpage")
    page = open_page(f"{mesh}/workloads/default/reviews-v2?tab=logs")
    expect(page.get_by_text("No proxy logged").or_(page.get_by_role("link", name="Trace"))).not_to_have_count(
        0
    )


def test_what_only_spans_know_has_a_page_too(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/services")
    page.get_by_role("link", name="reviews").click()
    expect(page).to_have_url(re.compile("/services/-/reviews"))
    expect(page.get_by_text("known from spans")).to_be_visible()
    expect(page.get_by_role("link", name="Access logs")).to_have_count(0)
    page.get_by_role("link", name="Traffic").click()
    expect(page.get_by_label("Outbound", exact=True).first).to_contain_text("ratings")


def test_what_is_not_there_says_so(mesh: str, open_page: OpenPage) -> None:
    page = open_page(f"{mesh}/workloads/nowhere/nothing")
    expect(page.get_by_text("It neither got nor made calls")).to_be_visible()
    page.get_by_role("link", name="Inbound metrics").click()
    expect(page.get_by_text("It got no calls in this time.")).to_be_visible()


def test_hostile_names_are_text(mesh: str, open_page: OpenPage) -> None:
    page = open_page(f"{mesh}/applications/shop/{quote(HOSTILE, safe='')}")
    expect(page.get_by_role("heading", level=2)).to_have_text(HOSTILE)
    page.get_by_role("link", name="Inbound metrics").click()
    expect(page.get_by_role("region", name="Calls a second")).to_be_visible()
    page = open_page(f"{mesh}/services/shop/{LONG}", PHONE)
    expect(page.get_by_role("heading", level=2)).to_contain_text(LONG[:20])
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]


def test_the_proxy_of_a_workload(tmp_path_factory: pytest.TempPathFactory, open_page: OpenPage) -> None:
    with Server(tmp_path_factory.mktemp("envoy") / "lake", QUIET) as mesh:
        page = open_page(f"{mesh.query_url}/workloads/default/web?tab=envoy")
        expect(page.get_by_text("No proxy of this workload is connected")).to_be_visible()


def test_nothing_at_all(empty_server: str, open_page: OpenPage) -> None:
    page = open_page(f"{empty_server}/services")
    expect(page.get_by_role("heading", name="No traces yet")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_accessibility(mesh: str, open_page: OpenPage, size: tuple[int, int], theme: str) -> None:
    for path in ("services", "workloads/shop/shop-v2", "services/shop/shop?tab=inbound&by=response_code"):
        page = open_page(f"{mesh}/{path}", size, theme)
        page.wait_for_load_state("networkidle")
        assert serious_findings(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == size[0]
