"""Which spans an archive lacks."""

import duckdb
import pyarrow as pa

from vigla.storage.columns import conform
from vigla.storage.failures import of_write

_ADDITIONS = "SELECT * FROM given_spans EXCEPT ALL SELECT * FROM present_spans"


def additions(connection: duckdb.DuckDBPyConnection, given: pa.Table, present: pa.Table) -> pa.Table:
    """The rows of ``given`` that ``present`` lacks, compared in all columns and by how often they stand.

    Whole rows, as a span id can stand twice in one trace: both sides of a call share it in Zipkin's model.
    """
    with of_write("compare with the archive"), connection.cursor() as cursor:
        cursor.register("given_spans", given)
        cursor.register("present_spans", present)
        added = cursor.execute(_ADDITIONS).to_arrow_table()
    return conform(added, given.schema)
