from playwright.sync_api import Page, expect

from tests.browser.accessibility import serious_findings
from tests.browser.conftest import PHONE, OpenPage
from tests.browser.test_search import query


def opened(open_page: OpenPage, server: str, address: str = "/search", **how: object) -> Page:
    page = open_page(f"{server}{address}", **how)  # type: ignore[arg-type]
    expect(page.locator("[data-count]")).to_contain_text("trace")
    page.get_by_role("button", name="Heatmap of spans").click()
    expect(page.locator(".heatmap .cell").first).to_be_visible()
    return page


def test_all_spans_are_counted_and_not_only_traces_found(server: str, open_page: OpenPage) -> None:
    page = opened(open_page, server)
    label = page.locator(".heatmap svg").get_attribute("aria-label") or ""
    assert int(label.split(" ")[0].replace(",", "")) > 10_000
    expect(page.locator(".scatter:not(.heatmap)")).to_be_hidden()
    expect(page.locator(".heatmap .failed").first).to_be_attached()
    expect(page.locator("[data-count]")).to_have_text("15 traces")
    page.get_by_role("button", name="Traces found").click()
    expect(page.locator(".heatmap")).to_be_hidden()
    expect(page.locator(".scatter .dot")).to_have_count(15)


def test_a_cell_is_searched_by_a_click(server: str, open_page: OpenPage) -> None:
    page = opened(open_page, server, "/search?service=reviews")
    cell = page.locator(".heatmap .cell").last
    cell.hover()
    expect(page.locator(".heatmap .scatter-tip")).to_contain_text("span")
    cell.click()
    expect(page.get_by_label("Shortest duration")).not_to_have_value("")
    expect(page.get_by_label("Longest duration")).not_to_have_value("")
    chosen = query(page)
    assert chosen["service"] == ["reviews"]
    assert chosen["plot"] == ["spans"]
    assert chosen["lookback"] == ["custom"]
    expect(page.locator("[data-results] .trace-item").first).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Shortest duration")).to_have_value("")


def test_an_area_is_searched_by_dragging(server: str, open_page: OpenPage) -> None:
    page = opened(open_page, server)
    page.locator(".heatmap").scroll_into_view_if_needed()
    box = page.locator(".heatmap .surface").bounding_box()
    assert box
    page.mouse.move(box["x"] + 30, box["y"] + 4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 5, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    expect(page.get_by_label("Shortest duration")).not_to_have_value("")
    assert query(page)["lookback"] == ["custom"]


def test_the_address_restores_it(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/search?plot=spans")
    expect(page.locator(".heatmap .cell").first).to_be_visible()
    expect(page.get_by_role("button", name="Heatmap of spans")).to_have_attribute("aria-pressed", "true")
    assert serious_findings(page) == []


def test_no_span_matches(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/search?plot=spans&minDuration=10h")
    expect(page.get_by_text("No traces match")).to_be_visible()
    expect(page.locator(".heatmap")).to_be_hidden()


def test_on_a_phone(server: str, open_page: OpenPage) -> None:
    page = opened(open_page, server, size=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
