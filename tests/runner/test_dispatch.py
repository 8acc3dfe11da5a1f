"""The dispatcher on the shipped fake of a cluster: equal bytes, one account, and nothing lost when players die."""

import asyncio
import itertools
import json
import random
from pathlib import Path

import pytest
from inline import inline

import tidings
from tidings.api import play_on
from tidings.core import ModelRequest, RequestError
from tidings.log.calls import CallStore
from tidings.log.reader import read_rollouts
from tidings.runner.cluster import InlineCluster, InlinePlayer
from tidings.runner.progress import Progress

MODEL_SEATS = "[{kind: llm, count: 2, model: m}, {kind: scripted, policy: talk, count: 2}]"


def write(
    folder: Path, agents: str = '[{kind: "seats:Drawing", count: 4, latency_s: 0.004}]', more: str = "", count: int = 12
) -> Path:
    """A simultaneous environment: a sequential one could not tell an order of arrival from another."""
    path = folder / "s.yaml"
    path.write_text(
        f"name: drawn\ngraph: {{kind: cycle, n: 4}}\nagents: {agents}\nenvironment: {{kind: talk, rounds: 3}}\n"
        f"rollouts: {{count: {count}, seed: 3, concurrency: 3}}\n{more}\n"
    )
    return path


def with_model(folder: Path, settings: str = "", more: str = "", count: int = 12) -> Path:
    model = f"models: {{m: {{use: scripted/m, latency_s: [0.0, 0.004]{settings}}}}}"
    return write(folder, MODEL_SEATS, f"{model}\n{more}", count)


def event_bytes(run: Path) -> bytes:
    assert not list((run / "events" / "active").iterdir())
    return b"".join(path.read_bytes() for path in sorted((run / "events").glob("*.jsonl")))


def answered(run: Path) -> list[str]:
    return sorted(record.id for record in CallStore(run / "calls").records() if record.response)


class Reaper(InlineCluster):
    """Kills players as they hand parcels over."""

    def __init__(self, n_players: int, p: float, seed: int) -> None:
        super().__init__(n_players)
        self._p, self._random = p, random.Random(seed)

    def on_parcel(self, player: InlinePlayer) -> None:
        if self._random.random() < self._p:
            player.kill()


@pytest.mark.parametrize("n_players", [1, 2, 4])
@pytest.mark.parametrize("runner", ["{}", "{batch_size: 1}", "{batch_size: 5, in_flight: 3}"])
def test_any_number_of_players_gives_the_bytes_of_a_local_run(tmp_path: Path, n_players: int, runner: str) -> None:
    path = write(tmp_path, more=f"runner: {runner}")
    calm = tidings.run(path, out=tmp_path / "local")
    with inline(n_players) as cluster:
        run = tidings.run(path, out=tmp_path / "elsewhere")
    assert len(cluster.players) == min(n_players, 3 if "3" in runner else n_players)
    assert event_bytes(run.path) == event_bytes(calm.path)
    assert run.status["done"] == 12


@pytest.mark.parametrize("n_players", [1, 3])
def test_calls_through_the_desk_give_the_bytes_and_the_record_of_a_local_run(tmp_path: Path, n_players: int) -> None:
    calm = tidings.run(with_model(tmp_path), out=tmp_path / "local")
    with inline(n_players):
        run = tidings.run(with_model(tmp_path), out=tmp_path / "elsewhere")
    assert event_bytes(run.path) == event_bytes(calm.path)
    assert answered(run.path) == answered(calm.path)
    assert run.status["calls"] == calm.status["calls"] == len(answered(run.path)) > 12
    assert run.status["tokens"] == calm.status["tokens"]


@pytest.mark.parametrize("seed", range(6))
def test_killed_players_lose_and_double_nothing(tmp_path: Path, seed: int) -> None:
    calm = tidings.run(with_model(tmp_path), out=tmp_path / "local")
    reaper = Reaper(2, p=0.15, seed=seed)
    with inline(cluster=reaper):
        run = tidings.run(with_model(tmp_path), out=tmp_path / "elsewhere")
    assert len(reaper.players) > 3, "nobody was killed"
    assert (run.status["status"], run.status["done"], run.status["failed"]) == ("done", 12, 0)
    assert event_bytes(run.path) == event_bytes(calm.path)
    assert answered(run.path) == answered(calm.path), "a recorded call was asked again, or one is missing"
    assert [number for number, _ in read_rollouts(run.path / "events")] == list(range(12))


