"""Benchmarks: annotation files -> questions about videos, and the official score of answers."""
