"""Bus to lake: decode, derive, write, commit."""