def test_players_that_always_die_end_the_run_and_what_was_written_stays(tmp_path: Path) -> None:
    path = write(tmp_path)
    calm = tidings.run(path, out=tmp_path / "local")

    class Plague(InlineCluster):
        def start_player(self, job):
            player = super().start_player(job)
            if len(self.players) > 2:
                player.kill()
            return player

        def on_parcel(self, player: InlinePlayer) -> None:
            player.kill()

    with inline(cluster=Plague(2)), pytest.raises(RuntimeError, match=r"lost 10 times in a row before a step"):
        tidings.run(path, out=tmp_path / "elsewhere")
    run = tmp_path / "elsewhere" / "drawn-001"
    assert json.loads((run / "status.json").read_text())["status"] == "broken"
    with inline(2):
        play_on(run, Progress())
    assert event_bytes(run) == event_bytes(calm.path)


@pytest.mark.parametrize("cap", [1, 7, 30])
def test_a_cap_holds_over_all_players_and_the_run_goes_on_with_a_higher_one(tmp_path: Path, cap: int) -> None:
    calm = tidings.run(with_model(tmp_path), out=tmp_path / "local")
    with inline(4):
        run = tidings.run(with_model(tmp_path, more=f"limits: {{calls: {cap}}}"), out=tmp_path / "elsewhere")
        assert run.status["status"] == "limit"
        assert run.status["calls"] == len(answered(run.path)) == cap
        outcome = play_on(run.path, Progress(), ["limits.calls=1000"])
    assert (outcome.status, outcome.n_done, outcome.n_failed) == ("done", 12, 0)
    assert event_bytes(run.path) == event_bytes(calm.path)
    assert answered(run.path) == answered(calm.path)


def test_tokens_in_flight_of_all_players_count_against_the_cap(tmp_path: Path) -> None:
    with inline(4):
        run = tidings.run(with_model(tmp_path, more="limits: {tokens: 1500}"), out=tmp_path / "elsewhere")
    assert run.status["status"] == "limit"
    assert 500 < run.status["tokens"] <= 1500


class Crowd:
    """Answers slowly, and remembers how many were inside at once."""

    inside = peak = 0

    @classmethod
    async def reply(cls) -> None:
        cls.inside += 1
        cls.peak = max(cls.peak, cls.inside)
        await asyncio.sleep(0.002)
        cls.inside -= 1


