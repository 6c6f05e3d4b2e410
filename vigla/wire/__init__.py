"""Bytes to Arrow columns and back, one package a protocol."""
