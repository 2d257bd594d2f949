"""Benchmarks: what the application promises, measured on the real server and a real browser."""
