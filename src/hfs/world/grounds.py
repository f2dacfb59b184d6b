"""The name of a ground and a seed -> its texture."""

import numpy as np
from jaxtyping import Float32, UInt8


def texture(
    name: str, side: int, scale: float, rng: np.random.Generator
) -> UInt8[np.ndarray, "3 s s"]:
    """Dull colours, so that no ground is taken for a shape; ``scale`` is pixels a design pixel."""
    y, x = np.meshgrid(np.arange(side), np.arange(side), indexing="ij")
    y = (y / scale + rng.uniform(0, 32)).astype(np.float32)
    x = (x / scale + rng.uniform(0, 32)).astype(np.float32)
    light, colour = _DRAWN[name](y, x, rng)
    light = light * rng.uniform(0.92, 1.08)
    return np.clip(np.array(colour, np.float32)[:, None, None] * light, 0, 255).astype(np.uint8)


_Plane = Float32[np.ndarray, "s s"]
_Drawn = tuple[_Plane, tuple[int, int, int]]


def _specks(y: _Plane, x: _Plane, rng: np.random.Generator, share: float) -> _Plane:
    """1 in a random ``share`` of the design's 2 x 2 cells, else 0."""
    cells = rng.random((80, 80)) < share
    return cells[(y // 2).astype(int) % 80, (x // 2).astype(int) % 80].astype(np.float32)


def _night(y: _Plane, x: _Plane, rng: np.random.Generator) -> _Drawn:
    return 1 + 5 * _specks(y, x, rng, 0.02), (18, 20, 42)


def _sand(y: _Plane, x: _Plane, rng: np.random.Generator) -> _Drawn:
    return 1 - 0.16 * _specks(y, x, rng, 0.25), (208, 184, 136)


def _bricks(y: _Plane, x: _Plane, rng: np.random.Generator) -> _Drawn:
    row = y // 8
    mortar = (y % 8 < 1.2) | ((x + 8 * (row % 2)) % 16 < 1.2)
    return np.where(mortar, 1.6, 1.0).astype(np.float32), (106, 58, 44)


def _fog(y: _Plane, x: _Plane, rng: np.random.Generator) -> _Drawn:
    return 0.85 + 0.3 * (y - y.min()) / (y.max() - y.min() + 1), (150, 150, 156)


def _forest(y: _Plane, x: _Plane, rng: np.random.Generator) -> _Drawn:
    return np.where(x % 12 < 4, 0.5, 1.0).astype(np.float32), (34, 72, 42)


def _snow(y: _Plane, x: _Plane, rng: np.random.Generator) -> _Drawn:
    return 1 - 0.12 * _specks(y, x, rng, 0.06), (232, 236, 242)


def _checks(y: _Plane, x: _Plane, rng: np.random.Generator) -> _Drawn:
    return np.where((y // 8 + x // 8) % 2 == 0, 0.72, 1.2).astype(np.float32), (92, 92, 92)


def _waves(y: _Plane, x: _Plane, rng: np.random.Generator) -> _Drawn:
    return 1 + 0.3 * np.sin(0.8 * y + 1.5 * np.sin(0.3 * x)), (36, 66, 92)


_DRAWN = {
    "night": _night,
    "sand": _sand,
    "bricks": _bricks,
    "fog": _fog,
    "forest": _forest,
    "snow": _snow,
    "checks": _checks,
    "waves": _waves,
}
