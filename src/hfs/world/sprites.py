"""The names of a shape, its colour and its size -> its picture with an edge, cut out smoothly."""

from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float32, Float64

PAINT = {
    "red": (222, 36, 36),
    "green": (30, 180, 50),
    "blue": (48, 84, 238),
    "yellow": (246, 218, 36),
    "purple": (170, 50, 210),
    "cyan": (40, 214, 226),
    "grey": (128, 128, 128),
    "white": (255, 255, 255),
}
_EDGE = (12, 12, 16)
_FINE = 4
"""Samples a pixel and axis."""

Sprite = tuple[Float32[np.ndarray, "3 d d"], Float32[np.ndarray, "d d"]]
"""Colour times opacity, and opacity, both from 0; colour up to 255, opacity up to 1."""


@lru_cache(maxsize=1024)
def sprite(shape: str, colour: str, radius: int) -> Sprite:
    """A square picture of side ``2 radius + 3`` with the shape in its centre."""
    side = 2 * radius + 3
    axis = (np.arange(side * _FINE) + 0.5) / _FINE - side / 2
    y, x = np.meshgrid(axis, axis, indexing="ij")
    edge = max(1.0, radius / 9)
    outer = _smooth(inside(shape, x / radius, y / radius))
    inner = _smooth(
        np.logical_and.reduce(
            [
                inside(shape, (x + dx * edge) / radius, (y + dy * edge) / radius)
                for dx, dy in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))
            ]
        )
    )
    fill = np.array(PAINT[colour], np.float32)[:, None, None]
    rim = np.array(_EDGE, np.float32)[:, None, None]
    return fill * inner + rim * (outer - inner), outer


def _smooth(mask: Bool[np.ndarray, "h w"]) -> Float32[np.ndarray, "d d"]:
    side = mask.shape[0] // _FINE
    return mask.reshape(side, _FINE, side, _FINE).mean((1, 3), dtype=np.float32)


def inside(
    shape: str, x: Float64[np.ndarray, "h w"], y: Float64[np.ndarray, "h w"]
) -> Bool[np.ndarray, "h w"]:
    """Whether points belong to the shape, which reaches to about 1; y grows downwards.

    Shapes differ in area too, so that patches of 16 pixels tell them apart.
    """
    far = np.hypot(x, y)
    if shape == "circle":
        return far <= 0.85
    if shape == "ring":
        return (far <= 1) & (far >= 0.5)
    if shape == "square":
        return np.maximum(abs(x), abs(y)) <= 1
    if shape == "cross":
        return (np.minimum(abs(x), abs(y)) <= 0.22) & (np.maximum(abs(x), abs(y)) <= 1)
    if shape == "triangle":
        return (y <= 0.92) & (y >= 1.75 * abs(x) - 1)
    if shape == "star":  # a pentagram breaks at most one of its five edges' half-planes
        turns = np.pi * (np.arange(5) * 2 / 5 + 1 / 2)
        edges = [x * np.cos(a) + y * np.sin(a) <= 0.34 for a in turns]
        return np.sum(edges, axis=0) >= 4
    raise KeyError(shape)
