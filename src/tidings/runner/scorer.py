"""Who gives log-probabilities: each seat's own model, or one scorer for all. Its calls are kept beside the run's."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from tidings.core import PLANNER, LanguageModel, ScenarioError, suggest
from tidings.models.session import ModelSession
from tidings.runner.folder import RunFolder
from tidings.simulation.compile import Compiled, build_model, compile_scenario, deal_seats
from tidings.spec.graphs import to_social_graph
from tidings.spec.io import read_scenario
from tidings.spec.scenario import Scenario

__all__ = ["Scorers", "write_rows"]


class Scorers:
    """The models that measurements of a run ask: never recorded among the calls of the run, never counted as its own.

    Attributes:
        session: Account and record of the measurements (`rows/calls`), under the caps of the scenario.
    """

    def __init__(self, folder: RunFolder, scorer: str | None = None) -> None:
        """Builds the models; weights are loaded at the first request.

        Args:
            folder: The run.
            scorer: Name of a model of the scenario; each seat's own by default.

        Raises:
            ScenarioError: If the scenario has no such model.
        """
        self._scenario = read_scenario(folder.scenario)
        if scorer is not None and scorer not in self._scenario.models:
            known = list(self._scenario.models)
            allowed = f"allowed: {', '.join(known)}" if known else "the scenario names no model"
            raise ScenarioError("models", f"no model {scorer!r}", allowed, suggest(scorer, known))
        self._names = _model_of_seat(self._scenario, folder) if scorer is None else None
        self._scorer = scorer
        self.session = ModelSession(self._scenario)
        used = {scorer} if scorer is not None else set((self._names or {}).values())
        self._models = {name: self._make(name) for name in sorted(used)}
        self.session.open(folder.path / "rows" / "calls")

    def of(self, seat: str) -> LanguageModel | None:
        """Returns the model that scores this seat; None if the seat has none."""
        name = self._scorer if self._names is None else self._names.get(seat)
        return None if name is None else self._models[name]

    def _make(self, name: str) -> LanguageModel:
        build = partial(build_model, self._scenario, name)
        return self.session.make(name, build, self._scenario.models[name].params)

    def compiled(self) -> Compiled:
        """Returns the scenario with these models in its seats: for questions that are no part of the run."""
        return compile_scenario(self._scenario, lambda name, build, settings: self._models[name])

    async def close(self) -> None:
        """Closes the models and the record."""
        for model in self._models.values():
            await model.close()
        self.session.close()


def _model_of_seat(scenario: Scenario, folder: RunFolder) -> Mapping[str, str]:
    graph = to_social_graph(folder.read_graph())
    names: dict[str, Any] = {seat: group.model for seat, group, *_ in deal_seats(scenario, graph)}
    names[PLANNER] = scenario.planner.model
    return {seat: name for seat, name in names.items() if name is not None}


def write_rows(folder: RunFolder, name: str, rows: pl.DataFrame) -> Path:
    """Writes rows beside the events, whole or not at all, and returns where."""
    path = folder.path / "rows" / f"{name}.parquet"
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_suffix(".tmp")
    rows.write_parquet(temporary)
    temporary.replace(path)
    return path
