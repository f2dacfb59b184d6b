"""Choose the k video frames that together answer a question."""

__version__ = "0.1.0"