def test_one_cap_on_concurrency_for_all_players(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tidings.models.scripted import ScriptedModel

    plain = ScriptedModel.respond

    async def respond(self: ScriptedModel, request: ModelRequest):
        await Crowd.reply()
        return await plain(self, request)

    monkeypatch.setattr(ScriptedModel, "respond", respond)
    for settings, most in ((", concurrency: 3", 3), ("", 24)):
        Crowd.peak = 0
        with inline(4):
            tidings.run(with_model(tmp_path, settings), out=tmp_path / "elsewhere")
        assert Crowd.peak <= most
        assert Crowd.peak == 3 or most > 3
    assert Crowd.peak > 3, "without a cap more would have been inside"


def test_refusals_slow_all_players_and_fail_nobody(tmp_path: Path) -> None:
    calm = tidings.run(with_model(tmp_path), out=tmp_path / "local")
    refusing = ", failures: [{kind: rate_limit, retry_after_s: 0.01, times: 1, step: 1}]"
    with inline(3):
        run = tidings.run(with_model(tmp_path, refusing), out=tmp_path / "elsewhere")
    assert run.status["failed"] == 0
    assert run.status["calls"] > calm.status["calls"]
    assert event_bytes(run.path) == event_bytes(calm.path)


def test_a_call_that_takes_too_long_is_given_up_where_it_is_made(tmp_path: Path) -> None:
    slow = with_model(tmp_path, ", timeout_s: 0.05, retries: 0", count=2)
    slow.write_text(slow.read_text().replace("latency_s: [0.0, 0.004]", "latency_s: 30"))
    with inline(2):
        run = tidings.run(slow, out=tmp_path / "elsewhere")
    assert run.failure_counts() == {"model/timeout: no answer within 0.05 s": 4}


@pytest.mark.parametrize("setting", ["fail_share: 0.2", "crash: true"])
def test_failures_are_the_events_of_a_local_run(tmp_path: Path, setting: str, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path, f'[{{kind: "seats:Drawing", count: 4, {setting}}}]')
    calm = tidings.run(path, out=tmp_path / "local")
    with inline(2):
        run = tidings.run(path, out=tmp_path / "elsewhere")
    assert 0 < run.status["failed"] == calm.status["failed"]
    assert event_bytes(run.path) == event_bytes(calm.path)


def test_a_model_that_breaks_is_the_failure_of_a_local_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    broken = with_model(tmp_path, ", function: 'json:dumps'", count=3)
    calm = tidings.run(broken, out=tmp_path / "local")
    with inline(2):
        run = tidings.run(broken, out=tmp_path / "elsewhere")
    assert run.failure_counts() == calm.failure_counts()
    assert list(run.failure_counts()) == ["agent/TypeError: Object of type ModelRequest is not JSON serializable"]
    assert event_bytes(run.path) == event_bytes(calm.path)


def test_a_script_without_an_answer_ends_the_run_as_it_does_here(tmp_path: Path) -> None:
    wrong = with_model(tmp_path, ", seats: {a0: [A]}")
    with pytest.raises(RequestError, match="no answers for seat 'a1'") as here:
        tidings.run(wrong, out=tmp_path / "local")
    with inline(2), pytest.raises(RequestError) as there:
        tidings.run(wrong, out=tmp_path / "elsewhere")
    assert str(there.value) == str(here.value)


def test_a_person_plays_where_the_command_runs(tmp_path: Path) -> None:
    path = write(tmp_path, "[{kind: human, count: 1}, {kind: scripted, policy: talk, count: 3}]")
    with inline(2), pytest.raises(RequestError, match="a person sits in a seat"):
        tidings.run(path, out=tmp_path / "elsewhere")


def test_failed_rollouts_are_taken_up_again_elsewhere(tmp_path: Path) -> None:
    calm = tidings.run(write(tmp_path, '[{kind: "seats:Drawing", count: 4}]'), out=tmp_path / "local")
    run = tidings.run(write(tmp_path, '[{kind: "seats:Drawing", count: 4, fail_share: 0.1}]'), out=tmp_path / "runs")
    assert run.status["failed"] > 0
    source = run.path / "scenario.yaml"
    source.write_text(source.read_text().replace("fail_share: 0.1", "fail_share: 0.0"))
    with inline(2):
        outcome = play_on(run.path, Progress(), retry_failed=True)
    assert (outcome.n_done, outcome.n_failed) == (12, 0)
    assert event_bytes(run.path) == event_bytes(calm.path)


def test_the_order_of_batches_does_not_matter(tmp_path: Path) -> None:
    """Players of very different speed: the last rollouts come in long before the first."""
    path = write(tmp_path, count=30, more="runner: {batch_size: 3}")
    calm = tidings.run(path, out=tmp_path / "local")
    delays = itertools.cycle([0.0, 0.05, 0.0])

    class Uneven(InlineCluster):
        def start_player(self, job):
            player = super().start_player(job)
            delay, plain = next(delays), player.play

            async def play(batch):
                await asyncio.sleep(delay)
                async for parcel in plain(batch):
                    yield parcel

            player.play = play
            return player

    with inline(cluster=Uneven(3)):
        run = tidings.run(path, out=tmp_path / "elsewhere")
    assert event_bytes(run.path) == event_bytes(calm.path)


@pytest.mark.parametrize("n_cut", [1, 30])
def test_a_truncated_line_is_one_step_that_never_happened(tmp_path: Path, n_cut: int) -> None:
    calm = tidings.run(with_model(tmp_path), out=tmp_path / "local")
    with inline(3):
        run = tidings.run(with_model(tmp_path, more="limits: {calls: 25}"), out=tmp_path / "elsewhere")
        files = [path for path in run.path.rglob("*.jsonl") if "events" in path.parts and path.stat().st_size > n_cut]
        assert len(files) > 1
        for path in files:
            with path.open("r+b") as file:
                file.truncate(path.stat().st_size - n_cut)
        play_on(run.path, Progress(), ["limits.calls=1000"])
    assert event_bytes(run.path) == event_bytes(calm.path)
    assert answered(run.path) == answered(calm.path)
