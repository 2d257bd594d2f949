"""Served pages and serving: what a browser or a cluster talks to."""
