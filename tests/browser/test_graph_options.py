"""How the graph is drawn: layouts, moving calls, kept views, and the map of a large one."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import serious_findings
from tests.browser.conftest import PHONE, OpenPage, serving
from tests.browser.istio import mesh_metrics
from tests.browser.test_large_graph import answering


@pytest.fixture(scope="module")
def mesh() -> Iterator[str]:
    with serving((), metrics=[mesh_metrics()]) as address:
        yield address


def test_another_layout_is_in_the_address(mesh: str, open_page: OpenPage) -> None:
    page = open_page(f"{mesh}/graph?type=app&lookback=5m")
    node = page.locator("[data-node]", has_text="db").first
    expect(node).to_be_visible()
    before = node.get_attribute("transform")
    page.get_by_text("Options").click()
    page.get_by_label("Layout").select_option("circle")
    expect(page).to_have_url(re.compile("layout=circle"))
    expect(node).not_to_have_attribute("transform", before or "")
    there = node.get_attribute("transform")
    page.reload()
    expect(node).to_have_attribute("transform", there or "")
    page.go_back()
    expect(node).to_have_attribute("transform", before or "")


def test_boxes_around_namespaces(mesh: str, open_page: OpenPage) -> None:
    page = open_page(f"{mesh}/graph?type=app&lookback=5m")
    expect(page.locator("[data-node]").first).to_be_visible()
    page.get_by_text("Options").click()
    page.get_by_label("Boxes").select_option("namespace")
    expect(page.locator("[data-group]")).to_have_attribute("data-group", "shop")
    page.reload()
    expect(page.locator("[data-group] text")).to_have_text("shop")


def test_calls_are_shown_moving(mesh: str, open_page: OpenPage) -> None:
    page = open_page(f"{mesh}/graph?type=app&lookback=5m")
    expect(page.locator("[data-node]").first).to_be_visible()
    page.get_by_text("Options").click()
    page.get_by_label("Show calls moving").check()
    expect(page.locator("[data-canvas]")).to_have_class(re.compile("flowing"))
    expect(page).to_have_url(re.compile("flow=1"))
    expect(page.locator(".flow").first).to_be_hidden()  # this browser asks for less motion


def test_a_view_is_kept_under_a_name(mesh: str, open_page: OpenPage) -> None:
    page = open_page(f"{mesh}/graph?type=app&find=db&lookback=5m")
    page.get_by_text("Options").click()
    page.get_by_label("Name of this view").fill("<b>mine</b>")
    page.get_by_role("button", name="Keep").click()
    page.goto(f"{mesh}/graph")
    page.get_by_text("Options").click()
    page.get_by_role("link", name="<b>mine</b>").click()
    expect(page.get_by_label("Find", exact=True)).to_have_value("db")
    page.get_by_text("Options").click()
    page.get_by_role("button", name="Forget <b>mine</b>").click()
    expect(page.get_by_role("link", name="<b>mine</b>")).to_have_count(0)


def test_the_map_of_a_large_graph_leads_there(empty_server: str, open_page: OpenPage) -> None:
    page = open_page(f"{empty_server}/graph", before=answering(300, 900))
    small = page.get_by_role("img", name="Where in the graph")
    expect(small).to_be_visible()
    content = page.locator(".graph-canvas > svg > g")
    before = content.get_attribute("transform")
    small.click(position={"x": 20, "y": 60})
    expect(content).not_to_have_attribute("transform", before or "")


def test_accessibility(mesh: str, open_page: OpenPage) -> None:
    page = open_page(f"{mesh}/graph?type=app&lookback=5m", PHONE, "dark")
    page.get_by_text("Options").click()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    assert serious_findings(page) == []
