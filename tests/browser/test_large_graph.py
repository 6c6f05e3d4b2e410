"""Graphs of a whole company: legible at 300 services, moved at 1,000."""

import json
import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenPage
from tests.browser.graphs import large_graph

GRAPH = re.compile(r"/api/vigla/v1/graph\?")


def answering(services: int, calls: int) -> object:
    body = json.dumps(large_graph(services, calls))

    def prepare(page: Page) -> None:
        page.route(GRAPH, lambda route: _fulfil(route, body))

    return prepare


def _fulfil(route: Route, body: str) -> None:
    route.fulfill(status=200, content_type="application/json", body=body)


def test_three_hundred_services_are_elements_that_do_not_overlap(
    empty_server: str, open_page: OpenPage
) -> None:
    page = open_page(f"{empty_server}/graph", before=answering(300, 900))
    expect(page.locator("[data-node]")).to_have_count(300)
    boxes = page.evaluate(
        "[...document.querySelectorAll('.node .box')].map((box) => {"
        " const {x, y, width, height} = box.getBoundingClientRect(); return [x, y, width, height]; })"
    )
    for number, (x, y, width, height) in enumerate(boxes):
        for x2, y2, width2, height2 in boxes[number + 1 :]:
            assert x + width <= x2 or x2 + width2 <= x or y + height <= y2 or y2 + height2 <= y


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_thousand_services_are_painted_selected_and_found(
    empty_server: str, open_page: OpenPage, theme: str
) -> None:
    page = open_page(f"{empty_server}/graph", (1280, 800), theme, before=answering(1000, 5000))
    surface = page.get_by_role("img", name="Service graph")
    expect(surface).to_be_visible()
    expect(page.locator("[data-count]")).to_contain_text("1,000 nodes, 5,000 connections")
    plain = surface.screenshot()
    find = page.locator("[data-find]")
    find.fill("service-77")
    find.press("Enter")
    expect(page.locator("[data-panel]")).to_contain_text("service-77")
    expect(page).to_have_url(re.compile("node=n"))
    assert surface.screenshot() != plain
    page.keyboard.press("Escape")
    expect(page.locator("[data-panel]")).to_be_hidden()
    find.fill("")
    surface.click(position={"x": 500, "y": 350})  # whatever is there, if anything
    page.get_by_role("button", name="Zoom in").click()
    page.mouse.move(600, 400)
    page.mouse.down()
    page.mouse.move(700, 500, steps=5)
    page.mouse.up()
    page.get_by_role("button", name="Table").click()
    expect(page.locator("[data-table] tbody tr").first).to_be_visible()
