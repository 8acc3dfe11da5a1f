"""Influence of messages and inputs: on the listener's action (bits) and on a value (its unit)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

from numpy.typing import ArrayLike

from tidings.theory.coalitions import exact_shapley_game
from tidings.theory.information.entropy import divergence_bits, joint_information_bits
from tidings.theory.information.laws import check_index, check_positive, read_channel, read_law

__all__ = [
    "causal_influence_of_communication",
    "leave_one_out_influence",
    "shapley_values",
    "social_influence",
    "speaker_consistency",
]

_MOST_PLAYERS = 20
"""A table of 2^20 subsets; exact Shapley values need one scoring per subset, so six inputs is a practical limit."""


def speaker_consistency(p_mess_act: ArrayLike) -> float:
    """Returns I(message; the speaker's own action), in bits.

    Says nothing about listening: it may be 1 while the causal influence is 0.

    Args:
        p_mess_act: Joint law `[n_messages, n_actions]`.

    Raises:
        ValueError: No law with two axes.

    Source: Jaques et al., arXiv 1810.08647; Lowe et al., arXiv 1903.05168.
    """
    return joint_information_bits(read_law(p_mess_act, "p_mess_act", 2))


def causal_influence_of_communication(policy: ArrayLike, p_m: ArrayLike) -> float:
    """Returns I(M; A) under p(m) pi(a | do(m)) in one state, in bits: does the listener react to messages?

    Args:
        policy: P(action | do(message)) of the listener `[n_messages, n_actions]`.
        p_m: Law of the messages that are set `[n_messages]`.

    Raises:
        ValueError: No law, or a policy that does not fit it.

    Source: Lowe et al., arXiv 1903.05168.
    """
    messages = read_law(p_m, "p_m", 1)
    return joint_information_bits(messages[:, None] * read_channel(policy, "policy", len(messages)))


def social_influence(policy: ArrayLike, p_m: ArrayLike, m: int) -> float:
    """Returns KL( pi(.|m) || sum_m' p(m') pi(.|m') ), in bits: how far this message moved the listener.

    Its mean over m ~ p is `causal_influence_of_communication`.

    Args:
        policy: P(action | do(message)) of the listener `[n_messages, n_actions]`.
        p_m: Law of the counterfactual messages `[n_messages]`.
        m: Index of the message that was sent.

    Returns:
        +inf if p_m rules out m and only m leads to some action.

    Raises:
        ValueError: No law, a policy that does not fit it, or an unknown message.

    Source: Jaques et al., arXiv 1810.08647.
    """
    messages = read_law(p_m, "p_m", 1)
    rows = read_channel(policy, "policy", len(messages))
    return divergence_bits(rows[check_index(m, len(messages), "m")], messages @ rows)


def leave_one_out_influence(v: Mapping[tuple[int, ...], float], n: int) -> list[float]:
    """Returns v(all) - v(all without i) for each input i, in the unit of v.

    Blind to redundancy: two inputs that say the same both get 0. `shapley_values` is not.

    Args:
        v: Value of each sorted tuple of input indices; all 2^n subsets.
        n: Number of inputs.

    Raises:
        ValueError: A missing subset, or n out of range.

    Undefined: NaN where two infinite values are subtracted.
    """
    everyone = _check_game(v, n)
    return [float(v[everyone] - v[everyone[:i] + everyone[i + 1 :]]) for i in everyone]


def shapley_values(v: Mapping[tuple[int, ...], float], n: int) -> list[float]:
    """Returns the exact Shapley value of each input, in the unit of v; they sum to v(all) - v(none).

    Args:
        v: Value of each sorted tuple of input indices, finite; all 2^n subsets.
        n: Number of inputs.

    Raises:
        ValueError: A missing subset, a value that is not finite, or n out of range.

    Source: Shapley 1953.
    """
    if not _check_game(v, n):
        return []
    return exact_shapley_game(lambda coalition: v[tuple(sorted(coalition))], n).tolist()


def _check_game(v: Mapping[tuple[int, ...], float], n: int) -> tuple[int, ...]:
    if check_positive(n, "n", 0) > _MOST_PLAYERS:
        raise ValueError(f"n: {n!r}; allowed are at most {_MOST_PLAYERS} inputs; group them or sample permutations")
    everyone = tuple(range(n))
    for size in range(n + 1):
        for subset in combinations(everyone, size):
            if subset not in v:
                raise ValueError(
                    f"v: no value for {subset!r}; allowed is a value for each of the {2**n} sorted subsets"
                )
    return everyone
