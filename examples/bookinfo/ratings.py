"""ratings: stars of a book from a database; sometimes slow, sometimes holding a rating that cannot be."""

import json
import random
import socket
import sqlite3
import threading
import time

from opentelemetry import trace
from opentelemetry.trace import SpanKind

from bookinfo.web import Answer, Handler, Request, work

tracer = trace.get_tracer("bookinfo.ratings")

SLOW_RATE = 0.08
SLOW_S = (0.4, 1.5)
BROKEN_RATE = 0.05
MAX_STARS = 5
QUERY_MS = 4
CONNECT_S = 3.0
QUERY = "SELECT reviewer, stars FROM ratings WHERE product = ?"


class StarRatingError(ValueError):
    """A stored rating is outside 1 to 5 stars."""


class Database:
    """The ratings in SQLite; each query is a client span."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(":memory:", check_same_thread=False)
        self._connection.execute("CREATE TABLE ratings (product TEXT, reviewer TEXT, stars INTEGER)")
        rows = [
            (str(product), reviewer, stars)
            for product in range(10)
            for reviewer, stars in (("Reviewer1", 5), ("Reviewer2", 4))
        ]
        self._connection.executemany("INSERT INTO ratings VALUES (?, ?, ?)", rows)

    def ratings(self, product: str) -> dict[str, int]:
        """Stars by reviewer."""
        attributes = {
            "db.system.name": "sqlite",
            "db.namespace": "ratings",
            "db.operation.name": "SELECT",
            "db.collection.name": "ratings",
            "db.query.text": QUERY,
        }
        with tracer.start_as_current_span(
            "SELECT ratings", kind=SpanKind.CLIENT, attributes=attributes
        ) as span:
            if random.random() < SLOW_RATE:
                span.add_event("waiting for a lock", {"db.lock.table": "ratings"})
                time.sleep(random.uniform(*SLOW_S))
            work(QUERY_MS)
            with self._lock:
                rows = self._connection.execute(QUERY, (product,)).fetchall()
            span.set_attribute("db.response.returned_rows", len(rows))
        return dict(rows)


class RemoteDatabase:
    """The ratings in ``ratingsdb``, asked over TCP."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._address = host, int(port)

    def ratings(self, product: str) -> dict[str, int]:
        """Stars by reviewer."""
        attributes = {"db.system.name": "ratingsdb", "server.address": self._address[0]}
        with (
            tracer.start_as_current_span("GET ratings", kind=SpanKind.CLIENT, attributes=attributes),
            socket.create_connection(self._address, timeout=CONNECT_S) as connection,
        ):
            connection.sendall(f"{product}\n".encode())
            found: dict[str, int] = json.loads(connection.makefile().readline())
        return found


def routes(database_address: str) -> dict[str, Handler]:
    """The handlers.

    Args:
        database_address: ``host:port`` of ratingsdb; empty: ratings has a database of its own.
    """
    database = RemoteDatabase(database_address) if database_address else Database()
    return {"/ratings/{product}": lambda request: _ratings(request, database)}


def _ratings(request: Request, database: Database | RemoteDatabase) -> Answer:
    stars = database.ratings(request.parameters["product"])
    with tracer.start_as_current_span("validate ratings"):
        if random.random() < BROKEN_RATE:
            raise StarRatingError(f"rating of {MAX_STARS + 2} stars for book {request.parameters['product']}")
    return Answer(200, json.dumps({"id": request.parameters["product"], "ratings": stars}))
