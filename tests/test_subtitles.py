"""Subtitle files and streams -> timed text, in many forms, encodings and states of repair."""

from pathlib import Path

import av
import numpy as np
import pytest
import torch
from render import render

from hfs.cache import Cache
from hfs.errors import EvidenceError
from hfs.readers.subtitles import Reader, beside, read
from hfs.subtitle_text import decode, parse, tidy
from hfs.types import Candidates, Features, TimedText
from hfs.video import Video

SRT = """1
00:00:00,500 --> 00:00:01,000
The queen <i>lays</i> eggs

2
00:00:01,000 --> 00:00:01,500
{\\an8}in the comb
"""
NOTHING = Candidates(torch.zeros(1), torch.zeros(1, dtype=torch.int64), 0.0, 2.0)
UNSEEN = Features(torch.ones(1, 1), NOTHING.times, NOTHING.indices, "none")


@pytest.fixture
def film(tmp_path) -> Path:
    return render(tmp_path / "talk.mp4")


def said(path: object, **options: str) -> list[TimedText]:
    reader = Reader(**options)
    with Video.open(path) as video:
        return reader(video, NOTHING, UNSEEN, Cache(None))


def with_streams(film: Path, to: Path, texts: dict[str, str]) -> Path:
    """The film with a subtitle stream for each file, by name, in its language."""
    with av.open(str(film)) as seen, av.open(str(to), "w") as out:
        inputs = [(out.add_stream_from_template(seen.streams.video[0]), seen.demux(video=0))]
        for name, language in texts.items():
            spoken = av.open(str(film.parent / name))
            stream = out.add_stream_from_template(spoken.streams.subtitles[0])
            stream.metadata["language"] = language
            inputs.append((stream, spoken.demux(subtitles=0)))
        for stream, packets in inputs:
            for packet in packets:
                if packet.dts is not None:
                    packet.stream = stream
                    out.mux(packet)
    return to


def test_the_file_beside_the_video_is_found_and_its_markup_stripped(film):
    (film.parent / "talk.srt").write_text(SRT)
    assert said(film) == [
        TimedText(0.5, 1.0, "The queen lays eggs", "subtitles"),
        TimedText(1.0, 1.5, "in the comb", "subtitles"),
    ]


def test_a_video_without_text_says_nothing(film):
    assert said(film) == []


def test_bytes_have_no_file_beside_them(film):
    (film.parent / "talk.srt").write_text(SRT)
    assert said(film.read_bytes()) == []


def test_only_files_with_the_videos_name_and_a_language_lie_beside_it(tmp_path):
    names = ["talk.vtt", "talk.en.srt", "talk.pt-BR.ASS", "talks.srt", "talk.txt", "talk.part2.srt"]
    for name in names:
        (tmp_path / name).touch()
    found = beside(tmp_path / "talk.mp4")
    assert [(language, path.name) for language, path in found] == [
        ("", "talk.vtt"),
        ("en", "talk.en.srt"),
        ("pt-BR", "talk.pt-BR.ASS"),
    ]


def test_the_language_asked_for_is_read_and_a_missing_one_is_an_error(film):
    (film.parent / "talk.en.srt").write_text(SRT)
    (film.parent / "talk.de.srt").write_text(SRT.replace("eggs", "Eier"))
    assert "Eier" in said(film, language="de-AT")[0].text
    with pytest.raises(EvidenceError, match="'fr', found de, en: name one"):
        said(film, language="fr")


def test_a_named_file_comes_first_and_must_be_there(film, tmp_path):
    (film.parent / "talk.srt").write_text(SRT)
    other = tmp_path / "other.vtt"
    other.write_text("WEBVTT\n\n00:01.000 --> 00:01.200\nsomething else\n")
    assert [item.text for item in said(film, file=str(other))] == ["something else"]
    with pytest.raises(EvidenceError, match=r"missing\.srt: No such file .*name another"):
        said(film, file=str(tmp_path / "missing.srt"))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "it has no cue with a time and text"),
        (b"no times at all", "it has no cue with a time and text"),
        (b"1\n00:00:01,000 --> 00:00:02,000\n<i> </i>\n", "it has no cue with a time and text"),
        (b"[Events]\nFormat: Start\nDialogue: x,y", "it does not parse as ass: "),
        (bytes(range(256)), "it has no cue|its characters are in no known encoding"),
    ],
)
def test_a_broken_file_is_an_error_even_where_nobody_named_it(film, content, problem):
    (film.parent / "talk.srt").write_bytes(content)
    message = rf"expected subtitles .*talk\.srt: ({problem}).*; repair or remove the file"
    with pytest.raises(EvidenceError, match=message):
        said(film)


def test_a_file_counts_from_the_containers_start_and_the_video_from_its_first_frame(film):
    late = film.with_name("late.mkv")
    with av.open(str(film)) as seen, av.open(str(late), "w") as out:
        video = out.add_stream_from_template(seen.streams.video[0])
        audio = out.add_stream("pcm_s16le", rate=8000, layout="mono")
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 24000), np.int16), "s16", "mono")
        silence.sample_rate, silence.pts = 8000, 0
        out.mux(audio.encode(silence))
        for packet in seen.demux(video=0):
            if packet.dts is not None:
                packet.pts += round(1 / packet.time_base)
                packet.dts += round(1 / packet.time_base)
                packet.stream = video
                out.mux(packet)
    late.with_suffix(".srt").write_text(SRT)
    assert [item.start for item in said(late)] == pytest.approx([-0.5, 0.0])


