"""Times as parameters of our own API."""

from typing import Annotated

from fastapi import Query

from query.traces.search import LATEST_NS

NS_PER_US = 1000

Microseconds = Annotated[int, Query(ge=0, le=LATEST_NS // NS_PER_US, description="Unix microseconds")]
