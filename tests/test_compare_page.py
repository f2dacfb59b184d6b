"""The page of a comparison: complete in itself, escaped, its plot by definition."""

import io
import itertools
import re
from html.parser import HTMLParser

import pytest
from rich.console import Console

from hfs.errors import UsageError
from hfs.judging.judge import Difference, Results, Row
from hfs.pages import scatter
from hfs.pages.compare_page import page
from hfs.pages.result_table import sections, tables

EVIL = "<script>alert(1)</script>"


def results(source: str = "scores.jsonl") -> Results:
    """hfs against a sweep of itself and two rivals, at two budgets; figures made up."""
    rows, differences = [], []
    specs = ("hfs", "hfs(coverage=0.1)", "hfs(coverage=0.9)", "top_k", "uniform")
    for k, (i, spec) in itertools.product((4, 8), enumerate(specs)):
        for metric, value in (("windows_hit", 0.9 - i / 10), ("mean_saliency", 1.0 + i / 5)):
            rows.append(Row(source, spec, k, metric, value, value - 0.05, value + 0.05, 100))
            if spec != "hfs":
                over = value - (0.9 if metric == "windows_hit" else 1.0)
                ends = (over - 0.15, over + 0.15)
                differences.append(Difference(source, spec, k, metric, "hfs", over, *ends))
    return Results(tuple(rows), tuple(differences), notes=(f"1 lines of {EVIL} are no JSON",))


class Page(HTMLParser):
    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words += [data.strip()] if data.strip() else []


def test_the_page_is_complete_in_itself_and_runs_nothing():
    found = Page(page(results()))
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in found.tags}
    policy = [a["content"] for tag, a in found.tags if a.get("http-equiv")]
    assert policy[0] is not None
    assert policy[0].startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")
    assert not re.search(r"url\(|@import|https?:", page(results()))


def test_names_from_files_are_escaped():
    text = page(results(source=f"{EVIL}.jsonl"))
    assert EVIL not in text
    assert "&lt;script&gt;alert(1)" in text


def test_every_figure_is_on_the_page_with_its_interval():
    words = Page(page(results())).words
    for row in results().rows:
        assert f"{row.value:.4f}" in words
        assert f"{row.low:.4f}–{row.high:.4f}" in words


def test_arrows_mark_only_what_is_beyond_the_interval_and_by_the_metrics_sense():
    section = sections(results())[0]
    verdicts = {line.selector: line.cells["windows_hit"].verdict for line in section.lines}
    assert verdicts == {
        "hfs": "",
        "hfs(coverage=0.1)": "",
        "hfs(coverage=0.9)": "worse",
        "top_k": "worse",
        "uniform": "worse",
    }
    best = [line.selector for line in section.lines if line.cells["mean_saliency"].best]
    assert best == ["uniform", "uniform"]


def test_lower_is_better_where_a_metric_says_so():
    row = Row("f", "top_k", 4, "largest_gap", 0.2, 0.1, 0.3, 9)
    over = Difference("f", "top_k", 4, "largest_gap", "hfs", -0.2, -0.3, -0.1)
    made = Results((row, Row("f", "hfs", 4, "largest_gap", 0.4, 0.3, 0.5, 9)), (over,))
    top_k, hfs = sections(made)[0].lines
    assert (top_k.cells["largest_gap"].verdict, top_k.cells["largest_gap"].best) == ("better", True)
    assert not hfs.cells["largest_gap"].best


def test_the_specs_of_one_selector_are_joined_and_rivals_are_labelled():
    found = Page(page(results()))
    curves = [a for tag, a in found.tags if tag == "path" and "curve" in (a.get("class") or "")]
    assert [a["class"] for a in curves] == ["curve ours", "curve ours"]  # one a budget
    assert [str(a["d"]).count("L") for a in curves] == [2, 2]
    assert {"top_k", "uniform", "hfs", "hfs(coverage=0.9)"} <= set(found.words)


def test_axes_that_were_not_measured_are_an_error_that_names_those_that_were():
    with pytest.raises(UsageError, match="among windows_hit, mean_saliency, got kfr, shr"):
        page(results(), axes=("kfr", "shr"))


