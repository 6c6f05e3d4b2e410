"""Receives telemetry, admits or refuses it, and answers when it is durable on the bus."""
