"""The values a sweep takes: a list, or a range that spells out the values a person would have written."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from tidings.spec.base import Params

__all__ = ["MAX_VALUES", "RangeSpec", "SweepSpec"]

MAX_VALUES = 10_000
"""Most values of one sweep, and most variants of one scenario."""


class RangeSpec(Params):
    """Values from `start` to `stop`, both included: by `step`, or `num` of them."""

    start: float
    """First value."""
    stop: float
    """Last value; with a step that does not reach it, the last value before it."""
    step: float | None = None
    """Difference between neighbours; negative to go down."""
    num: Annotated[int, Field(ge=2, le=MAX_VALUES)] | None = None
    """Number of values."""
    scale: Literal["linear", "log"] = "linear"
    """Equal differences, or equal ratios (needs `num`, and both ends above zero)."""

    @model_validator(mode="after")
    def _check(self) -> RangeSpec:
        if (self.step is None) == (self.num is None):
            raise ValueError("found both step and num or neither; need one of them")
        if self.scale == "log" and (self.num is None or self.start <= 0 or self.stop <= 0):
            raise ValueError("scale: found 'log'; allowed: with num, and with start and stop above zero")
        if self.step is not None and (self.step == 0 or (self.stop - self.start) * self.step < 0):
            raise ValueError(f"step: found {self.step:g}, which never leads from {self.start:g} to {self.stop:g}")
        if self.step is not None and (self.stop - self.start) / self.step >= MAX_VALUES:
            raise ValueError(f"step: found {self.step:g}; allowed: at most {MAX_VALUES:,} values")
        return self

    def values(self) -> tuple[int | float, ...]:
        """Returns the values in order; whole numbers throughout if all of them are whole.

        Sums are made in decimals, so that 0.1 to 0.3 by 0.1 holds 0.3 and not its neighbour.
        """
        values = self._geometric() if self.scale == "log" else self._arithmetic()
        return tuple(int(value) for value in values) if all(value.is_integer() for value in values) else values

    def _arithmetic(self) -> tuple[float, ...]:
        start, stop = Decimal(repr(self.start)), Decimal(repr(self.stop))
        if self.num is not None:
            return tuple(float(start + (stop - start) * i / (self.num - 1)) for i in range(self.num))
        step = Decimal(repr(self.step))
        return tuple(float(start + i * step) for i in range(int((stop - start) / step) + 1))

    def _geometric(self) -> tuple[float, ...]:
        assert self.num is not None
        low, high = math.log(self.start), math.log(self.stop)
        inner = (math.exp(low + (high - low) * i / (self.num - 1)) for i in range(1, self.num - 1))
        # Twelve digits: 100, not 99.99999999999997.
        return (self.start, *(float(f"{value:.12g}") for value in inner), self.stop)


def _distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    seen: set[str] = set()
    for value in values:
        text = json.dumps(value, sort_keys=True)
        if text in seen:
            raise ValueError(f"found {value!r} twice; each value makes a variant of its own")
        seen.add(text)
    return values


SweepValues = (
    RangeSpec | Annotated[tuple[Any, ...], Field(min_length=1, max_length=MAX_VALUES), AfterValidator(_distinct)]
)
SweepSpec = dict[str, SweepValues]
