"""Analysis of a configuration: what is allowed, but will not do what was meant, with Istio's codes."""
