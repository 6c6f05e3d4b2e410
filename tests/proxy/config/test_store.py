"""Every change is a revision: atomic, with history, differences and a way back."""

import multiprocessing
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from threading import Thread

import pytest

from proxy.api.base import Model
from proxy.config.objects import ConfigObject, Key
from proxy.config.parse import parse
from proxy.config.revisions import Revision
from proxy.config.store import ConfigStore, UnknownRevisionError
from tests.proxy.config.postgresql import Postgresql
from vigla.clock import FakeClock
from vigla.errors import SettingsError

START = 1_700_000_000_000_000_000


def rule(name: str, host: str = "reviews", before: str = "", file: str = "rules.yaml") -> ConfigObject[Model]:
    text = (
        f"{before}apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
        f"metadata: {{name: {name}}}\nspec:\n  host: {host}\n"
    )
    (obj,) = parse(text, file).objects
    return obj


def key(name: str) -> Key:
    return Key("DestinationRule", "default", name)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)


@pytest.fixture(params=["memory", "file", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "postgresql":
        server: Postgresql = request.getfixturevalue("postgresql")
        return server.empty_database()
    return "sqlite://" if request.param == "memory" else f"sqlite:///{tmp_path / 'mesh.db'}"


@pytest.fixture
def store(url: str, clock: FakeClock) -> Iterator[ConfigStore]:
    made = ConfigStore(url, clock)
    yield made
    made.close()


@pytest.fixture
def shared(url: str) -> str:
    """A database that several processes can use."""
    if url == "sqlite://":
        pytest.skip("a database in memory belongs to one store")
    return url


def _hosts(store: ConfigStore) -> dict[str, object]:
    return {o.name: o.document["spec"]["host"] for o in store.current().by_key.values()}  # type: ignore[index]


def test_a_change_is_a_revision_with_all_its_objects(store: ConfigStore):
    made = store.apply([rule("b"), rule("a")], "ada", "Two rules")

    assert (made.number, made.author, made.message) == (1, "ada", "Two rules")
    assert [(c.key.name, c.before is None) for c in made.changes] == [("a", True), ("b", True)]
    assert set(store.current().by_key) == {key("a"), key("b")}
    assert store.history() == [made]


def test_what_changes_nothing_makes_no_revision(store: ConfigStore):
    assert store.apply([], "ada", "nothing").number == 0
    first = store.apply([rule("a")], "ada", "one")

    assert store.apply([rule("a")], "ada", "again", delete=[key("absent")]) == first
    assert store.number() == 1


def test_unchanged_objects_are_no_part_of_a_revision(store: ConfigStore):
    store.apply([rule("a"), rule("b")], "ada", "two")

    made = store.apply([rule("a"), rule("b", "ratings")], "ada", "b")

    assert [c.key.name for c in made.changes] == ["b"]


def test_objects_keep_their_time_of_creation(store: ConfigStore, clock: FakeClock):
    store.apply([rule("a")], "ada", "one")
    created = store.current().by_key[key("a")].created
    clock.advance(60)
    store.apply([rule("a", "ratings"), rule("b")], "ada", "two")

    objects = store.current().by_key
    assert objects[key("a")].created == created == datetime.fromtimestamp(START / 1e9, UTC)
    assert objects[key("b")].created == created + timedelta(seconds=60)


def test_deleting_and_creating_is_one_revision(store: ConfigStore):
    store.apply([rule("a")], "ada", "one")

    made = store.apply([rule("b")], "ada", "swap", delete=[key("a")])

    assert [(c.key.name, c.after is None) for c in made.changes] == [("a", True), ("b", False)]
    assert set(store.current().by_key) == {key("b")}


def test_the_past_can_be_seen_by_number_and_by_time(store: ConfigStore, clock: FakeClock):
    store.apply([rule("a")], "ada", "one")
    clock.advance(60)
    store.apply([], "ada", "gone", delete=[key("a")])

    start = datetime.fromtimestamp(START / 1e9, UTC)
    assert set(store.at(1).by_key) == {key("a")}
    assert store.at(2).by_key == store.at(0).by_key == {}
    assert set(store.at(start + timedelta(seconds=59)).by_key) == {key("a")}
    assert store.at(start + timedelta(seconds=60)).by_key == {}
    assert store.at(start - timedelta(seconds=1)).by_key == {}
    with pytest.raises(UnknownRevisionError, match="no revision 3: the latest is 2"):
        store.at(3)


def test_a_rollback_is_a_new_revision_with_the_old_objects(store: ConfigStore, clock: FakeClock):
    store.apply([rule("a"), rule("b")], "ada", "two")
    before = store.current()
    clock.advance(60)
    store.apply([rule("a", "ratings"), rule("c")], "ada", "mistake", delete=[key("b")])

    made = store.rollback(1, "bob")

    assert (made.number, made.author, made.message) == (3, "bob", "Rollback to revision 1")
    assert store.current() == before
    assert store.rollback(0, "bob").number == 4
    assert store.current().by_key == {}


def test_a_difference_is_yaml(store: ConfigStore):
    store.apply([rule("a")], "ada", "one")
    store.apply([rule("a", "ratings")], "ada", "two")

    assert "+++ DestinationRule default/a (revision 1)\n" in store.diff(1)
    assert store.diff(1).startswith("--- /dev/null\n")
    lines = store.diff(2).splitlines()
    assert lines[:2] == [
        "--- DestinationRule default/a (revision 1)",
        "+++ DestinationRule default/a (revision 2)",
    ]
    assert [line for line in lines[2:] if line[0] in "+-"] == ["-  host: reviews", "+  host: ratings"]


def test_places_in_files_survive(store: ConfigStore):
    store.apply([rule("a", before="# why\n\n")], "ada", "one")
    stored = store.at(1).by_key[key("a")]

    assert (stored.origin.file, stored.origin.line(("spec", "host"))) == ("rules.yaml", 7)

    store.apply([rule("a")], "ada", "moved up")

    assert store.number() == 1
    for collection in (store.current(), store.at(1)):
        assert collection.by_key[key("a")].origin.line(("spec", "host")) == 5


def test_another_process_sees_the_same(shared: str):
    with closing(ConfigStore(shared)) as ours, closing(ConfigStore(shared)) as theirs:
        ours.apply([rule("a")], "ada", "one")
        assert _hosts(theirs) == {"a": "reviews"}

        theirs.apply([rule("a", "ratings")], "bob", "two")

        assert _hosts(ours) == {"a": "ratings"}
        assert ours.current() == theirs.current()


def test_subscribers_hear_of_revisions_until_they_leave(store: ConfigStore):
    heard: list[Revision] = []
    leave = store.subscribe(heard.append)
    made = store.apply([rule("a")], "ada", "one")
    store.apply([rule("a")], "ada", "nothing")
    leave()
    store.apply([rule("b")], "ada", "two")

    assert heard == [made]


def test_writers_on_many_threads_each_get_a_number(store: ConfigStore):
    threads = [Thread(target=lambda i=i: store.apply([rule(f"r{i}")], "t", "")) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [revision.number for revision in store.history()] == list(range(8, 0, -1))
    assert len(store.current().by_key) == 8


WRITERS, EACH = 4, 5


def _write(url: str, name: str) -> None:
    with closing(ConfigStore(url)) as store:
        for i in range(EACH):
            store.apply([rule(f"{name}-{i}"), rule("all", f"{name}-{i}")], name, "")


def test_writers_in_many_processes_each_get_a_number_and_lose_nothing(shared: str):
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=_write, args=(shared, f"p{i}")) for i in range(WRITERS)]
    for process in processes:  # all of them find an empty database
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0] * WRITERS
    with closing(ConfigStore(shared)) as store:
        history = store.history(100)
        last = history[0]
        assert [revision.number for revision in history] == list(range(WRITERS * EACH, 0, -1))
        expected = {f"p{i}-{j}" for i in range(WRITERS) for j in range(EACH)} | {"all"}
        assert {k.name for k in store.current().by_key} == expected
        assert (
            _hosts(store)["all"] == next(c.after for c in last.changes if c.key == key("all"))["spec"]["host"]
        )
        assert all(
            next(c.before for c in later.changes if c.key == key("all"))
            == next(c.after for c in earlier.changes if c.key == key("all"))
            for later, earlier in pairwise(history)
        )


