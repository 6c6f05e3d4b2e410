"""Two traces beside each other; the slow and failing ones against the rest."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import FloatRect, Locator, expect

from tests.browser.conftest import FAILED, LARGE, NORMAL, PHONE, SINGLE, OpenPage, serving
from tests.browser.spans import bookinfo

SECOND = 1_000_000_000
STILL = 250  # ms without a move


def settled_box(locator: Locator) -> FloatRect:
    """Where an element is once it moves no more: what still comes would move it away under the pointer.

    Clicking elsewhere may have scrolled it out of sight.
    """
    locator.scroll_into_view_if_needed()
    before: FloatRect | None = None
    while (box := locator.bounding_box()) is None or box != before:
        before = box
        locator.page.wait_for_timeout(STILL)
    return box


@pytest.fixture(scope="module")
def failing_server() -> Iterator[str]:
    """Eight failing traces among thirty."""
    now = time.time_ns()
    traces = [
        bookinfo(
            f"{number:032x}", now - number * 10 * SECOND, scale=3 if number <= 8 else 1, failed=number <= 8
        )
        for number in range(1, 31)
    ]
    with serving(traces) as address:
        yield address


def test_two_results_are_marked_and_compared(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/search")
    compare = page.locator("[data-compare-picked]")
    expect(compare).to_be_disabled()
    for trace in (NORMAL, FAILED):
        page.locator(f"li[data-id='{trace}'] input").check()
    compare.click()
    page.wait_for_url(f"**/traces/compare?a={NORMAL}&b={FAILED}")
    rows = page.locator("[data-diff] tbody tr")
    expect(rows).to_have_count(7)
    expect(rows.first).to_contain_text("same")
    expect(rows.first).to_contain_text("200 % slower")
    page.get_by_label("Only paths that differ").check()
    expect(rows).to_have_count(0)


def test_added_and_removed_paths(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/trace/{NORMAL}")
    page.get_by_label("ID of the trace to compare with").fill(SINGLE)
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("tr.diff-removed")).to_have_count(7)
    expect(page.locator("tr.diff-added")).to_have_count(1)
    page.get_by_role("button", name="Swap").click()
    expect(page.locator("tr.diff-added")).to_have_count(7)
    page.go_back()
    expect(page.locator("tr.diff-removed")).to_have_count(7)


def test_a_trace_that_is_not_there_is_said(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/traces/compare?a={NORMAL}&b={'9' * 32}", expect_failures=True)
    expect(page.get_by_role("alert")).to_contain_text("trace not found")


def test_without_traces_it_says_how_to_choose(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/traces/compare", PHONE)
    expect(page.get_by_role("heading", name="Choose two traces")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]


def test_what_is_special_about_the_failing_ones(failing_server: str, open_page: OpenPage) -> None:
    page = open_page(f"{failing_server}/search")
    page.get_by_label("What is special about").select_option("failed")
    expect(page.locator(".special-sum")).to_contain_text("8 traces against 22 others")
    found = page.get_by_role("button", name="http.response.status_code=500: 100 % of the selected, 0 %")
    expect(found).to_be_visible()
    page.reload()
    found.click()
    expect(page.get_by_label("Tags", exact=True)).to_have_value("http.response.status_code=500")
    expect(page.locator("[data-count]")).to_have_text("8 traces")
    expect(page.locator(".special-sum")).to_contain_text("nothing to compare")


def test_traces_marked_in_the_plot_are_compared(failing_server: str, open_page: OpenPage) -> None:
    page = open_page(f"{failing_server}/search")
    page.get_by_label("Dragging over the plot").check()
    expect(page.locator(".scatter .dot")).to_have_count(30)
    expect(page.locator(".trace-item")).to_have_count(30)
    page.wait_for_load_state("networkidle")
    box = settled_box(page.locator(".scatter .surface"))
    page.mouse.move(box["x"] + 2, box["y"] + 1)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    expect(page.locator(".special-sum")).to_contain_text("8 traces against 22 others")
    expect(page.get_by_label("What is special about")).to_have_value("area")


def test_a_large_trace_is_compared(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/traces/compare?a={LARGE}&b={NORMAL}")
    expect(page.locator("[data-diff] tbody tr").first).to_be_visible(timeout=30_000)
