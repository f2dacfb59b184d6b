"""The page: whole in itself, safe with hostile words, readable, true to the selection."""

import re
import shlex
from dataclasses import replace
from html.parser import HTMLParser

import pytest
import torch
from made import Made, made

from hfs.pages.report import command, report, signed, troubles
from hfs.types import Evidence, Health, TimedText

VOID = {"meta", "img", "line", "circle", "path", "rect"}
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onfocus='alert(1)' autofocus='",
    "</style><script>alert(1)</script>",
    "</title><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "<!-- ]]> &amp; \x00\x1b[31m \u202e",
)


class Page(HTMLParser):
    """A parsed page: its tags in order, its text, and whether each tag is closed."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attrs for tag, attrs in self.tags if tag == name]

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def render(m: Made, **changes) -> str:
    """The page of a hand-made selection with other values."""
    return report(
        replace(m.selection, **changes),
        candidates=m.candidates,
        scores=m.scores,
        evidence=m.evidence,
        images=m.images,
        uniform=m.uniform,
    )


def hostile(m: Made, text: str) -> Made:
    """The same with every text replaced by one."""
    said = TimedText(18.0, 22.0, text, text)
    frames = tuple(replace(f, facet=text, text=(said,), file=f"{text}.jpg")
                   for f in m.selection.frames)  # fmt: skip
    selection = replace(
        m.selection,
        frames=frames,
        question=text,
        options=(text, text),
        video=replace(m.selection.video, uri=text, codec=text, sha256=text),
        health=Health(3, 1, 1, (text,)),
        pipeline=text,
        version=text,
        query={"facets": [text], "weights": [1.0], "thought": text},
        channels={text: 1.0},
        fallbacks=(text,),
        notes=(text,),
    )
    return m._replace(selection=selection, evidence=Evidence((said,)))


def test_is_well_formed_and_asks_nothing_of_the_network():
    page = Page(render(made()))
    assert page.open == []
    policy = next(a["content"] for a in page.all("meta") if "http-equiv" in a)
    assert policy is not None
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'")
    assert not page.all("script") + page.all("link") + page.all("iframe")
    assert all(str(a["src"]).startswith("data:image/jpeg;base64,") for a in page.all("img"))
    assert all(str(a["href"]).startswith("#frame-") for a in page.all("a"))
    assert "url(" not in render(made())
    assert "@import" not in render(made())


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text_wherever_it_stands(text):
    m = hostile(made(), text)
    kind, hostile_page = Page(render(made())), Page(render(m))
    assert hostile_page.open == []
    known = {(tag, *sorted(attrs)) for tag, attrs in kind.tags}
    known |= {
        ("a", "href"),
        ("blockquote", "class"),
        ("aside", "aria-label"),
        ("p", "class"),
        ("ul",),
        ("li",),
        ("b",),
    }
    assert {(tag, *sorted(attrs)) for tag, attrs in hostile_page.tags} <= known
    links = [str(a["href"]) for a in hostile_page.all("a")]
    assert not any(re.match(r"[a-z]+:", link, re.IGNORECASE) for link in links)
    shown = " ".join(text.replace("\x00", "\ufffd").split())
    assert hostile_page.words.replace("\x00", "\ufffd").count(shown) >= 10


def test_shows_the_question_its_options_and_every_frame_with_its_time():
    m = made()
    page = Page(render(m))
    for text in (m.selection.question, *m.selection.options, "talk.mp4"):
        assert text in page.words
    alts = [a["alt"] for a in page.all("img")]
    assert alts[:3] == ["Frame 1, at 0:05.5", "Frame 2, at 0:20.5", "Frame 3, at 0:40.5"]
    assert alts[3:] == [f"Evenly spaced frame at 0:{t}.5" for t in (10, 30, 50)]
    targets = {a["id"] for a in page.all("article")}
    assert {f"#{t}" for t in targets} == {a["href"] for a in page.all("a")}


def test_marks_the_words_of_the_question_where_they_were_said():
    m = made()
    html = render(m)
    assert "the great <mark>lens</mark>." in html
    assert "There was tea." not in html, "only what is near a chosen frame is told"
    first, *others = m.selection.frames
    frames = (replace(first, text=m.evidence.items[::-1]), *others)
    html = render(m, frames=frames)
    assert html.index("Lightning breaks") < html.index("There was tea."), "what tells comes first"


def test_compares_with_the_same_budget_spread_evenly():
    m = made()
    words = Page(render(m)).words
    chosen = sum(f.score for f in m.selection.frames) / 3
    even = float(m.scores.relevance[[10, 30, 50]].mean())
    assert f"Mean relevance of the chosen frames {chosen:.2f} , of evenly" in words
    assert f"spaced ones {even:.2f} ." in words


def test_links_a_frame_to_its_file_only_where_there_is_one():
    m = made()
    first, *others = m.selection.frames
    frames = (replace(first, file="0001_00-00-05.500.jpg"), *others)
    files = [a["href"] for a in Page(render(m, frames=frames)).all("a")
             if not str(a["href"]).startswith("#")]  # fmt: skip
    assert files == ["0001_00-00-05.500.jpg"]


def test_tells_what_went_wrong_at_the_top():
    m = made()
    html = render(
        m, health=Health(100, 7, 2, ("The end is missing.",)), fallbacks=("No text tower.",)
    )
    aside = html[html.index("<aside") : html.index("</aside>")]
    for said in ("No text tower.", "7 of 100 packets are damaged", "2 frames could not", "The end"):
        assert said in aside
    assert "<aside" not in render(m)
    assert "Sound: 600 packets, none damaged" in render(m)
    assert troubles(m.selection) == []


def test_says_so_when_nothing_matched():
    m = made()
    zero = torch.zeros(60)
    flat = m._replace(scores=replace(m.scores, relevance=zero, facets=zero[None]))
    assert "stands out for the question" in render(flat)
    assert "stands out for the question" not in render(m)


def test_an_hour_of_candidates_is_drawn_with_a_thousand_points():
    m = made(3600)
    (curve,) = [a["d"] for a in Page(render(m)).all("path") if a["class"] == "curve"]
    assert 500 < len(str(curve).split("L")) <= 1000


def test_does_without_a_question_options_evidence_or_record_of_the_query():
    m = made()._replace(evidence=Evidence(), uniform=[])
    page = Page(render(m, question="", options=(), query={}, channels={}))
    assert page.open == []
    assert "No question was asked" in page.words
    assert "evenly" not in page.words


def test_the_command_makes_the_same_request():
    m = made()
    video = replace(m.selection.video, stream=1)
    selection = replace(m.selection, question="It's $HOME; `ls`?", window=(5.0, 30.0), video=video)
    assert shlex.split(command(selection).replace("\\\n", " ")) == [
        *("hfs", "select", "talk.mp4", "It's $HOME; `ls`?"),
        *("--option", "Lightning", "--option", "Frost", "--from", "5.0", "--to", "30.0"),
        *("--stream", "1", "-k", "3", "--seed", "7", "--pipeline", "hfs(coverage=0.3)"),
    ]
    assert "--from" not in command(m.selection)
    assert "--stream" not in command(m.selection)


def test_writes_numbers_with_a_true_sign():
    assert [signed(v) for v in (0.25, -0.0312, -0.0001, 0.0)] == [
        "+0.250", "−0.031", "0.000", "0.000",
    ]  # fmt: skip


def test_colours_of_both_schemes_are_legible():
    style = re.search(r"<style>(.*?)</style>", render(made()), re.DOTALL)
    assert style is not None
    light, dark = (dict(re.findall(r"--(\w+): #(\w{6})", block))
                   for block in re.findall(r":root \{(.*?)\}", style[1], re.DOTALL))  # fmt: skip
    for scheme in (light, dark):
        for ink in ("ink", "quiet", "accent"):
            for ground in ("page", "tint"):
                assert contrast(scheme[ink], scheme[ground]) >= 4.5
        assert contrast(scheme["ink"], scheme["mark"]) >= 7


def contrast(one: str, two: str) -> float:
    """Contrast ratio of two colours, as WCAG 2 defines it."""

    def luminance(colour: str) -> float:
        levels = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in levels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dim = sorted((luminance(one), luminance(two)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)
