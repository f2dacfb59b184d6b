"""Exporters: a selection and its frames -> what a host of multimodal models takes."""