def test_streams_inside_are_read_by_language_and_after_files(film):
    (film.parent / "a.srt").write_text(SRT)
    (film.parent / "b.ass").write_text(
        "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name\nStyle: Default\n\n"
        "[Events]\n"
        "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
        "Dialogue: 0,0:00:00.50,0:00:01.00,Default,,0,0,0,,{\\i1}Die Königin{\\i0},\\Nlegt Eier\n"
        "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\p1}m 0 0 l 100 0{\\p0}\n"
    )
    film = with_streams(film, film.parent / "film.mkv", {"a.srt": "eng", "b.ass": "ger"})
    assert [item.text for item in said(film)] == ["The queen lays eggs", "in the comb"]
    german = said(film, language="ger")
    assert german == [TimedText(0.5, 1.0, "Die Königin, legt Eier", "subtitles")]
    (film.parent / "film.srt").write_text(SRT.replace("queen", "bee"))
    assert said(film)[0].text == "The bee lays eggs"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "naïve café 气候"),
        ("utf-8-sig", "naïve café 气候"),
        ("utf-16", "naïve café 气候"),
        ("utf-16-le", "plain words"),
        ("cp1252", "Das Gerät kühlt – naïve café déjà vu"),
        ("cp1250", "Zażółć gęślą jaźń, proszę państwa"),
        ("cp1251", "Почему жидкость кипит при ста градусах"),
        ("gb18030", "气候变化正在融化冰川，海平面上升"),
        ("big5", "氣候變化正在融化冰川，海平面上升"),
        ("shift_jis", "こんにちは、今日は天気がいいですね"),
        ("euc-kr", "오늘은 날씨가 좋습니다 우리는 영화를 봅니다"),
    ],
)
def test_text_is_read_in_the_encoding_that_it_was_written_in(tmp_path, encoding, text):
    path = tmp_path / "a.srt"
    path.write_bytes(SRT.replace("The queen <i>lays</i> eggs", text).encode(encoding))
    assert read(path)[0] == (0.5, 1.0, text)


def test_one_damaged_byte_does_not_change_the_encoding():
    assert decode("气候变化正在融化冰川".encode() + b"\xff") == "气候变化正在融化冰川\ufffd"


def test_cues_come_in_order_and_untimed_ones_last_until_the_next():
    cues = [(5.0, 5.0, "b"), (1.0, 4.0, "a"), (7.0, 8.0, " "), (6.0, 6.0, "c")]
    assert tidy(cues) == [(1.0, 4.0, "a"), (5.0, 6.0, "b"), (6.0, 11.0, "c")]


def test_rolling_captions_say_each_line_once():
    rolled = [
        (0.0, 2.0, "so today\nwe talk about bees"),
        (2.0, 2.01, "we talk about bees"),
        (2.01, 4.0, "we talk about bees\nand their queen"),
        (4.0, 4.01, "and their queen"),
        (4.01, 6.0, "and their queen\nwho lays the eggs"),
    ]
    assert tidy(rolled) == [
        (0.0, 2.01, "so today we talk about bees"),
        (2.01, 4.01, "and their queen"),
        (4.01, 6.0, "who lays the eggs"),
    ]


def test_captions_that_grow_word_by_word_say_each_word_once():
    grown = [(0.0, 1.0, "the"), (1.0, 2.0, "the queen"), (2.0, 3.0, "the queen lays")]
    assert " ".join(text for *_, text in tidy(grown)) == "the queen lays"


def test_a_line_said_again_later_is_kept():
    assert len(tidy([(0.0, 1.0, "yes"), (9.0, 10.0, "yes")])) == 2


def test_webvtt_comments_styles_and_names_are_no_words():
    text = (
        "WEBVTT - title\n\nSTYLE\n::cue { color: red }\n\nNOTE not this\n\nintro-1\n"
        "00:01.000 --> 00:02.000 align:start position:0%\n"
        "Hello<00:00:01.500><c> big</c> &amp; <v Ann>small</v>\n\nNOTE nor this\n\n"
        "id 2\n00:02.000 --> 00:03.000\n1 < 2 and 3 > 2\n"
    )
    assert parse(text) == [(1.0, 2.0, "Hello big & small"), (2.0, 3.0, "1 < 2 and 3 > 2")]


@pytest.mark.parametrize(
    "filling", ["<a" * 200_000, "{" * 400_000, "\n" * 400_000, "\n 1" * 99_999]
)
def test_hostile_text_takes_no_more_than_linear_time(filling):
    (cue,) = parse(f"1\n00:00:00,000 --> 00:00:01,000\nx{filling}\n")
    assert len(cue[2]) <= 4000


def test_too_many_cues_are_refused(monkeypatch):
    monkeypatch.setattr("hfs.subtitle_text.CUES", 1)
    with pytest.raises(ValueError, match="2 cues, more than 1"):
        parse(SRT)
