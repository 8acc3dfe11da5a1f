"""When a row of a batch is done: its own token limit, end mark or stop text, whatever the other rows do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tidings.core import ModelRequest

if TYPE_CHECKING:
    import torch

__all__ = ["RowStops"]


class RowStops:
    """A stopping criterion that ends each row by itself and remembers how long it was then."""

    def __init__(
        self,
        requests: Sequence[ModelRequest],
        end_ids: frozenset[int],
        n_prompt: int,
        decode: Callable[[Sequence[int]], str],
        is_aborted: Callable[[], bool] = lambda: False,
    ) -> None:
        """Takes the limits of each row.

        Args:
            requests: Their token limits and stop texts.
            end_ids: Tokens that end an answer.
            n_prompt: Length of the padded prompts, in tokens.
            decode: Turns tokens into text.
            is_aborted: Whether nobody wants the answers any more.
        """
        self._limits = [request.max_tokens for request in requests]
        self._stops = [request.stop for request in requests]
        self._end_ids, self._n_prompt, self._decode = end_ids, n_prompt, decode
        self._is_aborted = is_aborted
        self._lengths: list[int | None] = [None] * len(requests)

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        """Returns which rows are done, `[n_rows]`, given all tokens so far, `[n_rows, n_tokens]`."""
        import torch

        n_made = input_ids.shape[1] - self._n_prompt
        last = input_ids[:, -1].tolist()
        for row, length in enumerate(self._lengths):
            if length is None and (
                n_made >= self._limits[row] or last[row] in self._end_ids or self._has_stop(row, input_ids)
            ):
                self._lengths[row] = n_made
        is_over = self._is_aborted()
        return torch.tensor([is_over or length is not None for length in self._lengths], device=input_ids.device)

    def length(self, row: int, n_most: int) -> int:
        """Returns how many tokens a row had made when it was done, `n_most` if nothing ended it."""
        length = self._lengths[row]
        return n_most if length is None else length

    def cut(self, row: int, text: str) -> tuple[str, bool]:
        """Returns the text before the row's first stop text, and whether there was one."""
        ends = [end for stop in self._stops[row] if (end := text.find(stop)) >= 0]
        return (text[: min(ends)], True) if ends else (text, False)

    def _has_stop(self, row: int, input_ids: torch.Tensor) -> bool:
        stops = self._stops[row]
        if not stops:
            return False
        # A token of a byte-level vocabulary may be a single byte, four of which can be needed for one character.
        reach = 4 * max(map(len, stops)) + 8
        tail = self._decode(input_ids[row, max(self._n_prompt, input_ids.shape[1] - reach) :].tolist())
        return any(stop in tail for stop in stops)
