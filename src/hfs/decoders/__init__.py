"""Decoders: a source -> an exact index of its frames, and any of those frames."""
