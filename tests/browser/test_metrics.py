"""The metrics page, in a browser, over a server with known series."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import PHONE, OpenPage, serving
from tests.wire.remote_write_messages import packed, request_v1
from vigla.wire.remote_write.admit import admit

TRACE = "abcdef0123456789abcdef0123456789"
HOSTILE = "<img src=x onerror=alert(1)> \u202eevil 😀 " + "long" * 40
LABELS = ("checkout", "cart", HOSTILE)


def written() -> Any:
    """A counter of three services over an hour, with an exemplar."""
    now = time.time_ns() // 10**6 // 15_000 * 15_000
    message = request_v1(
        *(
            (
                {"__name__": "http_requests_total", "service": service},
                [(now - 15_000 * n, 1000.0 * (place + 1) - n * (place + 1)) for n in range(240, -1, -1)],
            )
            for place, service in enumerate(LABELS)
        ),
        *(({"__name__": "many", "n": str(n)}, [(now, float(n))]) for n in range(30)),
    )
    exemplar = message.timeseries[0].exemplars.add(value=0.05, timestamp=now - 600_000)
    exemplar.labels.add(name=b"trace_id", value=TRACE.encode())
    message.metadata.add(type=1, name=b"http_requests_total", help=b"Requests.")
    return message


@pytest.fixture(scope="module")
def metrics_server() -> Iterator[str]:
    record = admit("1", packed(written()), time.time_ns() // 10**6).record
    with serving((), metrics=[record]) as address:
        yield address


def expression(page: Page) -> Any:
    return page.get_by_role("combobox", name="PromQL expression")


def test_a_query_is_drawn_and_its_address_shows_the_same(metrics_server: str, open_page: OpenPage) -> None:
    page = open_page(f"{metrics_server}/metrics")
    expect(page.get_by_role("heading", name="2 metrics")).to_be_visible()
    expression(page).fill("sum by (service) (rate(http_requests_total[5m]))")
    page.get_by_role("button", name="Run").click()
    expect(page.locator(".chart path.line")).to_have_count(3)
    expect(page.locator("[data-count]")).to_have_text("3 series")
    page.reload()
    expect(page.locator(".chart path.line")).to_have_count(3)
    page.get_by_role("button", name="cart").click()
    expect(page.locator(".chart path.line")).to_have_count(2)


def test_names_are_text(metrics_server: str, open_page: OpenPage) -> None:
    page = open_page(f"{metrics_server}/metrics?q=http_requests_total&view=table")
    expect(page.get_by_role("cell", name="onerror=alert")).to_be_visible()
    assert page.locator("table img").count() == 0
    page.get_by_role("button", name="Graph").click()
    expect(page.locator(".legend bdi", has_text="onerror=alert")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_cursor_shows_values_and_dragging_zooms(metrics_server: str, open_page: OpenPage) -> None:
    page = open_page(f"{metrics_server}/metrics?q=http_requests_total")
    surface = page.locator(".chart .surface")
    expect(surface).to_be_visible()
    box = surface.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 50)
    expect(page.locator(".chart-tip li")).to_have_count(3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 60)
    page.mouse.up()
    page.wait_for_url("**lookback=custom**")
    page.go_back()
    expect(page.locator("[data-lookback]")).to_have_value("1h")


def test_an_exemplar_opens_its_trace(metrics_server: str, open_page: OpenPage) -> None:
    page = open_page(f"{metrics_server}/metrics?q=rate(http_requests_total[5m])", expect_failures=True)
    # The trace itself is not there.
    page.get_by_label("Exemplars").check()
    mark = page.locator(".chart .exemplar")
    expect(mark).to_have_count(1)
    mark.click()
    page.wait_for_url(f"**/trace/{TRACE}")


def test_completion_by_keyboard(metrics_server: str, open_page: OpenPage) -> None:
    page = open_page(f"{metrics_server}/metrics")
    box = expression(page)
    box.press_sequentially("rate(http")
    options = page.get_by_role("listbox", name="Completions").get_by_role("option")
    expect(options.first).to_contain_text("http_requests_totalcounter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    box.press_sequentially("{ser")
    expect(options.first).to_have_text("service")
    page.keyboard.press("Tab")
    box.press_sequentially('="ca')
    expect(options.first).to_have_text("cart")
    page.keyboard.press("Tab")
    box.press_sequentially('"}[5m])')
    page.keyboard.press("Enter")
    expect(page.locator(".chart path.line")).to_have_count(1)
    assert box.input_value() == 'rate(http_requests_total{service="cart"}[5m])'


def test_an_error_is_marked_at_its_place(metrics_server: str, open_page: OpenPage) -> None:
    page = open_page(f"{metrics_server}/metrics?q=up%20%2B%20sum(", expect_failures=True)
    expect(page.locator("[data-problem]")).to_contain_text("parse error")
    place = page.locator(".problem-place").text_content() or ""
    assert place.splitlines() == ["up + sum(", " " * 9 + "^"]
    expect(expression(page)).to_have_attribute("aria-invalid", "true")
    expression(page).fill("many")
    page.keyboard.press("Enter")
    expect(page.locator("[data-problem]")).to_be_hidden()
    expect(page.locator(".legend .more")).to_contain_text("18 others")


def test_nothing_found_and_nothing_there(metrics_server: str, empty_server: str, open_page: OpenPage) -> None:
    page = open_page(f"{metrics_server}/metrics?q=nothing")
    expect(page.get_by_role("heading", name="No series in this range")).to_be_visible()
    page = open_page(f"{empty_server}/metrics")
    expect(page.get_by_role("heading", name="No metrics yet")).to_be_visible()


def test_a_failing_server_keeps_the_last_chart(metrics_server: str, open_page: OpenPage) -> None:
    page = open_page(f"{metrics_server}/metrics?q=many", expect_failures=True)
    expect(page.locator(".chart path.line")).to_have_count(12)

    def fail(route: Route) -> None:
        route.fulfill(status=503, json={"status": "error", "error": "query timed out"})

    page.route("**/api/v1/query_range*", fail)
    page.get_by_role("button", name="Refresh now").click()
    expect(page.get_by_role("alert")).to_contain_text("query timed out")
    expect(page.locator(".chart path.line")).to_have_count(12)
    page.unroute("**/api/v1/query_range*")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_a_phone(metrics_server: str, open_page: OpenPage, theme: str) -> None:
    page = open_page(f"{metrics_server}/metrics?q=http_requests_total", PHONE, theme)
    expect(page.locator(".chart path.line")).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(page.get_by_role("link", name="Alerts")).to_be_in_viewport()


def test_keys_lead_here(metrics_server: str, open_page: OpenPage) -> None:
    page = open_page(f"{metrics_server}/graph")
    page.locator("main").press("g")
    page.keyboard.press("m")
    page.wait_for_url("**/metrics")
