"""Exact information flow between two coupled chains X and Y in their stationary state, in bits.

A `kernel[x][y][x1][y1]` is P(X_t+1 = x1, Y_t+1 = y1 | X_t = x, Y_t = y); `src` says which of the two is the source S,
the other one is the target T. Any two finite alphabets will do. Only the needed marginals are ever stored.

Undefined: NaN wherever the kernel has more than one stationary law, that is several closed classes of states.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tidings.theory.information.chains import stationary_law
from tidings.theory.information.entropy import conditional_information_bits, entropy_bits, joint_information_bits
from tidings.theory.information.laws import check_law, check_positive, read_numbers

__all__ = ["directed_information", "time_delayed_mutual_information_exact", "transfer_entropy_exact"]

_MOST_CELLS = 2**26
"""Largest table of histories that is built; 2^26 cells are half a gibibyte."""


def transfer_entropy_exact(kernel: ArrayLike, src: str, k: int, l: int) -> float:  # noqa: E741
    """Returns the transfer entropy I(T_t+1; S_t..S_t-l+1 | T_t..T_t-k+1), in bits.

    Args:
        kernel: Transition law `[n_x, n_y, n_x, n_y]`.
        src: 'x' if X is the source and Y the target, 'y' for the reverse.
        k: Length of the target's history; 0 does not condition on it.
        l: Length of the source's history, at least 1.

    Raises:
        ValueError: No kernel, no such source, a history length out of range or too long for the memory.

    Undefined: NaN if the stationary law is not unique.
    Source: Schreiber 2000, equation 4.
    """
    steps = _read_kernel(kernel, src)
    k, l = check_positive(k, "k", 0), check_positive(l, "l")  # noqa: E741
    start = _stationary_pair(steps)
    if start is None:
        return math.nan
    n_source, n_target = (max(size, 2) for size in start.shape)
    _check_cells(n_target ** (k + 1) * n_source**l * n_source, "k, l")
    law, source, target = _history_law(steps, start, k, l)
    return conditional_information_bits(law, [law.ndim - 1], source, target)


def time_delayed_mutual_information_exact(kernel: ArrayLike, src: str, lag: int) -> float:
    """Returns the time-delayed mutual information I(S_t; T_t+lag), in bits.

    Blind to what needs both past values (XOR), and the target's own memory leaks in: no measure of transfer.

    Args:
        kernel: Transition law `[n_x, n_y, n_x, n_y]`.
        src: 'x' if X is the source and Y the target, 'y' for the reverse.
        lag: Steps between the two, at least 1.

    Raises:
        ValueError: No kernel, no such source, or a lag below 1.

    Undefined: NaN if the stationary law is not unique.
    """
    steps = _read_kernel(kernel, src)
    lag = check_positive(lag, "lag")
    start = _stationary_pair(steps)
    if start is None:
        return math.nan
    size = start.size
    ahead = np.linalg.matrix_power(steps.reshape(size, size), lag).reshape(steps.shape)
    return joint_information_bits(np.einsum("xy,xyab->xb", start, ahead))


def directed_information(kernel: ArrayLike, n: int, src: str = "x") -> float:
    """Returns the directed information sum_t I(S^t; T_t | T^t-1) over t = 0..n-1, in bits.

    S^t = S_0..S_t holds the present S_t, unlike transfer entropy. Given the last pair, the next one is independent of
    all before, so the sum is H(T^n) - H(T_0 | S_0) - (n-1) H(T_1 | S_1, S_0, T_0); only the paths of the target are
    enumerated.

    Args:
        kernel: Transition law `[n_x, n_y, n_x, n_y]`.
        n: Number of time points, at least 1; the first has the stationary law.
        src: 'x' if X is the source and Y the target, 'y' for the reverse.

    Raises:
        ValueError: No kernel, no such source, or n below 1 or too large for the memory.

    Undefined: NaN if the stationary law is not unique.
    Source: Massey 1990.
    """
    steps = _read_kernel(kernel, src)
    n = check_positive(n, "n")
    start = _stationary_pair(steps)
    if start is None:
        return math.nan
    _check_cells(start.shape[1] ** n * start.shape[0], "n")
    first = entropy_bits(start) - entropy_bits(start.sum(axis=1))
    pair = start[:, :, None, None] * steps
    later = entropy_bits(pair) - entropy_bits(pair.sum(axis=3))
    return _target_path_entropy(steps, start, n) - first - (n - 1) * later


def _read_kernel(kernel: ArrayLike, src: str) -> NDArray[np.float64]:
    """Returns the kernel with the source as its first variable."""
    if src not in ("x", "y"):
        raise ValueError(f"src: {src!r}; allowed are 'x' and 'y'")
    steps = read_numbers(kernel, "kernel", 4)
    if steps.shape[:2] != steps.shape[2:] or not steps.size:
        raise ValueError(f"kernel: shape {steps.shape!r}; allowed is (n_x, n_y, n_x, n_y)")
    for index in np.ndindex(*steps.shape[:2]):
        check_law(steps[index], "kernel" + "".join(f"[{i}]" for i in index))
    return steps if src == "x" else steps.transpose(1, 0, 3, 2)


def _stationary_pair(steps: NDArray[np.float64]) -> NDArray[np.float64] | None:
    size = steps.shape[0] * steps.shape[1]
    law = stationary_law(steps.reshape(size, size))
    return None if law is None else law.reshape(steps.shape[:2])


def _check_cells(n_cells: int, where: str) -> None:
    if n_cells > _MOST_CELLS:
        raise ValueError(f"{where}: a table of {n_cells!r} histories; allowed are {_MOST_CELLS}; shorten the history")


def _history_law(
    steps: NDArray[np.float64],
    start: NDArray[np.float64],
    k: int,
    l: int,  # noqa: E741
) -> tuple[NDArray[np.float64], list[int], list[int]]:
    """Returns the law of both histories and the next target (last axis), and the axes of source and target history.

    Values that no history holds are summed out as soon as the next step is drawn.
    """
    n_past, law = max(k, l), start
    source: list[int] = []
    target: list[int] = []
    for time in range(n_past):
        n_kept = law.ndim - 2
        law = law[..., None, None] * steps
        if time < n_past - k:
            law = law.sum(axis=n_kept + 1)
        else:
            target.append(n_kept + 1)
        if time < n_past - l:
            law = law.sum(axis=n_kept)
            target = [axis - 1 if axis == n_kept + 1 else axis for axis in target]
        else:
            source.append(n_kept)
    return law.sum(axis=law.ndim - 2), source, target


def _target_path_entropy(steps: NDArray[np.float64], start: NDArray[np.float64], n: int) -> float:
    """Returns H(T_0..T_n-1) from the joint law of the target's path and the source's present value."""
    forward = start.T[None, :, :]
    for _ in range(n - 1):
        forward = np.einsum("hyx,xyab->hyba", forward, steps)
        forward = forward.reshape(-1, *forward.shape[2:])
    return entropy_bits(forward.sum(axis=2))
