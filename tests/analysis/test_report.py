"""The report: true about every state of a run, escaped, closed to the outside, small, sampled by a stated rule."""

import json
import math
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import tidings
from tidings.analysis.controls import talk_controls, vote_controls
from tidings.analysis.report import report_html, transcripts, write_report
from tidings.analysis.report.answer import _Line, _scale, _strip
from tidings.analysis.report.kinds import KINDS
from tidings.analysis.report.markup import Markup, cut, el, number, visible
from tidings.core import Event
from tidings.log.codec import encode_step
from tidings.log.store import ENDED
from tidings.metrics.result import mean_result
from tidings.simulation.registry import ENVIRONMENTS

SUPPORT = Path(__file__).parents[1] / "support"
EVIL = '<script>document.title="x"</script><img src=x onerror=alert(1)> \x1b[31m \u202egnp.exe --></svg></style>'

HERD = """
name: herd
description: A herd.
graph: {kind: complete, n: 5}
agents: [{kind: scripted, count: 2, policy: random}, {kind: bayesian, count: 3}]
environment: {kind: social_learning, precision: 0.7}
rollouts: {count: 12, seed: 3}
"""
TALK = f"""
name: talk
description: {json.dumps(EVIL)}
graph: {{kind: path, n: 3}}
agents: [{{kind: scripted, count: 3, policy: random}}]
environment: {{kind: talk, rounds: 2, topic: {json.dumps(EVIL)}, facts: {{a0: {{f1: {json.dumps(EVIL)}}}}}}}
rollouts: {{count: 2, seed: 3}}
"""
DELIBERATION = """
name: group
graph: {kind: complete, n: 3}
agents:
  - {kind: scripted, nodes: [0], policy: constant, value: "24 jars less 5 sold. ANSWER: 19"}
  - {kind: scripted, nodes: [1], actions: ["24 less 5. ANSWER: 18", "24 less 5 is 19. ANSWER: 19", "ANSWER: 19"]}
  - {kind: scripted, nodes: [2], policy: constant, value: "Three and five. ANSWER: 8"}
environment:
  kind: deliberation
  rounds: 2
  aggregation: psi_vote
  items:
    - {id: jars, kind: number, text: "3 crates of 8 jars each, 5 are sold. How many are left?", gold: ["19"]}
planner: {kind: self_organising, top_k: 2}
rollouts: {count: 2, seed: 1}
"""


