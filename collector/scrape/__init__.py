"""Scraping: discovery of targets, a loop for each, pages into remote write requests."""
