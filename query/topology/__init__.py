"""The mesh as a graph of who calls whom, made of metrics and joined with configuration."""
