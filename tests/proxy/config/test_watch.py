"""A folder of files is applied as a whole file or not at all."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from proxy.config.store import ConfigStore
from proxy.config.watch import AUTHOR, FolderSource

RULE = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: {0}}}
spec: {{host: {1}}}
---
"""


def rules(*names: str, host: str = "reviews") -> str:
    return "".join(RULE.format(name, host) for name in names)


@pytest.fixture
def store() -> Iterator[ConfigStore]:
    made = ConfigStore("sqlite://")
    yield made
    made.close()


@pytest.fixture
def source(tmp_path: Path, store: ConfigStore) -> FolderSource:
    return FolderSource(tmp_path, store)


def names(store: ConfigStore) -> set[str]:
    return {key.name for key in store.current().by_key}


def test_all_files_are_one_revision(tmp_path: Path, store: ConfigStore, source: FolderSource):
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.yaml").write_text(rules("a"))
    (tmp_path / "sub" / "b.yml").write_text(rules("b", "c"))
    (tmp_path / "notes.txt").write_text("not ours")

    made = source.scan()

    assert (made.number, made.author) == (1, AUTHOR)
    assert names(store) == {"a", "b", "c"}
    assert source.problems == ()


def test_what_goes_from_the_files_goes_from_the_store(
    tmp_path: Path, store: ConfigStore, source: FolderSource
):
    (tmp_path / "a.yaml").write_text(rules("a", "b"))
    (tmp_path / "c.yaml").write_text(rules("c"))
    source.scan()
    (tmp_path / "a.yaml").write_text(rules("a"))
    (tmp_path / "c.yaml").unlink()
    source.scan()

    assert names(store) == {"a"}


def test_a_file_with_an_error_keeps_its_last_good_content(
    tmp_path: Path, store: ConfigStore, source: FolderSource
):
    (tmp_path / "a.yaml").write_text(rules("a", "b"))
    (tmp_path / "c.yaml").write_text(rules("c"))
    source.scan()
    (tmp_path / "a.yaml").write_text(
        rules("a", host="ratings") + rules("x", host="'!'") + rules("z", host="'?'")
    )
    (tmp_path / "c.yaml").write_text(rules("c", host="ratings"))
    source.scan()

    hosts = {key.name: obj.document["spec"] for key, obj in store.current().by_key.items()}
    assert hosts == {"a": {"host": "reviews"}, "b": {"host": "reviews"}, "c": {"host": "ratings"}}
    assert [(p.subject, p.line) for p in source.problems] == [
        ("DestinationRule default/x", 9),
        ("DestinationRule default/z", 14),
    ]
    assert all(problem.file == str(tmp_path / "a.yaml") for problem in source.problems)

    (tmp_path / "a.yaml").write_text(rules("a"))
    source.scan()

    assert names(store) == {"a", "c"}
    assert source.problems == ()


def test_an_object_moves_between_files(tmp_path: Path, store: ConfigStore, source: FolderSource):
    (tmp_path / "a.yaml").write_text(rules("a", "b"))
    source.scan()
    (tmp_path / "a.yaml").write_text(rules("a"))
    (tmp_path / "b.yaml").write_text(rules("b"))
    source.scan()

    assert names(store) == {"a", "b"}
    assert {o.origin.file for o in store.current().by_key.values()} == {
        str(tmp_path / "a.yaml"),
        str(tmp_path / "b.yaml"),
    }


def test_an_object_in_two_files_is_refused_in_the_second(
    tmp_path: Path, store: ConfigStore, source: FolderSource
):
    (tmp_path / "a.yaml").write_text(rules("a"))
    (tmp_path / "b.yaml").write_text(rules("b", "a", host="ratings"))
    source.scan()

    assert names(store) == {"a"}
    assert "is already in" in source.problems[0].message


def test_an_object_of_a_refused_file_is_not_taken_over(
    tmp_path: Path, store: ConfigStore, source: FolderSource
):
    (tmp_path / "a.yaml").write_text(rules("a"))
    source.scan()
    (tmp_path / "a.yaml").write_text("[")
    (tmp_path / "b.yaml").write_text(rules("a", "b", host="ratings"))
    source.scan()

    assert names(store) == {"a"}
    assert len(source.problems) == 2


def test_objects_that_others_applied_stay(tmp_path: Path, store: ConfigStore, source: FolderSource):
    (tmp_path / "a.yaml").write_text(rules("a"))
    elsewhere = tmp_path / ".elsewhere"
    elsewhere.mkdir()
    source.scan()
    (tmp_path / "a.yaml").unlink()
    FolderSource(elsewhere, store).scan()

    assert names(store) == {"a"}


def test_a_folder_that_is_gone_takes_nothing_along(tmp_path: Path, store: ConfigStore):
    folder = tmp_path / "mesh"
    folder.mkdir()
    (folder / "a.yaml").write_text(rules("a"))
    source = FolderSource(folder, store)
    source.scan()
    folder.rename(tmp_path / "away")

    assert source.scan() is None
    assert names(store) == {"a"}
    assert "the folder is gone" in source.problems[0].message


def test_a_file_that_is_no_text_is_told(tmp_path: Path, source: FolderSource):
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00")
    source.scan()

    assert "cannot be read" in source.problems[0].message


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 (another thread changes the store)
            await asyncio.sleep(0.05)


async def test_changes_are_followed_until_stop(tmp_path: Path, store: ConfigStore, source: FolderSource):
    (tmp_path / "a.yaml").write_text(rules("a"))
    await source.start()
    assert names(store) == {"a"}

    (tmp_path / "b.yaml").write_text(rules("b"))
    await _until(lambda: names(store) == {"a", "b"})
    (tmp_path / "a.yaml").unlink()
    await _until(lambda: names(store) == {"b"})

    await source.stop()
    (tmp_path / "b.yaml").unlink()
    assert names(store) == {"b"}
