"""What a fork came to: each outcome with and without the intervention, sample by sample, beside the noise floor."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from tidings.analysis.paired import provenance_by_rollout
from tidings.analysis.run import Run, load_run
from tidings.core import DataError
from tidings.log.gaps import names_gaps
from tidings.metrics.result import mean_result
from tidings.runner.fork import ARMS

__all__ = ["fork_effects"]

_EFFECTS = {
    "outcome": pl.String,
    "control": pl.Float64,
    "changed": pl.Float64,
    "effect": pl.Float64,
    "se": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "noise_floor": pl.Float64,
    "n": pl.Int64,
    "reason": pl.String,
}

REPLIES = "replies_changed"
"""Outcome of any environment: share of the replies after the fork that differ from those of the control."""


@names_gaps
def fork_effects(folder: Path | str) -> pl.DataFrame:
    """Returns one row for each outcome of a fork.

    Outcomes are the numeric figures of the rollouts, the figures of exact provenance (t0) that the scenario names under
    `metrics`, and `replies_changed`. `effect` is the mean over samples of
    changed minus control, with its standard error and 95 % t interval; `noise_floor` is the mean absolute difference
    between two arms in which nothing was changed (same seeds, calls made anew): an effect within it says nothing.
    Samples that failed in any arm are left out of all; `n` says how many are left, `reason` how many are not, or why
    there is no value.

    Args:
        folder: The folder of the fork, with its arms.

    Raises:
        DataError: If it holds no fork.
    """
    runs = {arm: load_run(Path(folder) / arm) for arm in ARMS if (Path(folder) / arm / "scenario.yaml").is_file()}
    if set(runs) != set(ARMS) or any("fork" not in run.manifest for run in runs.values()):
        raise DataError(str(folder), "no whole fork", "a folder that `tidings fork` made, with control, floor, changed")
    n_asked = int(runs["control"].manifest["rollouts"])
    values = {arm: _outcomes(run) for arm, run in runs.items()}
    values["floor"][REPLIES] = _replies_changed(runs["floor"], runs["control"])
    values["changed"][REPLIES] = _replies_changed(runs["changed"], runs["control"])
    values["control"][REPLIES] = dict.fromkeys(_replies(runs["control"]), 0.0)
    names = dict.fromkeys(name for arm in ARMS for name in values[arm])
    rows = [_effect(name, {arm: values[arm].get(name, {}) for arm in ARMS}, n_asked) for name in names]
    return pl.DataFrame(rows, schema=_EFFECTS)


def _effect(name: str, by_arm: Mapping[str, Mapping[int, float]], n_asked: int) -> dict[str, object]:
    both = sorted(set.intersection(*(set(values) for values in by_arm.values())))
    left_out = n_asked - len(both)
    reason = f"{left_out} of {n_asked} samples have no value in some arm and are left out" if left_out else ""
    if not both:
        return {"outcome": name, "n": 0, "reason": reason or "no sample"}
    control, floor, changed = ([by_arm[arm][k] for k in both] for arm in ARMS)
    effect = mean_result(name, [b - a for a, b in zip(control, changed, strict=True)], "")
    return {
        "outcome": name,
        "control": math.fsum(control) / len(both),
        "changed": math.fsum(changed) / len(both),
        "effect": effect.value,
        "se": effect.se,
        "low": effect.low,
        "high": effect.high,
        "noise_floor": math.fsum(abs(b - a) for a, b in zip(control, floor, strict=True)) / len(both),
        "n": len(both),
        "reason": reason,
    }


def _outcomes(run: Run) -> dict[str, dict[int, float]]:
    """Returns outcome -> sample -> value, for the figures of provenance asked for and the numeric ones of a sample."""
    rows = run.rollouts()
    numeric = [name for name, kind in rows.schema.items() if kind.is_numeric() or kind == pl.Boolean]
    return provenance_by_rollout(run) | {
        name: {
            int(row["rollout"]): float(row[name])
            for row in rows.iter_rows(named=True)
            if row[name] is not None and math.isfinite(row[name])
        }
        for name in numeric
        if name != "rollout"
    }


def _replies(run: Run) -> dict[int, dict[tuple[int, str], str]]:
    """Returns sample -> (step, seat) -> reply after the fork, of the samples that ended well."""
    after = int(run.manifest["fork"]["step"])
    found: dict[int, dict[tuple[int, str], str]] = {}
    for sample, lines in run.ended():
        replies = ((e.step, str(e.seat), json.dumps(e.data)) for e in lines if e.kind == "reply" and e.step > after)
        found[sample] = {(step, seat): reply for step, seat, reply in replies}
    return found


def _replies_changed(run: Run, control: Run) -> dict[int, float]:
    return dict(_shares(_replies(run), _replies(control)))


def _shares(
    ours: Mapping[int, Mapping[tuple[int, str], str]], theirs: Mapping[int, Mapping[tuple[int, str], str]]
) -> Iterator[tuple[int, float]]:
    for sample in sorted(set(ours) & set(theirs)):
        turns = set(ours[sample]) | set(theirs[sample])
        if turns:
            yield sample, sum(ours[sample].get(turn) != theirs[sample].get(turn) for turn in turns) / len(turns)
