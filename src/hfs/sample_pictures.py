"""Seconds since a scene began -> its picture: what the sample video shows.

Everything is drawn at twice the size and halved, which smooths the edges.
"""

import math
from functools import lru_cache
from itertools import pairwise
from random import Random

from PIL import Image, ImageDraw, ImageFont

SIZE = (640, 360)

Colour = tuple[int, ...]
Number = int | float

PAPER = (244, 238, 225)
INK = (34, 40, 49)
FAINT = (140, 138, 128)
NIGHT = (17, 27, 46)
DUSK = (38, 56, 84)
SKY = (188, 213, 222)
SEA = (62, 110, 130)
DEEP = (22, 52, 74)
ROCK = (70, 68, 70)
RED = (190, 62, 45)
GOLD = (243, 190, 92)
GLASS = (158, 205, 200)
WOOD = (150, 110, 76)
WHITE = (250, 248, 242)


def title(t: float, rng: Random) -> Image.Image:
    """The name of the talk."""
    draw = _canvas(NIGHT)
    _stars(draw, rng)
    draw.polygon([(980, 250), (0, 30), (0, 330)], fill=DUSK)
    _tower(draw, 980, 640, 420, lit=True)
    draw.rectangle((0, 636, 1280, 720), fill=DEEP)
    _write(draw, (90, 400), "The Light at Gull Point", 64, WHITE)
    _write(draw, (92, 490), "How a small bay got its beam back", 34, GOLD)
    return _half(draw)


def coast(t: float, rng: Random) -> Image.Image:
    """The tower by day; a boat crosses, the sea moves, gulls circle."""
    draw = _canvas(SKY)
    draw.ellipse((180, 90, 290, 200), fill=(252, 243, 214))
    draw.polygon([(0, 470), (300, 380), (620, 450), (900, 410), (1280, 470)], fill=(150, 178, 176))
    _sea(draw, 450, t)
    draw.polygon([(900, 620), (980, 520), (1140, 510), (1280, 590), (1280, 720)], fill=ROCK)
    _tower(draw, 1060, 530, 370, lit=False)
    _boat(draw, 60 + 38 * t, 540 + 8 * math.sin(1.7 * t), RED)
    _boat(draw, 700 - 14 * t, 475 + 5 * math.sin(1.3 * t + 1), DEEP, 0.5)
    for _ in range(5):
        x, y, turn = rng.uniform(250, 900), rng.uniform(90, 260), rng.uniform(0, 6)
        gx, gy = x + 90 * math.sin(0.6 * t + turn), y + 30 * math.cos(0.9 * t + turn)
        flap = 10 + 8 * math.sin(7 * t + turn)
        draw.line([(gx - 22, gy - flap), (gx, gy), (gx + 22, gy - flap)], fill=INK, width=4)
    return _half(draw)


def keepers(t: float, rng: Random) -> Image.Image:
    """A slide about those who lived there."""
    draw = _slide("Three keepers, one house")
    for y, line in zip(
        (250, 340, 430),
        ("One week on, two weeks ashore", "Potatoes behind the wall", "A goat called Captain"),
        strict=True,
    ):
        draw.ellipse((96, y + 12, 114, y + 30), fill=RED)
        _write(draw, (140, y), line, 40, INK)
    _write(draw, (96, 590), "1914 to 1974", 34, FAINT)
    draw.rectangle((900, 380, 1150, 560), fill=WOOD)
    draw.polygon([(870, 380), (1025, 270), (1180, 380)], fill=RED)
    draw.rectangle((1000, 460, 1060, 560), fill=INK)
    for x in (930, 1090):
        draw.rectangle((x, 420, x + 40, 465), fill=GOLD)
    return _half(draw)


def storm(t: float, rng: Random) -> Image.Image:
    """What broke the lens, shown and written."""
    flash = t % 2.0 < 0.25
    draw = _canvas((120, 130, 150) if flash else NIGHT)
    _sea(draw, 560, 3 * t, (30, 48, 66))
    _tower(draw, 960, 600, 420, lit=False)
    bolt = [(820, 0), (900, 90), (860, 100), (930, 170), (900, 178), (955, 232)]
    draw.line(bolt, fill=GOLD, width=12, joint="curve")
    for _ in range(60):
        x = (rng.uniform(0, 1400) - 120 * t) % 1340 - 40
        y = (rng.uniform(0, 720) + 900 * t) % 720
        draw.line([(x, y), (x - 10, y + 40)], fill=(90, 105, 130), width=2)
    _write(draw, (80, 180), "14 November", 34, GOLD)
    _write(draw, (80, 240), "Lightning broke", 62, WHITE)
    _write(draw, (80, 320), "the lens", 62, WHITE)
    return _half(draw)


