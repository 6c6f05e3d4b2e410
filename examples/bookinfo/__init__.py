"""Bookinfo: small services that call one another, traced with the OpenTelemetry SDK."""
