"""Answers: trace engine, SQL and the HTTP APIs people's tools speak."""
