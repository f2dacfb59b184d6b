"""Evaluation: a benchmark, pipelines and an answerer -> rows, and rows -> figures."""
