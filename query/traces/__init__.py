"""The trace engine: search, read, summarise, relate."""
