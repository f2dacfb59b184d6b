import io
import re
from dataclasses import replace
from itertools import pairwise, product

import pytest
import torch

from hfs.errors import UsageError
from hfs.evaluation import drawing, results_page, results_table
from hfs.evaluation.charts import charts
from hfs.evaluation.figures import Figure
from hfs.evaluation.grids import sheets
from hfs.evaluation.lines import HEIGHT, WIDTH, lines
from hfs.evaluation.rows import Row
from hfs.evaluation.summary import Line, Summary, labels, length, summarise

UNIFORM = "offline(selector=uniform)"
HFS = "offline(selector=hfs)"


def row(n: int, pipeline: str = UNIFORM, k: int = 8, **changes) -> Row:
    """Question n of video n // 2, of the kinds a, a, a, b in turn."""
    given = Row(
        "mlvu",
        f"v{n // 2}",
        str(n),
        pipeline,
        k,
        answerer="oracle",
        prompt="lmms-eval",
        groups={"task_type": "aaab"[n % 4]},
        duration=30.0 if n % 4 < 2 else 900.0,
        options=4,
        letter="A",
        correct=True,
        tokens_in=100,
        seconds={"look": 1.0, "answer": 0.5},
        decoded=k + 60,
        measures={"evidence_recall": 0.5},
    )
    return replace(given, **changes)


def made(right: dict[tuple[str, int], str], count: int = 24) -> list[Row]:
    """Rows whose n-th question is right where the pattern of its column has a 1, repeated."""
    return [
        row(n, pipeline, k, correct=pattern[n % len(pattern)] == "1", duration=60.0 * (n % 4))
        for (pipeline, k), pattern in right.items()
        for n in range(count)
    ]


def line_of(summary: Summary, pipeline: str, k: int = 8) -> Line:
    [line] = [x for x in summary.lines if (x.column.pipeline, x.column.k) == (pipeline, k)]
    return line


def mean(rows: list[Row]) -> Figure:
    """The mean over the questions of the first column."""
    return summarise(rows).lines[0].averages["M-Avg by question"]


def test_both_means_of_mlvu_are_reported_by_task_first():
    rows = [row(n, correct=n % 4 == 3) for n in range(24)]
    line = line_of(summarise(rows), UNIFORM)
    assert list(line.averages) == ["M-Avg", "M-Avg by question"]
    assert line.averages["M-Avg"].value == 0.5
    assert line.averages["M-Avg by question"].value == 0.25
    assert {name: f.value for name, f in line.groups["task_type"].items()} == {"a": 0.0, "b": 1.0}
    assert line.groups["task_type"]["a"].questions == 18


def test_an_interval_holds_its_figure_and_narrows_with_more_videos():
    few, many = (mean(made({(UNIFORM, 8): "10011011"}, count)) for count in (24, 480))
    assert few.low < few.value == 0.625 < few.high
    assert many.high - many.low < (few.high - few.low) / 3


