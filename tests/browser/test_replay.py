"""The graph as it was: replay of a range."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import serious_findings
from tests.browser.conftest import PHONE, OpenPage, serving
from tests.browser.istio import mesh_metrics


@pytest.fixture(scope="module")
def mesh() -> Iterator[str]:
    with serving((), metrics=[mesh_metrics()]) as address:
        yield address


def test_a_range_is_replayed_moment_by_moment(mesh: str, open_page: OpenPage) -> None:
    page = open_page(f"{mesh}/graph")
    expect(page.locator("[data-node]").first).to_be_visible()
    page.get_by_role("button", name="Replay").click()
    bar = page.get_by_role("group", name="Replay")
    expect(bar).to_be_visible()
    expect(page).to_have_url(re.compile(r"replay=\d+"))
    last = bar.locator("output").inner_text()
    bar.get_by_role("button", name="Step back").click()
    expect(bar.locator("output")).not_to_have_text(last)
    moment = bar.locator("output").inner_text()
    page.reload()
    expect(bar.locator("output")).to_have_text(moment)
    expect(bar.get_by_role("img", name="Health of the mesh")).to_be_visible()
    bar.get_by_label("Speed").select_option(label="Fast")
    bar.get_by_role("button", name="Play").click()
    expect(bar.get_by_role("button", name="Play")).to_be_visible(timeout=15_000)
    expect(bar.locator("output")).to_have_text(last)
    bar.get_by_role("button", name="Back to now").click()
    expect(bar).to_be_hidden()
    expect(page).not_to_have_url(re.compile("replay="))
    expect(page.locator("[data-node]").first).to_be_visible()


def test_a_moment_is_in_the_address_on_a_phone_too(mesh: str, open_page: OpenPage) -> None:
    page = open_page(f"{mesh}/graph", PHONE, "dark")
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_role("group", name="Replay")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    assert serious_findings(page) == []
    page.go_back()
    expect(page.get_by_role("group", name="Replay")).to_be_hidden()
