"""Views of a trace beside the timeline, and marks of spans that took longer than usual."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, FAILED, HOSTILE, LARGE, NORMAL, PHONE, SINGLE, OpenPage


def test_the_flame_graph_zooms_by_click_and_key_and_has_an_address(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/trace/{NORMAL}")
    page.get_by_role("button", name="Flame graph").click()
    boxes = page.get_by_role("treeitem")
    expect(boxes).to_have_count(7)
    expect(page.locator(".timeline")).to_be_hidden()
    page.locator(".flame-box", has_text="GET reviews").click(position={"x": 60, "y": 10})
    expect(boxes).to_have_count(4)
    page.reload()
    expect(boxes).to_have_count(4)
    expect(page.locator(".flame-facts")).to_contain_text("productpage: GET reviews, 1 span, 70 ms, self 4 ms")
    page.get_by_role("button", name="Show all").click()
    expect(boxes).to_have_count(7)
    page.locator(".flame").focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    expect(page.locator(".flame-facts")).to_contain_text("reviews: GET /reviews/{id}")
    page.keyboard.press("Enter")
    expect(boxes).to_have_count(3)
    page.keyboard.press("Escape")
    expect(boxes).to_have_count(7)
    page.get_by_role("button", name="Timeline").click()
    expect(page.locator(".tl-row")).to_have_count(7)


def test_statistics_group_twice_and_sort(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/trace/{FAILED}?view=statistics")
    first = page.locator(".stats tbody tr").first
    expect(page.locator(".stats tbody tr")).to_have_count(4)
    page.get_by_label("then by").select_option("operation")
    expect(page.locator(".stats tbody tr.nested")).to_have_count(7)
    page.get_by_label("then by").select_option("")
    page.get_by_label("Group by").select_option("version")
    expect(page.locator(".stats tbody tr")).to_have_count(2)
    page.get_by_label("Group by").select_option("operation")
    page.get_by_role("button", name="Total").click()
    expect(first).to_contain_text("GET /productpage")
    page.get_by_role("button", name="Total").click()
    expect(page.get_by_role("columnheader", name="Total")).to_have_attribute("aria-sort", "ascending")
    page.reload()
    expect(first).to_contain_text("GET /details/{id}")


def test_spans_slower_than_usual_are_marked(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/trace/{FAILED}")
    expect(page.get_by_role("img", name="Slower than usual").first).to_be_visible()
    page.get_by_role("button", name="Statistics").click()
    expect(page.locator(".stats tbody tr", has_text="ratings").locator("td").last).to_have_text("1")


@pytest.mark.parametrize("trace", [LARGE, HOSTILE, SINGLE])
@pytest.mark.parametrize("view", ["flame", "statistics"])
def test_odd_traces_are_shown(server: str, open_page: OpenPage, trace: str, view: str) -> None:
    page = open_page(f"{server}/trace/{trace}?view={view}&then=operation")
    place = page.locator(".flame-box" if view == "flame" else ".stats tbody tr")
    expect(place.first).to_be_visible(timeout=30_000)


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_views_need_no_sideways_scrolling_of_the_page(
    server: str, open_page: OpenPage, size: tuple[int, int]
) -> None:
    page = open_page(f"{server}/trace/{NORMAL}?view=statistics", size)
    expect(page.locator(".stats tbody tr").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    assert page.evaluate(
        "document.querySelector('main').scrollWidth <= document.querySelector('main').clientWidth"
    )