class Reader(HTMLParser):
    """Collects what a browser would see: elements, attributes, text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def values(self, name: str) -> list[str]:
        return [attrs[name] or "" for _, attrs in self.tags if name in attrs]


def play(folder: Path, text: str) -> tidings.Run:
    (folder / "s.yaml").write_text(text)
    return tidings.run(folder / "s.yaml", out=folder)


def read(run: tidings.Run, *against: tidings.Run) -> Reader:
    return Reader(report_html(run, against))


def failing(folder: Path, monkeypatch: pytest.MonkeyPatch, share: float = 0.1) -> tidings.Run:
    monkeypatch.syspath_prepend(str(SUPPORT))
    agents = f'agents: [{{kind: "seats:Drawing", count: 5, fail_share: {share}}}]'
    return play(folder, re.sub(r"agents: .*", agents, HERD))


def test_the_answer_stands_in_front_with_twin_and_controls(tmp_path: Path) -> None:
    run = play(tmp_path, HERD)
    text = read(run).text
    value = run.metrics("p_correct")["value"][0]
    opening = text[: text.index("What happened")]
    assert f"{value:#.3g} share of agents whose decision is what is true" in opening
    for words in ("rational twin", "own hint alone", "all hints shared", "95 % interval", "12 of 12 rollouts ended"):
        assert words in opening
    twin = run.metrics("p_correct")["twin"][0]
    assert f"{value - twin:+.3g} (" in opening


def test_a_sampled_answer_never_stands_without_its_null_and_whether_it_is_reliable(tmp_path: Path) -> None:
    run = play(tmp_path, HERD + "metrics: [mutual_information]\n")
    (row,) = run.metrics("mutual_information").iter_rows(named=True)
    assert row["reliable"] is True or row["reliable"] is False
    text = read(run, play(tmp_path, HERD.replace("0.7", "0.9") + "metrics: [mutual_information]\n")).text
    opening = text[: text.index("What happened")]
    assert f"{row['value']:#.3g} mutual_information, bits" in opening
    assert f"Where there is nothing to find it comes to {number(row['null_mean'], 3)} on average (null)" in opening
    assert f"p = {number(row['p'], 3)}" in opening
    assert {True: "(reliable)", False: "(not reliable)"}[row["reliable"]] in opening
    assert f"{number(row['null_mean'], 3)}, {'yes' if row['reliable'] else 'no'}" in opening
    assert "null, reliable" in opening


def test_the_interval_of_a_share_ends_at_1(tmp_path: Path) -> None:
    run = play(tmp_path, HERD.replace("count: 12", "count: 3").replace("0.7", "0.9"))
    (section,) = re.findall(r'<section class="answer">.*?</section>', report_html(run))
    ends = [float(high) for _, high in re.findall(r"<td>(-?[\d.]+) to ([\d.]+)</td>", section)]
    assert len(ends) == 4
    assert max(ends) == 1.0


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ([0.563, 0.932], (0.55, 0.95)),
        ([0.132, 0.785], (0.1, 0.8)),
        ([0.0, 0.561], (0.0, 0.6)),
        ([0.03, 1.0], (0.0, 1.0)),
        ([1.0, 1.0], (0.0, 1.0)),
        ([0.0, 0.0], (0.0, 1.0)),
        ([0.4, 0.4], (0.0, 1.0)),
        ([5.0], (4.0, 6.0)),
        ([-2.0, -2.0], (-3.0, -1.0)),
        ([0.3, 0.1 + 0.2], (0.0, 1.0)),
        ([-0.41, -0.149], (-0.45, -0.1)),
        ([12.0, 1480.0], (0.0, 1600.0)),
    ],
)
def test_a_scale_ends_at_round_numbers(values: list[float], ends: tuple[float, float]) -> None:
    assert _scale(values) == ends


def test_settings_within_settings_stand_in_brackets(tmp_path: Path) -> None:
    page = read(tidings.run(Path(__file__).parents[2] / "scenarios" / "rumour.yaml", rollouts=1, out=tmp_path))
    assert "miller: (mill: (value: the mill burnt down; prior: 0.05; phrases: " in page.text


def test_a_twin_that_is_missing_is_explained(tmp_path: Path) -> None:
    text = read(play(tmp_path, re.sub(r"agents: .*", "agents: [{kind: bayesian, count: 5}]", HERD))).text
    assert "No rational twin: every seat is bayesian already, so this run is its own." in text
    assert "No rational twin" not in read(play(tmp_path, HERD)).text
    run = play(tmp_path, HERD)
    (run.path / "twin.parquet").unlink()
    assert "No rational twin: its rows are not in the run folder." in read(tidings.load_run(run.path)).text


def test_news_stands_beside_what_would_be_known_if_nobody_told(tmp_path: Path) -> None:
    """Of six people the mayor holds the code and the miller the mill: 1/6 of the seats know each in silence."""
    run = tidings.run(Path(__file__).parents[2] / "scenarios" / "rumour.yaml", out=tmp_path)
    (control,) = talk_controls(run)
    assert control.values == pytest.approx({0: 1 / 6, 1: 1 / 6, 2: 1 / 6})
    text = read(run).text
    assert "nobody tells" in text
    assert "+0.583 (+0.583 to +0.583)" in text
    assert "0.750 to 0.750 (all 3 values are equal)" in text


def test_votes_stand_beside_those_before_the_talk(tmp_path: Path) -> None:
    run = tidings.run(Path(__file__).parents[2] / "scenarios" / "hidden_profile.yaml", out=tmp_path)
    (control,) = vote_controls(run)
    assert mean_result("x", list(control.values.values()), "").value == run.metrics("right_before")["value"][0]
    assert "before the talk" in read(run).text


def test_without_named_metrics_the_question_of_the_kind_is_still_answered(tmp_path: Path) -> None:
    text = read(play(tmp_path, TALK)).text
    assert "0.333 share of the seats that know a fact in the end" in text


def test_an_infinite_figure_stands_beside_finite_ones() -> None:
    """A belief that rules the truth out scores -inf: it is said, and does not take the scale from the others."""
    infinite = _Line("one", "", mean_result("belief_gain", [-math.inf, 1.0], "bits"), None, is_own=True)
    page = str(_strip([infinite, _Line("other", "", mean_result("belief_gain", [0.0, 1.0], "bits"), None)]))
    assert "off the scale" in page
    assert "nan" not in page
    assert page.count("<circle") == 1


def test_another_run_can_stand_beside_it(tmp_path: Path) -> None:
    first = play(tmp_path, HERD)
    second = play(tmp_path, HERD.replace("precision: 0.7", "precision: 0.9"))
    text = read(first, second).text
    assert "herd-002" in text
    gap = first.metrics("p_correct")["value"][0] - second.metrics("p_correct")["value"][0]
    assert f"{gap:+.3g} (" in text


@pytest.mark.parametrize("text", [HERD, TALK])
def test_nothing_is_loaded_and_nothing_runs(tmp_path: Path, text: str) -> None:
    html = report_html(play(tmp_path, text))
    page = Reader(html)
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "iframe", "object", "link", "img", "form", "base", "foreignobject"}
    assert page.values("style") == []
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
    assert all(href.startswith(("#", "data:image/png;base64,")) for href in page.values("href"))
    (policy,) = [a["content"] for t, a in page.tags if t == "meta" and a.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert len([tag for tag, _ in page.tags if tag == "style"]) == 1
    anchors = {href[1:] for href in page.values("href") if href.startswith("#")}
    ids = page.values("id")
    assert anchors <= set(ids)
    assert len(ids) == len(set(ids))


def test_planted_markup_is_shown_as_text(tmp_path: Path) -> None:
    html = report_html(play(tmp_path, TALK))
    assert "<script>" not in html
    assert "\u202e" not in html
    assert "\x1b" not in html
    page = Reader(html)
    assert '<script>document.title="x"</script><img src=x onerror=alert(1)>' in page.text
    assert "<U+202E>gnp.exe" in page.text


def test_failed_rollouts_give_no_figure_but_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = failing(tmp_path, monkeypatch)
    n_failed = run.status["failed"]
    assert 0 < n_failed < 12
    page = read(run)
    assert f"{n_failed} of them failed" in page.text
    words = f"This run has no such figure: {n_failed} rollouts failed. The number below is of the others alone"
    assert words in page.text
    assert "reply/unparsable" in page.text
    assert "ask with failed='drop'" in page.text
    failed = run.turns().drop_nulls("failure")["rollout"][0]
    (section,) = re.findall(r'<section id="failures">.*?</section>', report_html(run))
    assert f'<a href="#rollout-{failed}">rollout {failed}</a>' in section


def test_a_run_in_which_all_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = read(failing(tmp_path, monkeypatch, 1.0)).text
    assert "12 of them failed" in text
    assert "No figure of p_correct" in text
    assert "No figure has a value: 12 of 12 rollouts failed." in text


@pytest.mark.parametrize(
    ("status", "pid", "words"),
    [
        ("running", 2**22 + 1, "interrupted: everything below is of the rollouts that had ended by then"),
        ("running", os.getpid(), "still running: everything below is of the rollouts that have ended so far"),
        ("interrupted", 1, "Go on with: tidings resume"),
        ("limit", 1, "$2 spent"),
    ],
    ids=["gone", "running", "interrupted", "limit"],
)
def test_a_run_that_is_not_finished_says_so(tmp_path: Path, status: str, pid: int, words: str) -> None:
    run = play(tmp_path, HERD)
    (log,) = (run.path / "events").glob("*.jsonl")
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[: len(lines) // 2 + 5]))
    state = json.loads((run.path / "status.json").read_text()) | {"status": status, "pid": pid, "done": 6}
    (run.path / "status.json").write_text(json.dumps(state | {"message": "$2 spent" if status == "limit" else ""}))
    begun = tidings.load_run(run.path)
    assert sum(1 for _ in begun.ended()) == 6
    text = read(begun).text
    assert words in text
    assert "6 of 12 rollouts ended" in text
    assert "No rational twin" not in text
    (run.path / "twin.parquet").unlink()
    assert "No rational twin: it is played when all rollouts have ended." in read(tidings.load_run(run.path)).text
    assert "not ended" in text


def test_a_run_in_which_nothing_happened(tmp_path: Path) -> None:
    run = play(tmp_path, HERD)
    for path in (run.path / "events").glob("*.jsonl"):
        path.write_bytes(b"")
    (run.path / "twin.parquet").unlink()
    (run.path / "status.json").unlink()
    text = read(tidings.load_run(run.path)).text
    assert "0 of 12 rollouts ended" in text
    assert "No figure of p_correct: no rollout has a value." in text
    assert "No rollout has begun." in text


def test_a_run_of_summaries_says_that_it_has_no_transcripts(tmp_path: Path) -> None:
    run = play(tmp_path, HERD.replace("scripted, count: 2, policy: random", "bayesian, count: 2") + "  \n")
    long = play(tmp_path, (tmp_path / "s.yaml").read_text().replace("count: 12", "count: 2000"))
    assert long.is_summary
    text = read(long).text
    assert "one row a rollout" in text
    assert "2,000 of 2,000 rollouts ended" in text
    assert len(run.events()) > 0


@pytest.mark.slow
def test_a_thousand_rollouts_fit_in_three_megabytes_and_the_rule_is_stated(tmp_path: Path) -> None:
    run = play(tmp_path, HERD.replace("count: 12", "count: 1000"))
    path = write_report(run)
    assert path.stat().st_size < 3_000_000
    page = Reader(path.read_text())
    rule = r"(\d+) of 1,000 rollouts are here: up to 10 that failed, then the others from the first on"
    found = re.search(rule, page.text)
    assert found is not None
    shown = [i for i in page.values("id") if i.startswith("rollout-")]
    assert len(shown) == int(found[1])


@pytest.mark.slow
def test_a_hundred_thousand_events_are_counted_and_sampled(tmp_path: Path) -> None:
    run = play(tmp_path, TALK.replace("count: 2,", "count: 1,"))
    (log,) = (run.path / "events").glob("*.jsonl")
    first, *_ = run.events().iter_rows(named=True)
    many = [Event("message", ("*",), {"text": f"word {i}"}, "a0", 1 + i // 1000, 1 + i) for i in range(100_000)]
    opening = Event(first["kind"], tuple(first["audience"]), json.loads(first["data"]), first["seat"], 0, 0)
    ended = Event(ENDED, (), {"status": "ok"}, None, 101, 100_001)
    log.write_bytes(encode_step(0, [opening]) + encode_step(0, many) + encode_step(0, [ended]))
    path = write_report(tidings.load_run(run.path))
    page = Reader(path.read_text())
    assert path.stat().st_size < 3_000_000
    assert "the log holds 100,002 events, 100,000 of them messages" in page.text
    assert "the longest has 100,002" in page.text
    assert "99,602 more events: rollout 0 in the run folder's events/, from index 400." in page.text


def test_failed_rollouts_come_first_when_not_all_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = failing(tmp_path, monkeypatch)
    failed = run.turns().drop_nulls("failure")["rollout"].unique().sort().to_list()
    monkeypatch.setattr(transcripts, "MAX_BYTES", 1)
    page = read(run)
    assert [i for i in page.values("id") if i.startswith("rollout-")] == [f"rollout-{failed[0]}"]
    assert "1 of 12 rollouts are here" in page.text


def test_long_texts_are_cut_with_a_note() -> None:
    assert cut("abcdef", 6, "x") == "abcdef"
    assert cut("abcdefgh", 6, "index 3") == "abcdef [... 2 more characters: index 3]"


def test_markup_escapes_all_but_itself() -> None:
    assert el("p", "<b>", Markup("<i>"), title='"<') == '<p title="&quot;&lt;">&lt;b&gt;<i></p>'
    assert el("p", ["a", None, "<"], hidden=True, class_=None) == "<p hidden>a&lt;</p>"
    assert visible("a\u2066b\x00c\nd\te") == "a<U+2066>b<U+0000>c\nd\te"
    values = (0.86, 1.0, 0.0, None, float("nan"), 12345.6)
    assert [number(value, 3) for value in values] == ["0.860", "1", "0", "\u2013", "\u2013", "1.23e+04"]


SMALL = {
    "many_states": ("three-states", ["correctness", "welfare"], "p_correct"),
    "talk": ("rumour", ["spread", "exposure_tree", "influence", "leak_paths"], "coverage"),
    "collaboration": ("collaboration", ["spread", "exposure_tree", "influence"], "right"),
    "dialop": ("dialop", ["spread", "cost"], "norm"),
    "hidden_profile": ("hidden_profile", ["spread", "cost"], "right_after"),
}


@pytest.mark.parametrize("name", SMALL)
def test_every_kind_shows_its_own_answer_and_figures(name: str, tmp_path: Path) -> None:
    file, figures, key = SMALL[name]
    run = tidings.run(Path(__file__).parents[2] / "scenarios" / f"{file}.yaml", out=tmp_path)
    html = report_html(run)
    assert "could not be drawn" not in html
    shown = re.findall(r'<figure id="figure-([a-z_]+)"', html)
    assert [figure for figure in shown if figure != "graph"] == figures
    assert KINDS[name].question in html
    if key:
        assert f"{number(run.metrics(key)['value'][0], 3)} {KINDS[name].words}" in Reader(html).text


def test_a_deliberation_shows_who_read_whom(tmp_path: Path) -> None:
    run = play(tmp_path, DELIBERATION)
    html = report_html(run)
    assert re.findall(r'<figure id="figure-([a-z_]+)"', html) == ["rounds", "graph"]
    assert "1 share of questions that the group answers rightly" in Reader(html).text
    figure = run.plot.rounds()
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["right", "wrong"]  # only colours that are drawn
    figure.draw_without_rendering()
    headings = [axes.title if axes.get_title() else axes._left_title for axes in figure.axes]
    assert all(figure.bbox.contains(0, heading.get_window_extent().y1) for heading in headings)


def test_kinds_name_environments_and_metrics_that_exist() -> None:
    from tidings.analysis.figures import FIGURES
    from tidings.metrics.table import known_metrics

    assert set(KINDS) == set(ENVIRONMENTS)
    assert {figure for kind in KINDS.values() for figure in kind.figures} <= set(FIGURES)
    for name, kind in KINDS.items():
        assert name in ENVIRONMENTS
        assert not kind.key or kind.key in known_metrics(name)
        assert kind.question.endswith("?")
