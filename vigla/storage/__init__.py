"""The lake: DuckLake tables, the hot buffer before them, and their upkeep."""
