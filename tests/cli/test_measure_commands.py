"""`tidings density`, `influence`, `probe` through the command line: figures, rows, and one line for a wrong request."""

import json
from pathlib import Path
from typing import Any

import pytest

import tidings
from tidings.cli.main import main
from tidings.core import ModelRequest
from tidings.spec.io import make_scenario


def teller(request: ModelRequest) -> dict[str, float]:
    """Says the code, or rubbish one time in five; believes what it was told."""
    text = request.messages[-1].content
    is_red = "is red" in text
    if request.kind == "choice":
        return {"red": 0.75, "blue": 0.25} if is_red else {"red": 0.25, "blue": 0.75}
    return {f"It is {'red' if is_red else 'blue'}.": 0.8, "It is green.": 0.2}


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def a_talk(tmp_path: Path, *, fact: Any = None, model: Any = None) -> Any:
    fact = fact or {"values": ["red", "blue"], "text": "The code is {value}."}
    model = model or {"use": "scripted/m", "law": "test_measure_commands:teller"}
    agent = {"kind": "llm", "model": "m", "count": 2, "temperature": 1.0, "label_options": False, "elicit": "auto"}
    scenario = {
        "name": "talk",
        "graph": {"kind": "path", "n": 2},
        "models": {"m": model},
        "agents": [agent],
        "environment": {"kind": "talk", "rounds": 2, "facts": {"a0": {"code": fact}}},
        "rollouts": {"count": 12, "seed": 3},
    }
    return tidings.run(make_scenario(scenario), out=tmp_path)


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Returns a function that runs one command: exit status, standard output, standard error."""

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["tidings", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def test_density_prints_the_value_and_keeps_the_rows(tmp_path: Path, say: Any) -> None:
    run = a_talk(tmp_path)
    status, out, err = say("density", run.path, "--fact", "code", "--json")
    found = json.loads(out)
    assert (status, err, found["messages"]) == (0, "", 24)
    rows = run.rows_beside("density")
    assert set(rows["mode"]) == {"census"}
    value = next(row["value"] for row in found["metrics"] if row["name"] == "message_bits")
    assert value == pytest.approx(rows["bits"].sum() / 12)
    assert value > 0.5
    status, out, _ = say("density", run.path)
    assert status == 0
    assert "24 messages, 0 without a value" in out
    assert f"message_bits: {value:.4g} bits" in out


def test_influence_prints_each_message_and_method(tmp_path: Path, say: Any) -> None:
    run = a_talk(tmp_path)
    last = run.messages().filter(rollout=0, seat="a1", step=2)["index"][0]
    status, out, err = say("influence", run.path, "--at", f"0:{last}")
    assert (status, err) == (0, "")
    assert [line.split(": ")[1].split()[0] for line in out.splitlines()] == ["loo", "shapley", "label"]
    rows = run.rows_beside("influence")
    assert f"loo {rows.filter(method='loo')['value'][0]:.4g} bits" in out


def test_probes_at_an_event_see_what_was_said_by_then(tmp_path: Path, say: Any) -> None:
    """Before anybody spoke a1 knows nothing; at the end it has heard the code wherever it was said."""
    run = a_talk(tmp_path)
    status, out, err = say("probe", run.path, "--fact", "code", "--at", 0, "--seat", "a1")
    assert (status, err, len(out.splitlines())) == (0, "", 12)
    early = {row["rollout"]: row for row in run.rows_beside("probes").to_dicts()}
    assert {tuple(row["belief"]) for row in early.values()} == {(0.25, 0.75)}
    assert {row["step"] for row in early.values()} == {0}
    say("probe", run.path, "--fact", "code", "--seat", "a1")
    late = [row for row in run.rows_beside("probes").to_dicts() if row["step"] > 0]
    heard = {row["rollout"] for row in run.messages().to_dicts() if row["seat"] == "a0" and "red" in row["text"]}
    assert {row["rollout"] for row in late if row["belief"][0] == 0.75} >= heard
    assert heard
    status, out, _ = say("probe", run.path, "--fact", "code", "--seat", "a1", "--about", "a0")
    assert status == 0
    assert "a1 about a0" in out


def test_a_judge_prints_what_it_found_and_how_good_it_is(tmp_path: Path, say: Any) -> None:
    run = a_talk(tmp_path, model={"use": "scripted/m"})
    labelled = Path(__file__).parents[1] / "fixtures" / "flow" / "labelled_messages.jsonl"
    few = tmp_path / "few.jsonl"
    few.write_text("\n".join(labelled.read_text().splitlines()[:4]))
    status, out, err = say("judge", run.path, "--model", "m", "--labelled", few)
    assert (status, err) == (0, "")
    n_claims = run.rows_beside("claims").drop_nulls("fact").height
    assert f"{n_claims} claims in {run.messages().height} questions; 0 without an answer" in out
    (quality,) = run.rows_beside("judges").to_dicts()
    assert f"precision {quality['precision']:.2f}, recall {quality['recall']:.2f} on 3 labelled messages" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("density", "RUN", "--fact", "cod"), "no rollout declares the fact 'cod'"),
        (("density", "RUN", "--scorer", "n"), "no model 'n'"),
        (("density", "NOWHERE"), "nowhere"),
        (("influence", "RUN", "--at", "zero"), "need rollout:index"),
        (("influence", "RUN", "--at", "99:3"), "no rollout 99"),
        (("influence", "RUN", "--at", "0:999"), "event 999 of rollout 0 is no answer"),
        (("influence", "RUN", "--at", "0:LAST", "--input", "999"), "had not heard 999"),
        (
            ("influence", "RUN", "--at", "0:LAST", "--input", "HEARD", "--input", "HEARD"),
            "HEARD twice; each message once",
        ),
        (("influence", "NOWHERE", "--at", "0:3"), "nowhere"),
        (("probe", "RUN", "--fact", "cod"), "no fact 'cod'"),
        (("probe", "RUN", "--fact", "code", "--seat", "a9"), "no seat 'a9'"),
        (("probe", "RUN", "--fact", "code", "--about", "a9"), "no seat 'a9'"),
        (("probe", "RUN", "--fact", "code", "--at", "9999"), "no event 9999"),
        (("probe", "NOWHERE", "--fact", "code"), "nowhere"),
        (("judge", "RUN", "--model", "n"), "no model 'n'"),
        (("judge", "RUN", "--model", "m", "--labelled", "NOWHERE"), "cannot be read as labelled messages"),
        (("judge", "NOWHERE", "--model", "m"), "nowhere"),
    ],
)
def test_a_wrong_request_is_one_line(tmp_path: Path, say: Any, words: tuple[str, ...], said: str) -> None:
    run = a_talk(tmp_path)
    last = run.messages().filter(rollout=0, seat="a1", step=2)["index"][0]
    heard = run.messages().filter(rollout=0, step=1, seat="a0")["index"][0]
    places = {"RUN": str(run.path), "NOWHERE": str(tmp_path / "nowhere"), "HEARD": str(heard)}
    status, out, err = say(*[places.get(word, word.replace("LAST", str(last))) for word in words])
    assert (status, out) == (2, "")
    assert said.replace("HEARD", str(heard)) in err
    assert len(err.strip().splitlines()) == 1


def test_a_model_without_scores_is_named_and_no_value_is_made_up(
    tmp_path: Path, say: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tidings.models.scripted import ScriptedModel

    run = a_talk(tmp_path)
    last = run.messages().filter(rollout=0, seat="a1", step=2)["index"][0]
    monkeypatch.setattr(ScriptedModel, "kinds", property(lambda self: frozenset(("text", "json", "choice"))))
    status, out, _ = say("density", run.path)
    assert status == 0
    assert "24 messages, 24 without a value" in out
    assert "message_bits: no value" in out
    assert "not score: it gives no log-probabilities" in out
    status, out, _ = say("influence", run.path, "--at", f"0:{last}")
    assert status == 0
    assert "loo no value" in out
    assert "not score: it gives no log-probabilities" in out


def test_seats_that_follow_a_script_have_no_log_probabilities(tmp_path: Path, say: Any) -> None:
    """A script is no law of a seat: there is a reason and no value, and equal reasons stand there once."""
    run = tidings.run(tidings.load_scenario(Path(__file__).parents[2] / "scenarios" / "rumour.yaml"), out=tmp_path)
    status, out, _ = say("density", run.path)
    assert status == 0
    assert "seat 'mayor' made no recorded call and states no policy" in out
    status, out, _ = say("influence", run.path, "--at", "0:30")
    assert status == 0
    assert "message 12: loo no value (seat 'baker' made no recorded call" in out
    status, out, _ = say("probe", run.path, "--fact", "code")
    assert (status, len(out.splitlines())) == (0, 3)
    assert "no value: 12 of 18 answers, of clerk, baker, smith, miller: script_ended" in out
    assert say("judge", run.path, "--model", "x")[2].endswith("no model 'x'; the scenario names no model\n")