def test_results_without_a_pair_of_axes_have_no_plot():
    rows = tuple(r for r in results().rows if r.metric == "windows_hit")
    assert "svg" not in {tag for tag, _ in Page(page(Results(rows))).tags}


def test_the_terminal_table_has_a_line_a_selector_and_budget():
    console = Console(width=80, file=io.StringIO())
    for table in tables(results()):
        console.print(table)
    text = console.file.getvalue()
    assert len(re.findall(r"^ *(hfs|top_k|uniform).* [48] +0\.\d{4}", text, re.M)) == 10
    assert "0.7000 ▼" in text


def test_the_terminal_table_shows_intervals_and_whole_names_in_80_columns():
    console = Console(width=80, file=io.StringIO())
    row = Row("f", "top_k", 4, "mean_saliency", 1.2, 0.9, 1.3, 9)
    over = Difference("f", "top_k", 4, "mean_saliency", "hfs", -0.2, -0.3, -0.1)
    for table in tables(
        Results((row, Row("f", "hfs", 4, "mean_saliency", 1.4, 1.0, 2.0, 9)), (over,))
    ):
        console.print(table)
    text = console.file.getvalue()
    assert "mean saliency" in text
    assert re.search(r"top_k +4 +1\.2000 ▼\s+\.900–1\.30", text)


def datum(label: str, x: float, y: float) -> scatter.Datum:
    return scatter.Datum(label, label.split("(")[0], (x, x - 0.1, x + 0.1), (y, y, y), ours=False)


def test_places_grow_with_values_and_stay_inside_the_frame():
    plot = scatter.scatter([datum("a", 0.0, 5.0), datum("b", 1.0, 7.0), datum("c", 2.0, 6.0)])
    a, b, c = plot.points
    assert a.x < b.x < c.x
    assert a.y > c.y > b.y  # down the page is less
    for point in plot.points:
        assert scatter.LEFT < point.x < scatter.WIDTH - scatter.RIGHT
        assert scatter.TOP < point.y < scatter.HEIGHT - scatter.BOTTOM


@pytest.mark.parametrize("spread", [1e-6, 0.003, 1.0, 47.0, 1e6])
def test_ticks_are_a_few_distinct_round_values_inside_the_frame(spread):
    plot = scatter.scatter([datum("a", 3.0, 3.0), datum("b", 3.0, 3.0 + spread)])
    labels = [tick.label for tick in plot.y_ticks]
    assert 2 <= len(labels) == len(set(labels)) <= 7
    assert all(scatter.TOP <= t.at <= scatter.HEIGHT - scatter.BOTTOM for t in plot.y_ticks)


def test_a_sweep_is_joined_from_left_to_right_and_labelled_at_its_ends_and_default():
    sweep = {"hfs(a=3)": 3.0, "hfs": 2.5, "hfs(a=1)": 1.0, "hfs(a=2)": 2.0}
    plot = scatter.scatter([datum(label, x, 5 - x) for label, x in sweep.items()])
    assert [p.label for p in plot.points] == ["hfs(a=3)", "hfs", "hfs(a=1)", ""]
    places = [float(step.split()[0]) for step in plot.curves[0].path[1:].split("L")]
    assert len(places) == 4
    assert places == sorted(places)


def test_a_single_point_and_equal_points_are_drawn():
    plot = scatter.scatter([datum("a", 0.0, 0.0), datum("b", 0.0, 0.0)])
    assert plot.points[0].x == plot.points[1].x
    assert plot.points[0].place != plot.points[1].place


def test_labels_of_a_crowd_do_not_lie_on_each_other():
    crowd = [datum(f"rival{i}", float(i % 3), float(i // 3)) for i in range(9)]
    crowd += [datum("close", 1.02, 1.02)]
    plot = scatter.scatter(crowd)
    boxes = [scatter._box(p.label, p.place) for p in plot.points]
    assert not any(a.over(b) for a, b in itertools.combinations(boxes, 2))
