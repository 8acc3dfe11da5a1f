"""The models of one run: one account, one record, one guard around each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from tidings.core import LanguageModel
from tidings.log.branched_calls import BranchedCalls, Earlier
from tidings.log.calls import CallStore
from tidings.models.budget import Budget, Caps, Usage
from tidings.models.guard import GuardedModel, GuardParams
from tidings.models.recorded import RecordedModel
from tidings.spec.scenario import Scenario

__all__ = ["MakeModel", "ModelSession", "replay_from"]


class MakeModel(Protocol):
    """Builds each model of a scenario with something around it, or puts another in its place."""

    def __call__(self, name: str, build: Callable[[], LanguageModel], settings: Mapping[str, Any]) -> LanguageModel:
        """Returns the model that seats speak to."""
        ...


class ModelSession:
    """Everything the models of a run share.

    Attributes:
        budget: The account of the run.
    """

    def __init__(self, scenario: Scenario, elapsed_s: float = 0.0) -> None:
        """Opens the account with the scenario's caps.

        Args:
            scenario: What is run.
            elapsed_s: Wall-clock time that earlier processes of the same run took, in seconds.
        """
        self._scenario = scenario
        self._guards: dict[str, GuardedModel] = {}
        self._calls: CallStore | None = None
        limits = scenario.limits
        self.budget = Budget(Caps(limits.calls, limits.tokens, limits.usd, limits.seconds), elapsed_s=elapsed_s)

    def make(self, name: str, build: Callable[[], LanguageModel], settings: Mapping[str, Any]) -> LanguageModel:
        """Returns the model with limits, record and account around it."""
        self._guards[name] = GuardedModel(build(), GuardParams.of(settings), self.budget)
        return self._guards[name]

    def open(self, folder: Path, earlier: Sequence[Earlier] = ()) -> None:
        """Opens the record of the run and takes what earlier processes used into the account.

        Args:
            folder: The record.
            earlier: Records of other runs that may hold answers to the same calls.

        Raises:
            DataError: If the record is damaged.
        """
        if not self._guards:
            return
        self._calls = BranchedCalls(folder, earlier) if earlier else CallStore(folder)
        used = self.budget.used
        for record in self._calls.records():
            used.calls += record.attempts
            used.tokens_in += record.tokens_in
            used.tokens_out += record.tokens_out
            used.usd += record.cost_usd
        for guard in self._guards.values():
            guard.calls = self._calls

    def close(self) -> None:
        """Closes the record."""
        if self._calls is not None:
            self._calls.close()

    def usage(self) -> Usage:
        """Returns what has been used so far."""
        return self.budget.used

    def describe(self) -> dict[str, dict[str, Any]]:
        """Returns the id of each model and the kinds of request it answers, for the manifest and for replays."""
        return {name: {"id": guard.name, "kinds": sorted(guard.kinds)} for name, guard in self._guards.items()}

    @property
    def guards(self) -> Mapping[str, GuardedModel]:
        """Name in the scenario -> the guard around the model."""
        return self._guards

    def guard(self, name: str) -> GuardedModel:
        """Returns the guard around a model of the scenario."""
        return self._guards[name]


def replay_from(folder: Path, described: Mapping[str, Mapping[str, Any]]) -> MakeModel:
    """Returns a maker of models that answer every call from a run's record; no model is built.

    Args:
        folder: The record of the run.
        described: What `ModelSession.describe` said when the run began.
    """
    calls = CallStore(folder)

    def make(name: str, build: Callable[[], LanguageModel], settings: Mapping[str, Any]) -> LanguageModel:
        known = described[name]
        return RecordedModel(calls, known["id"], frozenset(known["kinds"]), GuardParams.of(settings))

    return make
