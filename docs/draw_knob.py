"""The JSON of recipes/qvhighlights_knob.py -> the knob's curve and every rival's point, as SVG.

python docs/draw_knob.py knob.json > docs/knob.svg
"""

import json
import sys
from html import escape
from pathlib import Path

SIDE, GAP, MARGIN = 300, 36, 40
HITS, SALIENCY = (0.55, 0.97), (0.7, 2.2)
STYLE = """
text { font: 11px system-ui, sans-serif; fill: #444 } .k { font-weight: 600; font-size: 13px }
.ours { fill: none; stroke: #0b57b0; stroke-width: 2 } .dot { fill: #0b57b0 } .rival { fill: #777 }
.box { fill: none; stroke: #ccc } svg { background: #fff }
"""


def place(hits: float, saliency: float, left: float) -> tuple[float, float]:
    """Where a point is drawn in the panel that begins at ``left``."""
    x = left + SIDE * (hits - HITS[0]) / (HITS[1] - HITS[0])
    y = MARGIN + SIDE * (1 - (saliency - SALIENCY[0]) / (SALIENCY[1] - SALIENCY[0]))
    return round(x, 1), round(y, 1)


def text(x: float, y: float, words: str, rest: str = "") -> str:
    return f'<text x="{x}" y="{y}" {rest}>{escape(words)}</text>'


def panel(rows: list, k: int, left: float) -> list[str]:
    """One budget: rivals as grey dots, hfs as a line through its knob values and a dot."""
    made = [
        f'<rect class="box" x="{left}" y="{MARGIN}" width="{SIDE}" height="{SIDE}"/>',
        text(left, MARGIN - 12, f"k = {k}", 'class="k"'),
        text(left, MARGIN + SIDE + 16, f"windows hit, {HITS[0]} to {HITS[1]}"),
    ]
    here = {name: place(x, y, left) for name, budget, x, y in rows if budget == k}
    curve = sorted(at for name, at in here.items() if name.startswith("hfs("))
    line = " ".join(f"{x},{y}" for x, y in curve)
    made.append(f'<polyline class="ours" points="{line}"/>')
    for name, (x, y) in here.items():
        if name == "hfs":
            made += [f'<circle class="dot" cx="{x}" cy="{y}" r="5"/>', text(x + 8, y - 6, name)]
        elif not name.startswith("hfs("):
            made.append(f'<circle class="rival" cx="{x}" cy="{y}" r="3"/>')
            made.append(text(x - 5, y + 4, name, 'text-anchor="end"'))
    return made


def main(file: Path) -> None:
    rows = json.loads(file.read_text(encoding="utf-8"))["knob"]
    budgets = sorted({row[1] for row in rows})
    width = 2 * MARGIN + len(budgets) * SIDE + (len(budgets) - 1) * GAP
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {SIDE + 2 * MARGIN}">',
        f"<style>{STYLE}</style>",
        text(MARGIN, 14, f"mean saliency, {SALIENCY[0]} (bottom) to {SALIENCY[1]} (top)"),
    ]
    for i, k in enumerate(budgets):
        body += panel(rows, k, MARGIN + i * (SIDE + GAP))
    print("\n".join([*body, "</svg>"]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