def test_videos_are_resampled_whole():
    alike = [row(n, correct=n // 2 % 2 == 0) for n in range(40)]
    mixed = [row(n, correct=n % 2 == 0) for n in range(40)]
    wide, none = (
        line_of(summarise(rows), UNIFORM).averages["M-Avg by question"] for rows in (alike, mixed)
    )
    assert wide.value == none.value == 0.5
    assert wide.high - wide.low > 0.3
    assert none.high - none.low == 0.0


def slow_interval(rows: list[Row]) -> tuple[float, float]:
    """The percentile bootstrap of the mean over tasks, resample by resample."""
    from hfs.judging.bootstrap import BLOCK

    videos = list(dict.fromkeys(r.video for r in rows))
    generator = torch.Generator().manual_seed(0)
    assert 2000 * len(videos) < BLOCK
    draws = []
    for picks in torch.randint(len(videos), (2000, len(videos)), generator=generator).tolist():
        drawn = [r for i in picks for r in rows if r.video == videos[i]]
        tasks = {r.groups["task_type"] for r in drawn}
        shares = []
        for task in tasks:
            own = [float(bool(r.correct)) for r in drawn if r.groups["task_type"] == task]
            shares.append(sum(own) / len(own))
        draws.append(sum(shares) / len(shares))
    ends = torch.quantile(torch.tensor(draws).double(), torch.tensor([0.025, 0.975]).double())
    return float(ends[0]), float(ends[1])


def test_the_mean_over_tasks_is_resampled_as_its_slow_definition():
    rows = [row(n, correct=(n * 7) % 5 < 2) for n in range(16)]
    found = line_of(summarise(rows), UNIFORM).averages["M-Avg"]
    assert (found.low, found.high) == pytest.approx(slow_interval(rows))


def test_a_difference_is_paired_and_of_the_questions_that_both_have():
    rows = made({(UNIFORM, 8): "1000", (HFS, 8): "1100"})[:-2]
    summary = summarise(rows)
    [difference] = summary.differences
    assert (difference.column.pipeline, difference.reference) == (HFS, UNIFORM)
    over = difference.over
    assert over.questions == 22
    assert 0 < over.low <= over.value <= over.high
    assert any("from 22 to 24 questions" in note for note in summary.notes)


def test_a_column_against_itself_under_another_name_differs_by_nothing():
    rows = made({(UNIFORM, 8): "1011", (HFS, 8): "1011"})
    [difference] = summarise(rows).differences
    assert (difference.over.value, difference.over.low, difference.over.high) == (0.0, 0.0, 0.0)


def test_the_reference_is_uniform_unless_another_is_named():
    rows = made({(HFS, 8): "10", (UNIFORM, 8): "11"})
    assert summarise(rows).differences[0].reference == UNIFORM
    for name in (HFS, "hfs"):
        assert summarise(rows, reference=name).differences[0].reference == HFS
    with pytest.raises(UsageError, match=r"a pipeline among .*got 'mmr'"):
        summarise(rows, reference="mmr")


def test_columns_of_different_settings_are_not_compared():
    rows = made({(UNIFORM, 8): "10"}) + [
        replace(r, subtitles=True, pipeline=HFS) for r in made({(UNIFORM, 8): "11"})
    ]
    summary = summarise(rows)
    assert summary.differences == ()
    assert [str(s.setting) for s in sheets(summary)] == [
        "mlvu, answered by oracle, without subtitles",
        "mlvu, answered by oracle, with subtitles",
    ]


def test_unparsed_answers_are_wrong_and_errors_are_not_counted():
    rows = [row(n) for n in range(8)]
    rows[0] = replace(rows[0], letter=None, correct=False)
    rows[1] = replace(rows[1], correct=None, error="no reply")
    rows[2] = replace(rows[2], options=0, letter=None)
    line = line_of(summarise(rows), UNIFORM)
    assert (line.questions, line.unparsed, line.errors) == (8, 1, 1)
    assert line.averages["M-Avg by question"].value == 6 / 7
    assert "1 rows have an error" in summarise(rows).notes[0]


def test_turned_options_are_right_only_where_all_turns_are_and_all_are_there():
    turns = [
        row(n, rotation=r, circular=True, correct=not (n == 0 and r == 3))
        for n, r in product(range(4), range(4))
        if (n, r) != (1, 2)
    ]
    averages = summarise(turns).lines[0].averages
    found, each = averages["M-Avg by question"], averages["by turn"]
    assert (found.value, found.questions) == (pytest.approx(2 / 3), 3)
    assert each.value == pytest.approx((3 / 4 + 1 + 1) / 3)


def test_costs_are_those_of_one_question():
    line = line_of(summarise([row(n) for n in range(4)]), UNIFORM)
    assert (line.decoded, line.seconds, line.tokens) == (68.0, 1.5, 100.0)


def test_durations_are_put_into_classes_where_the_benchmark_has_none():
    assert [length(s) for s in (59.9, 60.0, 600.0, 1800.0)] == [
        "under 1 min",
        "1 to 10 min",
        "10 to 30 min",
        "over 30 min",
    ]
    assert set(line_of(summarise([row(n) for n in range(4)]), UNIFORM).groups["length"]) == {
        "under 1 min",
        "10 to 30 min",
    }


def test_a_pipeline_is_called_by_its_selector_where_nothing_else_differs():
    assert labels(["offline(selector=mmr(balance=0.3))", "offline"]) == {
        "offline(selector=mmr(balance=0.3))": "mmr(balance=0.3)",
        "offline": "hfs",
    }
    assert labels(["uniform", "mmr(balance=0.3)", "offline"]) == {
        "uniform": "uniform",
        "mmr(balance=0.3)": "mmr(balance=0.3)",
        "offline": "hfs",
    }
    assert labels(["balanced", "offline", "file(name='a.jsonl')"]) == {
        "balanced": "balanced",
        "offline": "offline",
        "file(name='a.jsonl')": "a.jsonl",
    }


def curves() -> Summary:
    return summarise(
        made(
            {
                (p, k): f"{'1' * (k // 2)}{'0' * (8 - k // 2)}"
                for p in (UNIFORM, HFS)
                for k in (4, 8)
            }
        )
    )


def test_what_differs_is_drawn_against_budget_cost_and_duration():
    [sheet] = sheets(curves())
    drawn = {chart.title: chart for chart in charts(sheet)}
    assert set(drawn) == {"Budget", "Frames decoded", "Duration, 4 frames", "Duration, 8 frames"}
    budget = drawn["Budget"]
    assert budget.ticks == (4.0, 8.0)
    assert [series.name for series in budget.series] == ["uniform", "hfs"]
    assert [series.ours for series in budget.series] == [False, True]
    assert [point.x for point in budget.series[0].points] == [4, 8]
    assert drawn["Duration, 8 frames"].classes == ("under 1 min", "1 to 10 min")


def test_lines_stay_inside_their_box_and_labels_apart():
    for chart in charts(sheets(curves())[0]):
        drawn = lines(chart)
        for series in drawn.series:
            assert all(0 < d.x < drawn.right and 0 < d.y < HEIGHT for d in series.dots)
            assert drawn.right < series.at[0] < WIDTH
        heights = sorted(series.at[1] for series in drawn.series)
        assert all(b - a >= 12.9 for a, b in pairwise(heights))


def test_without_answers_evidence_is_drawn():
    rows = [
        row(n, k=k, answerer="", correct=None, letter=None, measures={"largest_gap": 1 / k})
        for n in range(4)
        for k in (4, 8)
    ]
    [sheet] = sheets(summarise(rows))
    assert charts(sheet)[0].y == "largest_gap, lower is better"
    assert [grid.title for grid in sheet.grids] == [
        "Questions, and the cost of one",
        "Frames against evidence",
    ]


def test_the_page_is_complete_in_itself_and_escapes_what_it_is_given():
    rows = [replace(r, pipeline="<b>&", benchmark="mlvu") for r in made({(UNIFORM, 4): "10"})]
    with pytest.raises(UsageError):
        labels(["<b>&"])
    rows = [replace(r, prompt="<script>x</script>", pipeline=HFS) for r in rows]
    html = results_page.page(summarise(rows + made({(UNIFORM, 8): "10", (HFS, 8): "11"})))
    assert "<script" not in html
    assert "&lt;script&gt;x" in html
    assert not re.search(r"(src|href)\s*=", html)
    assert html.count("<svg") == 2  # durations, at one budget a setting
    assert "default-src 'none'" in html


def test_the_picture_has_the_charts_of_every_setting(tmp_path):
    from PIL import Image

    drawing.draw(curves(), tmp_path / "one.png")
    with Image.open(tmp_path / "one.png") as one:
        size = one.size
    rows = made({(p, k): "1011" for p in (UNIFORM, HFS) for k in (4, 8)})
    both = summarise(rows + [replace(r, subtitles=True) for r in rows])
    drawing.draw(both, tmp_path / "two.png")
    with Image.open(tmp_path / "two.png") as two:
        assert two.size[0] == size[0]
        assert two.size[1] > 1.5 * size[1]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one.png", "two.png"]


def test_one_column_alone_cannot_be_drawn(tmp_path):
    rows = [row(n, seconds={}, tokens_in=0, duration=30.0) for n in range(4)]
    with pytest.raises(UsageError, match="at several budgets"):
        drawing.draw(summarise(rows), tmp_path / "x.png")


def test_the_tables_say_everything_in_words():
    from rich.console import Console

    console = Console(width=100, record=True, file=io.StringIO())
    for table in results_table.tables(curves()):
        console.print(table)
    text = console.export_text()
    for words in ("M-Avg, %", "over uniform", "By task type", "unparsed", "evidence_recall"):
        assert words in text
    assert re.search(r"hfs +4 +16\.7 \[.*\] +25\.0 \[", text)


def test_no_rows_are_no_summary():
    with pytest.raises(UsageError, match="got none"):
        summarise([])
