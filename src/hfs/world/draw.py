"""A layout -> pixels.

Drawn on the CPU with numpy: the ground of a scene once, cut out anew for each frame where the
camera trembles; shapes as cached sprites. At 64 pixels a glyph's dot is two pixels wide.
"""

from functools import lru_cache

import numpy as np
from jaxtyping import Float64, Int, UInt8
from numpy.lib.stride_tricks import sliding_window_view

from hfs.world import glyphs, grounds
from hfs.world.scenes import Layout, Scene
from hfs.world.sprites import Sprite, sprite

_TREMBLE = 1
"""Design pixels that the camera moves by, each way."""
_GRAIN = 4.0
"""Standard deviation of the noise, of 255."""
_FADE = 0.4
"""Share of the old scene when its successor begins to fade in."""

Picture = UInt8[np.ndarray, "3 h w"]
Window = UInt8[np.ndarray, "3 y x"]


def frames(
    layout: Layout, size: int, *, per_candidate: int = 1, at: Int[np.ndarray, "k"] | None = None
) -> UInt8[np.ndarray, "k 3 h w"]:
    """The film's frames, ``per_candidate`` of them a candidate, or only those ``at`` ascending."""
    count = layout.frames * per_candidate
    at = np.arange(count) if at is None else at
    rng = np.random.default_rng(layout.seed)
    tremble = rng.integers(0, 2 * _TREMBLE + 1, (count, 2))
    grain = rng.integers(0, size, (count, 2))
    out = np.empty((len(at), 3, size, size), np.uint8)
    before: Scene | None = None
    for scene in layout.scenes:
        here = np.flatnonzero(
            (at >= scene.start * per_candidate) & (at < scene.end * per_candidate)
        )
        if len(here):
            times = at[here] / per_candidate
            stage = _Stage(scene, size)
            out[here] = stage.frames(times, tremble[at[here]])
            if scene.fade and before is not None:
                fading = here[times < scene.start + 1]
                old = _Stage(before, size).frames(at[fading] / per_candidate, tremble[at[fading]])
                share = _FADE * (1 - (at[fading] / per_candidate - scene.start))
                mixed = out[fading] + share[:, None, None, None] * (old - out[fading].astype(float))
                out[fading] = mixed.astype(np.uint8)
        before = scene
    noise = _noise(size)
    for i, (y, x) in enumerate(grain[at].tolist()):
        out[i] = np.clip(out[i] + noise[y : y + size, x : x + size], 0, 255)
    return out


@lru_cache(maxsize=4)
def _noise(size: int) -> Int[np.ndarray, "s s"]:
    drawn = np.random.default_rng(0).normal(0, _GRAIN, (2 * size, 2 * size))
    return drawn.round().astype(np.int16)