def test_long_names_and_any_text_are_kept(store: ConfigStore):
    name = "n" * 253
    store.apply([rule(name, before="# ☃ \n")], "ada ☃", "line\nline '\";--")

    assert key(name) in store.current().by_key
    assert (store.history()[0].author, store.history()[0].message) == ("ada ☃", "line\nline '\";--")


def test_text_that_not_every_database_holds_is_stored_alike(store: ConfigStore):
    made = store.apply([rule("a", file="a\0.yaml")], "a\0da", "\0")

    assert (made.author, made.message) == ("a\ufffdda", "\ufffd")
    assert store.at(1).by_key[key("a")].origin.file == "a\ufffd.yaml"


def test_lost_connections_are_made_anew(postgresql: Postgresql):
    url = postgresql.empty_database()
    with closing(ConfigStore(url)) as store:
        store.apply([rule("a")], "ada", "one")
        postgresql.restart()

        assert _hosts(store) == {"a": "reviews"}
        assert store.apply([rule("b")], "ada", "two").number == 2


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://localhost/mesh", "postgresql://"),
        ("mesh.db", "sqlite:///"),
        ("sqlite:////nowhere/mesh.db", "unable to open database file"),
        ("postgresql://mesh:secret@127.0.0.1:1/mesh", "127.0.0.1"),
    ],
)
def test_a_database_that_cannot_be_used_is_told_without_its_password(url: str, said: str):
    with pytest.raises(SettingsError) as refused:
        ConfigStore(url)
    assert "mesh.store_url" in str(refused.value)
    assert said in str(refused.value)
    assert "secret" not in str(refused.value)
