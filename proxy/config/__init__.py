"""Configuration objects: their kinds, reading them from YAML, and the store of their revisions."""