def lamp_room(t: float, rng: Random) -> Image.Image:
    """The lens from a hardly changing place: thirty seconds of the same picture."""
    draw = _canvas((58, 54, 60))
    dx, dy = 18 * math.sin(0.35 * t), 8 * math.sin(0.22 * t + 1)
    for i in range(-1, 8):
        x = 190 * i + 0.4 * dx
        draw.rectangle((x, 0, x + 14, 720), fill=(44, 41, 47))
    draw.rectangle((0, 600, 1280, 720), fill=(36, 33, 38))
    _lens(draw, 640 + dx, 330 + dy, 250)
    crack = [(660, 90), (630, 190), (672, 290), (628, 390), (664, 480), (640, 570)]
    draw.line([(x + dx, y + dy) for x, y in crack], fill=NIGHT, width=7, joint="curve")
    _write(draw, (60, 640), "The lamp room, gallery side", 32, FAINT)
    return _half(draw)


def hall(t: float, rng: Random) -> Image.Image:
    """People argue in rows of chairs."""
    draw = _canvas((226, 214, 190))
    draw.rectangle((0, 560, 1280, 720), fill=WOOD)
    draw.rectangle((420, 60, 860, 250), fill=(60, 84, 74))
    _write(draw, (640, 155), "Pole or beam?", 44, WHITE, "mm")
    coats = (RED, DEEP, SEA, GOLD, ROCK, (110, 80, 110), (96, 120, 84))
    for row in range(3):
        for seat in range(13):
            x = 70 + 95 * seat + 40 * (row % 2)
            y = 390 + 90 * row + 14 * math.sin(rng.uniform(1, 4) * t + rng.uniform(0, 6))
            coat = coats[rng.randrange(len(coats))]
            draw.rounded_rectangle((x - 34, y + 26, x + 34, y + 130), 26, fill=coat)
            draw.ellipse((x - 24, y - 24, x + 24, y + 24), fill=(224, 184, 150))
    return _half(draw)


def repair(t: float, rng: Random) -> Image.Image:
    """Who repaired it, shown and written."""
    draw = _slide("The glassmaker")
    _write(draw, (96, 250), "Lens repaired by", 44, INK)
    _write(draw, (96, 320), "Marta Oyelaran", 68, RED)
    _write(draw, (96, 430), "Ring by ring, 214 pieces", 36, FAINT)
    _lens(draw, 1000, 380, 210)
    return _half(draw)


def journey(t: float, rng: Random) -> Image.Image:
    """A map of the way back to the rock."""
    draw = _slide("From the valley to the point")
    draw.polygon([(80, 640), (260, 300), (380, 470), (520, 260), (700, 640)], fill=(206, 200, 184))
    draw.polygon([(700, 640), (860, 560), (1280, 540), (1280, 720), (700, 720)], fill=SEA)
    way = [(170, 600), (300, 520), (400, 560), (520, 470), (640, 560), (790, 590), (1080, 560)]
    for (x0, y0), (x1, y1) in pairwise(way):
        steps = max(1, round(math.dist((x0, y0), (x1, y1)) / 26))
        for i in range(steps):
            x, y = x0 + (x1 - x0) * i / steps, y0 + (y1 - y0) * i / steps
            draw.ellipse((x - 5, y - 5, x + 5, y + 5), fill=RED)
    for (x, y), name in zip(
        (way[0], way[3], way[5]), ("Workshop", "The pass", "Harbour"), strict=True
    ):
        draw.ellipse((x - 13, y - 13, x + 13, y + 13), fill=INK)
        _write(draw, (x, y - 50), name, 30, INK, "mm")
    _tower(draw, 1110, 560, 200, lit=False)
    return _half(draw)


def bill(t: float, rng: Random) -> Image.Image:
    """What it cost, shown and written."""
    draw = _slide("The bill")
    draw.rectangle((330, 220, 950, 650), fill=WHITE, outline=FAINT, width=3)
    for y, (item, sum_) in zip(
        (260, 320, 380),
        (("Glass", "22,700"), ("Work", "15,100"), ("Wool, sledge, tea", "3,500")),
        strict=True,
    ):
        _write(draw, (380, y), item, 34, INK)
        _write(draw, (900, y), sum_, 34, INK, "ra")
    draw.line([(380, 452), (900, 452)], fill=INK, width=3)
    _write(draw, (380, 480), "The repair cost", 34, INK)
    _write(draw, (900, 540), "41,300 crowns", 60, RED, "ra")
    return _half(draw)


def night(t: float, rng: Random) -> Image.Image:
    """The beam turns again; boats lie in the bay with their lamps lit."""
    draw = _canvas(NIGHT)
    _stars(draw, rng)
    turn = 2 * math.pi * t / 9
    reach = 1300 * math.sin(turn)
    half = 70 + 30 * abs(math.cos(turn))
    draw.polygon([(860, 262), (860 + reach, 200 - half), (860 + reach, 200 + half)], fill=DUSK)
    _sea(draw, 520, t, DEEP)
    draw.polygon([(700, 640), (790, 560), (940, 555), (1040, 640)], fill=(40, 40, 46))
    _tower(draw, 860, 580, 350, lit=True)
    if abs(math.cos(turn)) > 0.97 and math.cos(turn) > 0:
        draw.ellipse((790, 190, 930, 330), fill=(255, 236, 180))
    for i in range(6):
        x, y = 90 + 105 * i + rng.uniform(-20, 20), 560 + rng.uniform(0, 60)
        _boat(draw, x, y + 5 * math.sin(1.4 * t + i), (70, 60, 60), 0.55)
        draw.ellipse((x + 16, y - 54, x + 28, y - 42), fill=GOLD)
    return _half(draw)


