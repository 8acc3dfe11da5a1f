"""The commands of docs/counterfactuals.md on the scenarios that it names; no model and no key."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

import tidings
from tidings.cli.main import main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Any:
    """Returns a function that runs one command line in an empty folder and returns what it printed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")

    def run(line: str) -> str:
        monkeypatch.setattr("sys.argv", shlex.split(line))
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert (ended.value.code or 0) == 0, said.err
        return said.out

    return run


def commands(scenario: str) -> list[str]:
    """Returns the commands of the block of the page that begins with this scenario."""
    page = (ROOT / "docs" / "counterfactuals.md").read_text()
    block = page.split(f"tidings run scenarios/{scenario}.yaml")[1].split("```")[0]
    return [
        f"tidings run scenarios/{scenario}.yaml",
        *(line.split("#")[0].strip() for line in block.splitlines() if line.strip()),
    ]


def test_the_commands_about_rational_seats_give_exact_figures(say: Any) -> None:
    lines = commands("what-if")
    assert [line.split()[1] for line in lines] == [
        "run",
        "fork",
        "fork",
        "fork",
        "density",
        "metrics",
        "influence",
        "metrics",
    ]
    for line in lines:
        say(line)
    swapped, dropped, muted = (
        json.loads(Path(f"runs/what-if-fork-00{i}/changed/manifest.json").read_text()) for i in (1, 2, 3)
    )
    assert swapped["fork"]["interventions"] == [{"swap": "signal/a0", "value": "closed"}]
    assert [one["fork"]["interventions"][0] for one in (dropped, muted)] == [
        {"drop": 5},
        {"mute": "a0", "after_step": 0},
    ]
    run = tidings.load_run("runs/what-if-001")
    rows = run.measure_density()
    assert set(rows["scorer"]) == {"policy"}
    assert rows["bits"].null_count() == 0
    assert run.metric_results("message_bits")[0].value == pytest.approx(rows["bits"].sum() / 100)
    influence = run.rows_beside("influence").to_dicts()
    assert {row["method"] for row in influence} == {"loo", "shapley", "label", "social", "cic"}
    for row in influence:
        assert row["value"] is not None or "impossible" in row["reason"], "a rational seat rules some answers out"
    assert all(result.value is not None for result in run.metric_results("message_influence")[2:])


def test_the_commands_about_beliefs_and_judges_leave_the_run_alone(say: Any) -> None:
    lines = commands("hidden_profile")
    assert [line.split()[1] for line in lines] == ["run", "fork", "density", "probe", "judge", "metrics"]
    said = {line.split()[1]: say(line) for line in lines}
    assert said["probe"].count("Fern +1") == 12
    assert "judge:scripted/words" in said["judge"]
    run = tidings.load_run("runs/hidden-profile-001")
    assert run.rows_beside("density")["bits"].null_count() == 0
    assert run.calls().height == 4 * 3 * 4, "no call of a measurement is the run's"


def test_forks_and_comparisons_of_a_talk_show_what_its_scenario_measures(say: Any) -> None:
    """A talk has no figures of its own: those of provenance that the scenario names stand in their place."""
    say("tidings run scenarios/rumour.yaml")
    found = json.loads(say("tidings fork runs/rumour-001 --mute clerk -n 2 --json"))
    effects = {row["outcome"]: row for row in found["effects"]}
    assert (effects["leaks"]["control"], effects["leaks"]["changed"], effects["leaks"]["effect"]) == (3, 2, -1)
    assert effects["coverage"]["noise_floor"] == 0
    out = say("tidings compare runs/rumour-001 runs/rumour-fork-001/changed")
    assert "leaky" in out
