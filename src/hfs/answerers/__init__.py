"""Answerers: chosen frames and a question -> an answer."""
