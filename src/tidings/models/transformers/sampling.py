"""Drawing tokens so that a row's text depends on its own seed only, never on the rows beside it.

A row draws by the Gumbel-max rule: the token with the largest `logit / temperature + g`, where `g = -log(E)` is noise
of its own, a pure function of (seed, position, token), has exactly the softmax probability. So the library may decode
greedily, and the same request gives the same text in any batch, up to the numerics of the logits.

Source: Gumbel 1954; Maddison, Tarlow, Minka 2014, "A* sampling", section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tidings.core.seeds import GOLDEN, MASK, SeedPath

if TYPE_CHECKING:
    import torch

__all__ = ["RowSampler", "keep_nucleus", "token_uniforms"]

_TOP = 1024
"""Tokens that are sorted before the whole vocabulary is: nearly always enough for a nucleus, and 20 times as quick."""


@lru_cache(maxsize=2)
def _offsets(n_tokens: int) -> NDArray[np.uint64]:
    return (np.arange(1, n_tokens + 1, dtype=np.uint64) * np.uint64(GOLDEN)) & np.uint64(MASK)


def token_uniforms(seed: int, position: int, n_tokens: int) -> NDArray[np.float32]:
    """Returns one uniform draw in (0, 1) for each token, `[n_tokens]`: the SplitMix64 stream of this seed and position.

    Relative precision is kept near 0, where the largest Gumbel noise comes from.
    """
    z = _offsets(n_tokens) + np.uint64(SeedPath(seed).child("token", position).key)
    z ^= z >> np.uint64(30)
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    z >>= np.uint64(11)
    return np.minimum(z.astype(np.float32) * np.float32(2.0**-53) + np.float32(2.0**-54), np.float32(1 - 2.0**-24))


def keep_nucleus(logits: torch.Tensor, top_p: torch.Tensor) -> torch.Tensor:
    """Returns the logits with all tokens outside each row's nucleus at minus infinity.

    The nucleus is the smallest set of most probable tokens whose probability reaches `top_p`; tokens as probable as its
    last one are kept too.

    Args:
        logits: `[n_rows, n_tokens]`, temperature already applied.
        top_p: `[n_rows]`, in (0, 1].
    """
    probabilities = logits.softmax(-1)
    n_top = min(_TOP, logits.shape[-1])
    top = probabilities.topk(n_top).values
    if n_top < logits.shape[-1] and bool((top.sum(-1) < top_p).any()):
        top = probabilities.sort(-1, descending=True).values
    n_kept = (top.cumsum(-1) - top < top_p[:, None]).sum(-1).clamp(min=1)
    least = top.gather(-1, n_kept[:, None] - 1)
    return logits.masked_fill((probabilities < least) & (top_p[:, None] < 1), float("-inf"))


class RowSampler:
    """A logits processor after which the largest score of each row is that row's own draw."""

    def __init__(
        self, seeds: Sequence[int], temperatures: Sequence[float], top_ps: Sequence[float], n_prompt: int
    ) -> None:
        """Takes the settings of each row.

        Args:
            seeds: Seed of each row.
            temperatures: Temperature of each row; 0 is greedy.
            top_ps: Nucleus mass of each row.
            n_prompt: Length of the padded prompts, in tokens.
        """
        self._rows = [row for row, temperature in enumerate(temperatures) if temperature > 0]
        self._seeds = [seeds[row] for row in self._rows]
        self._temperatures = [temperatures[row] for row in self._rows]
        self._top_ps = [top_ps[row] for row in self._rows]
        self._n_prompt = n_prompt

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Returns the scores `[n_rows, n_tokens]` with temperature, nucleus and noise of each row that draws."""
        if not self._rows:
            return scores
        import torch

        position, (_, n_tokens) = input_ids.shape[1] - self._n_prompt, scores.shape
        uniforms = np.stack([token_uniforms(seed, position, n_tokens) for seed in self._seeds])
        gumbels = -torch.log(-torch.log1p(-torch.from_numpy(uniforms)))
        logits = scores[self._rows] / torch.tensor(self._temperatures, device=scores.device)[:, None]
        if min(self._top_ps) < 1:
            logits = keep_nucleus(logits, torch.tensor(self._top_ps, device=scores.device))
        scores[self._rows] = logits + gumbels.to(scores.device)
        return scores