class _Stage:
    """What one scene's frames share."""

    def __init__(self, scene: Scene, size: int):
        rng = np.random.default_rng(scene.seed)
        self.scene, self.size, self.scale = scene, size, size / 64
        side = size + round(2 * _TREMBLE * self.scale)
        self.ground = grounds.texture(scene.ground, side, self.scale, rng)
        wide = 1.2 if scene.shape == "star" else 1.0  # its arms are thin
        self.radius = round(wide * rng.uniform(11, 13.5) * self.scale)
        self.phase, self.pace = rng.uniform(0, 2 * np.pi, 2), rng.uniform(0.15, 0.5, 2)
        self.centre = rng.uniform((24, 26), (40, 31))
        self.clutter = [
            (rng.uniform(4, 60, 2), rng.uniform(-0.8, 0.8, 2), int(rng.integers(2, 4)))
            for _ in range(int(rng.integers(0, 3)))
        ]
        self.mirrored = bool(rng.random() < 0.5)
        """Whether the digit is on the left and the letter on the right."""
        self.side = -1 if rng.random() < 0.5 else 1
        """Where it leaves to, and where the ball comes from."""

    def frames(
        self, times: Float64[np.ndarray, "k"], tremble: Int[np.ndarray, "k 2"]
    ) -> UInt8[np.ndarray, "k 3 h w"]:
        """One picture a time, in candidates; without grain."""
        moved = np.round(tremble * self.scale).astype(int)
        windows = sliding_window_view(self.ground, (self.size, self.size), axis=(1, 2))
        out = np.ascontiguousarray(windows[:, moved[:, 0], moved[:, 1]].transpose(1, 0, 2, 3))
        for picture, time, (dy, dx) in zip(out, times.tolist(), (-moved).tolist(), strict=True):
            self._act(picture, time, dy, dx)
        return out

    def _act(self, picture: Picture, time: float, dy: int, dx: int) -> None:
        for place, speed, radius in self.clutter:
            y, x = (place + speed * time) % 64
            grey = sprite("circle", "grey", max(1, round(radius * self.scale)))
            _paste(picture, grey, round(y * self.scale) + dy, round(x * self.scale) + dx)
        sway = np.sin(self.phase + self.pace * time) * (6, 2)
        x, y = (round(v * self.scale) for v in (self.centre + sway).tolist())
        moment = self.scene.at(int(time))
        self._shape(picture, y + dy, x + dx, self.scene.event if moment == "event" else None)
        if moment == "reveal":
            digit, letter = str(self.scene.digit), self.scene.letter
            self._plate(picture, digit, self.mirrored, 250, 10)
            self._plate(picture, letter, not self.mirrored, 10, 250)
        elif moment == "word":
            assert self.scene.word is not None
            self._banner(picture, self.scene.word)

    def _shape(self, picture: Picture, y: int, x: int, event: str | None) -> None:
        shape, colour, radius = self.scene.shape, self.scene.colour, self.radius
        if event == "shrink":
            radius = round(0.5 * radius)
        elif event == "leave":
            x = self.size if self.side > 0 else 0
        elif event == "flash":
            _paste(picture, sprite("star", "white", round(2.3 * radius)), y, x)
            _paste(picture, sprite("circle", "white", round(1.25 * radius)), y, x)
        drawn = sprite(shape, colour, radius)
        if event == "split":
            half, gap = (2 * radius + 3) // 2, round(5 * self.scale)
            for turn, cut in ((-1, slice(0, half)), (1, slice(half, None))):
                part = np.zeros_like(drawn[1])
                part[:, cut] = 1
                _paste(picture, (drawn[0] * part, drawn[1] * part), y, x + turn * gap)
            return
        _paste(picture, drawn, y, x)
        if event == "hit":
            ball = round(6 * self.scale)
            _paste(
                picture, sprite("circle", "white", ball), y, x + self.side * (radius + ball // 2)
            )

    def _plate(self, picture: Picture, text: str, left: bool, paper: int, ink: int) -> None:
        dots = glyphs.bitmap(text, max(1, round(2 * self.scale)))
        edge, margin = round(2 * self.scale), round(3 * self.scale)
        height, width = dots.shape[0] + 2 * edge, dots.shape[1] + 2 * edge
        start = margin if left else self.size - margin - width
        area = picture[:, margin : margin + height, start : start + width]
        area[:] = paper
        area[:, edge:-edge, edge:-edge][:, dots] = ink

    def _banner(self, picture: Picture, text: str) -> None:
        dots = glyphs.bitmap(text, max(1, round(2 * self.scale)))
        edge, margin = round(2 * self.scale), round(2 * self.scale)
        top = self.size - margin - dots.shape[0] - 2 * edge
        area = picture[:, top : self.size - margin]
        area[:] = 16
        start = (self.size - dots.shape[1]) // 2
        area[:, edge:-edge, start : start + dots.shape[1]][:, dots] = 245


def _paste(picture: Picture, drawn: Sprite, y: int, x: int) -> None:
    """Put a sprite's centre at a pixel; what lies outside the picture is cut off."""
    paint, opaque = drawn
    side, size = opaque.shape[0], picture.shape[1]
    top, left = y - side // 2, x - side // 2
    y0, x0, y1, x1 = max(top, 0), max(left, 0), min(top + side, size), min(left + side, size)
    if y0 >= y1 or x0 >= x1:
        return
    area = picture[:, y0:y1, x0:x1]
    part = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    area[:] = area * (1 - opaque[part]) + paint[(slice(None), *part)]
