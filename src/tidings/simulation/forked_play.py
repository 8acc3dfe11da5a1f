"""A rollout that was played before, up to a point, and is played on from there under an intervention."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tidings.core import Environment, Event, Observation, SeedPath
from tidings.simulation.play import Play

__all__ = ["ForkedPlay"]


class ForkedPlay(Play):
    """A sample of a forked rollout.

    Up to the fork every seat does what it did, whatever it is shown; from there on it is asked again. The draws of the
    environment stay those of the parent in all samples. The draws of the seats stay so in sample 0; in the others they
    come from `<rollout> / "fork" / sample`, the same for every intervention, so that samples are paired.

    Attributes:
        sample: Number of the sample; a run of forks logs it as its rollout.
    """

    def __init__(
        self,
        environment: Environment,
        seed: SeedPath,
        rollout: int,
        sample: int = 0,
        edit: Callable[[Event], Event] | None = None,
    ) -> None:
        """Prepares the sample.

        Args:
            environment: The rules.
            seed: Seed path of the parent's rollout.
            rollout: Number of the parent's rollout.
            sample: Number of the sample.
            edit: What the interventions make of each event (`tidings.simulation.interventions.edit_events`).
        """
        super().__init__(environment, seed, rollout, edit)
        self.sample = sample
        self._is_free = False
        self._sample_seed = seed.child("fork", sample, "seat") if sample else self._act_seed

    def follow(self, events: Sequence[Event]) -> list[list[Event]]:
        """Goes through the parent's steps up to the fork; the seats decide for themselves from there on."""
        done = super().follow(events)
        self._is_free = True
        return done

    def observe(self, seat: str) -> Observation:
        """Returns what `seat` may see now, for calls of this sample."""
        seen = super().observe(seat)
        seen.rollout = self.sample
        if self._is_free:
            seen.seed = self._sample_seed.child(seat, self.step)
        return seen
