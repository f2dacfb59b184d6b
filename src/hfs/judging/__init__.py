"""Judging: chosen frames and annotations -> figures, without a model."""
