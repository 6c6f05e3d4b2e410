"""Beside the graph: comparison with earlier, what depends on a node, and the graph as a file."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import serious_findings
from tests.browser.conftest import PHONE, OpenPage, serving
from tests.browser.istio import HOSTILE, mesh_metrics


@pytest.fixture(scope="module")
def mesh() -> Iterator[str]:
    with serving((), metrics=[mesh_metrics()]) as address:
        yield address


def test_what_is_new_since_earlier(mesh: str, open_page: OpenPage) -> None:
    page = open_page(f"{mesh}/graph?lookback=5m")
    expect(page.locator("[data-node]").first).to_be_visible()
    page.get_by_label("Compare").select_option(label="An hour before")
    beside = page.get_by_role("complementary", name="Beside the graph")
    expect(beside.get_by_role("heading", name="Changes since an hour before")).to_be_visible()
    expect(beside).to_contain_text("New calls")
    expect(beside.get_by_role("button", name=re.compile("web → shop")).first).to_be_visible()
    page.reload()
    beside.get_by_role("button", name=re.compile("shop → db")).click()
    expect(page.locator("[data-panel]")).to_contain_text("calls")
    beside.get_by_role("button", name="Close").click()
    expect(beside).to_be_hidden()
    expect(page).not_to_have_url(re.compile("compare="))


def test_what_depends_on_a_node(mesh: str, open_page: OpenPage) -> None:
    page = open_page(f"{mesh}/graph?type=app&lookback=5m")
    page.locator("[data-node]", has_text="db").locator(".target").click()
    page.get_by_role("button", name="What depends on it").click()
    beside = page.get_by_role("complementary", name="Beside the graph")
    expect(beside.get_by_role("heading", name="What depends on db")).to_be_visible()
    expect(beside).to_contain_text("Calls it directly")
    expect(beside).to_contain_text("Through 1 others")
    expect(page.locator("[data-node].lit")).to_have_count(3)
    page.reload()
    expect(beside.get_by_role("button", name="web")).to_be_visible()


def saved(page: Page, folder: Path, label: str) -> Path:
    with page.expect_download() as began:
        page.get_by_label("Save").select_option(label=label)
    path = folder / began.value.suggested_filename
    began.value.save_as(path)
    return path


def test_the_graph_as_a_file(mesh: str, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(f"{mesh}/graph?type=app&lookback=5m", theme="dark")
    expect(page.locator("[data-node]").first).to_be_visible()
    drawing = ET.fromstring(saved(page, tmp_path, "SVG").read_text(encoding="utf-8"))
    texts = [text for text in drawing.itertext() if text.strip()]
    assert "shop" in texts
    assert any(text.startswith('"><img') for text in texts), "names are text"
    assert not [element for element in drawing.iter() if element.tag.endswith(("script", "img"))]
    assert drawing.attrib["viewBox"]
    picture = saved(page, tmp_path, "PNG").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 5000
    assert saved(page, tmp_path, "DOT (Graphviz)").read_text(encoding="utf-8").startswith("digraph")
    assert saved(page, tmp_path, "Mermaid").name == "graph.mmd"
    names = {node["name"] for node in json.loads(saved(page, tmp_path, "JSON").read_bytes())["nodes"]}
    assert {"shop", "web", HOSTILE} <= names


def test_accessibility(mesh: str, open_page: OpenPage) -> None:
    page = open_page(f"{mesh}/graph?compare=3600&lookback=5m")
    expect(page.get_by_role("complementary", name="Beside the graph")).to_be_visible()
    assert serious_findings(page) == []
    page = open_page(f"{mesh}/graph?compare=3600&lookback=5m", PHONE, "dark")
    expect(page.get_by_role("complementary", name="Beside the graph")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
