"""What a planner pays for moving the precision of a private signal away from the free one."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidings.theory.steering.arguments import check_number

CostShape = Callable[[Any], Any]
"""A cost of weight one: deviation in [0, 1/2] -> cost, for a float or (better) elementwise for an array."""


def _linear(deviation: Any) -> Any:
    return deviation


def _quadratic(deviation: Any) -> Any:
    return deviation * deviation


COST_KINDS: dict[str, CostShape] = {"linear": _linear, "quadratic": _quadratic, "sqrt": np.sqrt}
"""The named cost shapes: d, d^2 and the square root of d."""

_CONVEX_KINDS = frozenset({"quadratic"})
# A precision computed from odds misses the free one by rounding; the square root would turn 1e-16 into 1e-8.
_ROUNDING = 1e-14
_CHECK_POINTS = 2001
_TABLE = np.linspace(0.0, 1.0, 100_001)
_GOLDEN = (5.0**0.5 - 1.0) / 2.0
_GOLDEN_STEPS = 45
_HALVINGS = 60


@dataclass(frozen=True)
class PrecisionCost:
    """The cost beta(d) = weight * shape(d) of a deviation d = |q - p| from the free precision p.

    Attributes:
        kind: 'linear', 'quadratic', 'sqrt', or the name of the user's function.
        weight: multiplier k >= 0 (cost units).
        shape: the cost of weight one.
        is_concave: whether shape is concave on [0, 1/2]; then a planner's best precision sits at a kink.
    """

    kind: str
    weight: float
    shape: CostShape
    is_concave: bool

    @property
    def is_linear(self) -> bool:
        """Whether beta is known to be k d."""
        return self.kind == "linear" or self.weight == 0.0

    def __call__(self, deviation: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return beta of each deviation, any shape; deviations below 1e-14 count as zero."""
        d = np.where(np.abs(deviation) < _ROUNDING, 0.0, np.abs(deviation))
        if self.weight == 0.0:
            return np.zeros_like(d)
        return self.weight * self.shape(d)

    def of(self, deviation: float) -> float:
        """Return beta of one deviation."""
        d = abs(deviation)
        return 0.0 if self.weight == 0.0 or d < _ROUNDING else self.weight * float(self.shape(d))

    def reach(self, limit: float, left: float) -> float:
        """Return the largest deviation up to `limit` that costs at most `left`, by bisection to 2^-60 of the limit."""
        if self.of(limit) <= left:
            return limit
        low, high = 0.0, limit
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.of(middle) <= left else (low, middle)
        return low

    def affordable(self, free: float, least: float, left: float) -> tuple[float, float]:
        """Return the lowest precision from `least` on, and the highest up to 1, whose cost is at most `left`."""
        return free - self.reach(max(free - least, 0.0), left), free + self.reach(1.0 - free, left)

    def best_precisions(
        self, p: float, slope: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return where slope * q - beta(|q-p|) is largest in [low, high], [n] each; p is not inside any interval.

        Exact for the quadratic cost, by golden section for a user's, where it should be convex in the interval.
        """
        if self.kind == "quadratic" and self.weight > 0.0:
            return np.clip(p + slope / (2.0 * self.weight), low, high)
        for _ in range(_GOLDEN_STEPS):
            x1, x2 = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
            is_left = slope * x1 - self(x1 - p) >= slope * x2 - self(x2 - p)
            low, high = np.where(is_left, low, x1), np.where(is_left, x2, high)
        return 0.5 * (low + high)


@dataclass(frozen=True, eq=False)
class TabulatedShape:
    """A cost of weight one, interpolated in the square root of the deviation, in which a square root is straight.

    Attributes:
        costs: the cost at deviations t^2/2, t from 0 to 1 in steps of 1e-5, [100001].
    """

    costs: NDArray[np.float64]

    def __call__(self, deviation: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the cost of each deviation in [0, 1/2], any shape."""
        return np.interp(np.sqrt(2.0 * deviation), _TABLE, self.costs)


def make_cost(cost_kind: str | CostShape, cost_weight: float, where: str = "make_cost") -> PrecisionCost:
    """Return the checked precision cost of the given kind and weight.

    Args:
        cost_kind: 'linear', 'quadratic', 'sqrt', or a function of the deviation d in [0, 1/2] (a float, or an array
            elementwise) that is continuous, 0 at 0, non-negative and non-decreasing. A function of floats only is
            tabulated at 100,001 deviations and interpolated between them.
        cost_weight: finite multiplier k >= 0.
        where: name of the calling function, for the error message.

    Raises:
        ValueError: unknown kind, a weight that is negative or not a finite number, or a function that is not 0 at 0,
            negative, decreasing or not finite on a grid of 2001 deviations.
    """
    weight = check_number(where, "cost_weight", cost_weight, "a finite number >= 0", lambda k: k >= 0)
    if callable(cost_kind):
        return _make_user_cost(cost_kind, weight, where)
    if cost_kind not in COST_KINDS:
        allowed = ", ".join(repr(kind) for kind in COST_KINDS)
        raise ValueError(f"{where}: cost_kind={cost_kind!r}; allowed are {allowed} or a function of the deviation")
    return PrecisionCost(cost_kind, weight, COST_KINDS[cost_kind], weight == 0.0 or cost_kind not in _CONVEX_KINDS)


def load_shape(name: str, where: str = "load_shape") -> str | CostShape:
    """Return the shape that a scenario names: a kind as it is, or the function behind `package.module:function`.

    Raises:
        ValueError: there is no such function.
    """
    module, _, function = name.partition(":")
    if not function:
        return name
    try:
        return getattr(import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"{where}: cannot load {name!r} ({error}); need package.module:function") from None


def _make_user_cost(shape: CostShape, weight: float, where: str) -> PrecisionCost:
    name = getattr(shape, "__name__", type(shape).__name__)
    deviations = np.linspace(0.0, 0.5, _CHECK_POINTS)
    costs = _apply_each(shape, deviations)
    if not np.all(np.isfinite(costs)) or abs(costs[0]) > _ROUNDING or np.any(np.diff(costs) < -1e-12):
        raise ValueError(
            f"{where}: cost_kind={name!r} gives {costs[0]} at 0 and from {costs.min()} to {costs.max()} on "
            "[0, 1/2]; allowed is a finite, non-decreasing function that is 0 at 0; change the function"
        )
    is_concave = bool(np.all(np.diff(costs, 2) <= 1e-12 * max(1.0, float(costs[-1]))))
    if not _is_vectorised(shape, deviations, costs):
        shape = TabulatedShape(_apply_each(shape, 0.5 * _TABLE * _TABLE))
    return PrecisionCost(name, weight, shape, is_concave or weight == 0.0)


def _is_vectorised(shape: CostShape, deviations: NDArray[np.float64], costs: NDArray[np.float64]) -> bool:
    try:
        result = np.asarray(shape(deviations), dtype=float)
    except (TypeError, ValueError):
        return False
    return result.shape == costs.shape and bool(np.allclose(result, costs, rtol=1e-12, atol=1e-14))


def _apply_each(shape: CostShape, deviations: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([float(shape(d)) for d in deviations.tolist()])
