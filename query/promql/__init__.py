"""PromQL: text to syntax tree (``parse``), syntax tree and series to a result (``engine``)."""
