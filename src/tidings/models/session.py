"""The models of one run: one budget, one record, one guard around each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tidings.core import LanguageModel
from tidings.spec.scenario import Scenario

__all__ = ["ModelSession", "Usage", "replaying_session"]


class ModelSession:
    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario

    def wrap(self, name: str, model: LanguageModel, settings: Mapping[str, Any]) -> LanguageModel:
        return model

    def open(self, folder: Path) -> None: ...
    def close(self) -> None: ...
    def usage(self):
        from tidings.runner.progress import Usage

        return Usage()

    def describe(self):
        return {}


def replaying_session(scenario, folder):
    return ModelSession(scenario)
