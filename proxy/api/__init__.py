"""Istio's API objects as typed, immutable models. Names are those of the API, in snake case."""
