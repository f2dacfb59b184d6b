"""The JSON of recipes/qvhighlights_knob.py -> the knob's curve and every rival's point, as SVG.

python docs/draw_knob.py knob.json > docs/knob.svg
"""

import json
import sys
from html import escape
from itertools import pairwise, product
from math import dist
from pathlib import Path
from typing import NamedTuple

WIDTH, HEIGHT, GAP = 330, 330, 52
LEFT, TOP, BOTTOM = 56, 44, 56
LINE, LETTER = 14, 6.9
"""Height of a line of text and mean width of a letter."""
TURNS = (0.2, 0.5, 0.7, 0.8, 0.9)
"""Knob values that are written beside the curve."""
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #57606a } .k { font-weight: 600; font-size: 14px;
fill: #1f2328 } .turn { fill: #0b57b0; font-size: 11px }
.default { fill: #0b57b0; font-weight: 600 }
.curve { fill: none; stroke: #0b57b0; stroke-width: 2; stroke-linejoin: round }
.tick { fill: #0b57b0 } .rival { fill: #8c5a2b } .grid { stroke: #e6e8eb } .lead { stroke: #c2a68c }
"""


class Point(NamedTuple):
    """A place in the drawing."""

    x: float
    y: float


class Box(NamedTuple):
    """A label's place."""

    left: float
    top: float
    right: float
    bottom: float

    def clash(self, other: "Box") -> float:
        """The common area."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(wide, 0) * max(high, 0)


class Panel:
    """One budget: mean saliency across, windows hit up."""

    def __init__(self, k: int, figures: dict[str, tuple[float, float]], left: float):
        self.k, self.left = k, left
        hits = [hit for hit, _ in figures.values()]
        self.low, self.high = min(hits) - 0.015, max(hits) + 0.015
        self.across = (0.7, 2.2)
        self.at = {name: self.place(s, hit) for name, (hit, s) in figures.items()}
        knob = {float(n[13:-1]): at for n, at in self.at.items() if n.startswith("hfs(")}
        self.curve = [knob[a] for a in sorted(knob)]
        self.turns = {a: knob[a] for a in TURNS if a in knob}
        self.rivals = {n: at for n, at in self.at.items() if not n.startswith("hfs")}
        along = [Point((a.x + b.x) / 2, (a.y + b.y) / 2) for a, b in pairwise(self.curve)]
        marks = [*self.curve, *along, *self.rivals.values()]
        self.taken = [Box(p.x - 5, p.y - 5, p.x + 5, p.y + 5) for p in marks]

    def place(self, saliency: float, hit: float) -> Point:
        low, high = self.across
        x = self.left + WIDTH * (saliency - low) / (high - low)
        return Point(x, TOP + HEIGHT * (self.high - hit) / (self.high - self.low))

    def label(self, at: Point, words: str, kind: str = "") -> list[str]:
        """The words where they hide least, as near as that allows; far from the point, a line."""
        wide = LETTER * len(words) + 8
        places = []
        for x, y in product(range(-90, 91, 6), range(-66, 67, 6)):
            left, top = at.x + x - wide / 2, at.y + y - LINE / 2
            places.append(Box(left, top, left + wide, top + LINE))
        best = min(places, key=lambda box: self.cost(box, at))
        self.taken.append(best)
        x, y = (best.left + best.right) / 2, best.bottom - 3
        near = Point(min(max(at.x, best.left), best.right), min(max(at.y, best.top), best.bottom))
        lead = f'<path class="lead" d="M{at.x:.1f} {at.y:.1f}L{near.x:.1f} {near.y:.1f}"/>'
        made = [lead] if dist(at, near) > 9 else []
        return [*made, text(x, y, words, f'class="{kind}" text-anchor="middle"')]

    def cost(self, box: Box, at: Point) -> float:
        inside = (
            self.left + 2 <= box.left
            and box.right <= self.left + WIDTH
            and box.top >= TOP
            and box.bottom <= TOP + HEIGHT
        )
        clash = sum(box.clash(other) for other in self.taken)
        centre = Point((box.left + box.right) / 2, (box.top + box.bottom) / 2)
        beside = dist(Point(max(abs(centre.x - at.x) - (box.right - box.left) / 2, 0), 0),
                      Point(0, centre.y - at.y))  # fmt: skip
        return clash * 10 + beside + (0 if inside else 1e4)

    def draw(self) -> list[str]:
        made = [text(self.left, TOP - 14, f"k = {self.k}", 'class="k"'), *self.axes()]
        line = " ".join(f"{p.x:.1f},{p.y:.1f}" for p in self.curve)
        labels = self.label(self.at["hfs"], "hfs, the default", "default")
        for name, at in sorted(self.rivals.items(), key=lambda item: -item[1].x):
            labels += self.label(at, name)
        for a, at in self.turns.items():
            labels += self.label(at, f"{a}", "turn")
        made += [part for part in labels if part.startswith("<path")]
        made.append(f'<polyline class="curve" points="{line}"/>')
        made += [circle(at, 3, "rival") for at in self.rivals.values()]
        made += [circle(at, 3, "tick") for at in self.turns.values()]
        made.append(circle(self.at["hfs"], 5.5, "tick"))
        return made + [part for part in labels if not part.startswith("<path")]

    def axes(self) -> list[str]:
        made = []
        step = 0.1 if self.high - self.low > 0.25 else 0.05
        for i in range(1, round(1 / step)):
            if self.low <= i * step <= self.high:
                y = self.place(0, i * step).y
                made.append(f'<path class="grid" d="M{self.left} {y:.1f}h{WIDTH}"/>')
                made.append(text(self.left - 6, y + 4, f"{i * step:.2f}", 'text-anchor="end"'))
        for saliency in (1.0, 1.5, 2.0):
            x = self.place(saliency, 0).x
            made.append(f'<path class="grid" d="M{x:.1f} {TOP}v{HEIGHT}"/>')
            made.append(text(x, TOP + HEIGHT + 17, f"{saliency}", 'text-anchor="middle"'))
        return made


def text(x: float, y: float, words: str, rest: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {rest}>{escape(words)}</text>'


def circle(at: Point, r: float, kind: str) -> str:
    return f'<circle class="{kind}" cx="{at.x:.1f}" cy="{at.y:.1f}" r="{r}"/>'


def main(file: Path) -> None:
    rows = json.loads(file.read_text(encoding="utf-8"))["knob"]
    budgets = sorted({row[1] for row in rows})
    width = LEFT + len(budgets) * (WIDTH + GAP)
    height = TOP + HEIGHT + BOTTOM
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'aria-label="Windows hit against mean saliency: the knob\'s curve and every rival">',
        f"<style>{STYLE}</style>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        text(LEFT, height - 12, "across: mean saliency of the chosen; up: share of windows hit; "
             "line: hfs from knob 0 (bottom right) to 1 (left), values beside it"),
    ]  # fmt: skip
    for i, k in enumerate(budgets):
        figures = {name: (hit, s) for name, budget, hit, s in rows if budget == k}
        body += Panel(k, figures, LEFT + i * (WIDTH + GAP)).draw()
    print("\n".join([*body, "</svg>"]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
