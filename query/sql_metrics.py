"""What SQL users are told of the tables of metrics."""

_SAMPLE = {
    "sid": "series.sid; join with series for the labels",
    "ts": "time, UTC, milliseconds; compare it bare, so that only files of that time are read",
    "start": "when the counter began, milliseconds since the epoch, NULL when not told",
    "seq": "of rows of one series and time the one with the greatest counts; NULL is before all",
}

TABLES = {
    "series": "labels of series: one row or more per series and day; SELECT DISTINCT sid, labels",
    "samples": "one row per sample, and one more when a sender repeats it",
    "histograms": "one row per native histogram sample, counts as floats",
    "exemplars": "one row per exemplar",
    "metric_metadata": "what senders say of metrics; of several rows of a name the newest counts",
}

COLUMNS = {
    "series": {
        "sid": "64-bit hash of the labels",
        "ts": "end of the day that the row is for",
        "name": "metric name",
        "labels": "JSON object of all labels, __name__ too: labels ->> '$.job'",
        "seq": "grows with every row",
    },
    "samples": _SAMPLE | {"value": "the value; a certain NaN marks the end of a series"},
    "histograms": _SAMPLE
    | {
        "schema": "resolution, -4 to 8; -53 for custom bounds",
        "zero_threshold": "half the width of the bucket around zero",
        "zero_count": "observations in the bucket around zero",
        "count": "observations",
        "sum": "sum of the observations",
        "positive_spans": "offset and length by turns of runs of buckets",
        "positive_counts": "observations by bucket",
        "negative_spans": "as positive_spans",
        "negative_counts": "as positive_counts",
        "custom": "upper bounds of the buckets of schema -53",
        "hint": "0 unknown, 1 reset, 2 no reset, 3 gauge",
    },
    "exemplars": _SAMPLE | {"value": "the value", "labels": "JSON object of the exemplar's own labels"},
    "metric_metadata": {
        "ts": "when it was told",
        "name": "metric name",
        "type": "counter, gauge, histogram, gaugehistogram, summary, info, stateset or unknown",
        "help": "description",
        "unit": "unit",
    },
}