def farewell(t: float, rng: Random) -> Image.Image:
    """The last slide."""
    draw = _canvas(PAPER)
    _write(draw, (640, 310), "Thank you", 80, INK, "mm")
    _write(draw, (640, 410), "There is tea downstairs", 36, FAINT, "mm")
    return _half(draw)


def _canvas(colour: Colour) -> ImageDraw.ImageDraw:
    return ImageDraw.Draw(Image.new("RGB", (2 * SIZE[0], 2 * SIZE[1]), colour))


def _half(draw: ImageDraw.ImageDraw) -> Image.Image:
    return draw._image.reduce(2)


@lru_cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def _write(
    draw: ImageDraw.ImageDraw,
    at: tuple[Number, Number],
    text: str,
    size: int,
    colour: Colour,
    anchor: str = "la",
) -> None:
    draw.text(at, text, fill=colour, font=_font(size), anchor=anchor)


def _slide(heading: str) -> ImageDraw.ImageDraw:
    draw = _canvas(PAPER)
    _write(draw, (96, 90), heading, 54, INK)
    draw.line([(96, 176), (220, 176)], fill=RED, width=6)
    return draw


def _stars(draw: ImageDraw.ImageDraw, rng: Random) -> None:
    for _ in range(70):
        x, y, r = rng.uniform(0, 1280), rng.uniform(0, 500), rng.uniform(1, 3)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(200, 206, 220))


def _sea(draw: ImageDraw.ImageDraw, top: int, t: Number, colour: Colour = SEA) -> None:
    draw.rectangle((0, top, 1280, 720), fill=colour)
    light = tuple(min(255, c + 22) for c in colour)
    for row in range(7):
        y = top + 24 + row * (700 - top) / 7
        shift = (30 + 9 * row) * t
        for i in range(9):
            x = (170 * i + 61 * row + shift) % 1480 - 100
            draw.arc((x, y, x + 70, y + 18), 200, 340, fill=light, width=4)


def _tower(draw: ImageDraw.ImageDraw, x: Number, base: Number, tall: Number, *, lit: bool) -> None:
    top = base - 0.78 * tall

    def half_width(y: Number) -> Number:
        return tall * (0.10 + 0.06 * (y - top) / (base - top))

    for i in range(5):
        y0, y1 = top + (base - top) * i / 5, top + (base - top) * (i + 1) / 5
        w0, w1 = half_width(y0), half_width(y1)
        corners = [(x - w0, y0), (x + w0, y0), (x + w1, y1), (x - w1, y1)]
        draw.polygon(corners, fill=RED if i % 2 else WHITE)
    w, room = half_width(top), 0.13 * tall
    draw.rectangle((x - 1.3 * w, top - 6, x + 1.3 * w, top + 6), fill=INK)
    draw.rectangle((x - 0.7 * w, top - room, x + 0.7 * w, top - 6), fill=GOLD if lit else GLASS)
    draw.line([(x, top - room), (x, top - 6)], fill=INK, width=4)
    draw.polygon([(x - w, top - room), (x, top - 1.7 * room), (x + w, top - room)], fill=RED)


def _boat(
    draw: ImageDraw.ImageDraw, x: Number, y: Number, colour: Colour, scale: Number = 1.0
) -> None:
    def at(*points: tuple[Number, Number]) -> list[tuple[Number, Number]]:
        return [(x + scale * px, y + scale * py) for px, py in points]

    draw.polygon(at((-80, 0), (90, 0), (60, 38), (-56, 38)), fill=colour)
    draw.polygon(at((-40, 0), (-40, -40), (10, -40), (10, 0)), fill=WHITE)
    draw.line(at((40, 0), (40, -90)), fill=INK, width=max(2, round(5 * scale)))
    draw.polygon(at((46, -84), (46, -14), (92, -14)), fill=WHITE)


def _lens(draw: ImageDraw.ImageDraw, x: Number, y: Number, radius: Number) -> None:
    for i in range(7, 0, -1):
        r = radius * i / 7
        shade = tuple(round(c * (0.62 + 0.05 * (7 - i))) for c in GLASS)
        box = (x - 0.8 * r, y - r, x + 0.8 * r, y + r)
        draw.ellipse(box, fill=shade, outline=WHITE, width=4)
    draw.ellipse((x - 26, y - 34, x + 26, y + 34), fill=GOLD)
