"""The calls of a run that branched off another: what the other was asked in the same words is answered from there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tidings.core import ModelRequest, ModelResponse
from tidings.log.calls import CallStore

__all__ = ["BranchedCalls", "Earlier"]

Earlier = tuple[CallStore, Callable[[ModelRequest], ModelRequest]]
"""A record to look into, and the request as it would stand there."""


class BranchedCalls(CallStore):
    """A call store that looks into earlier ones, and takes over what it finds there.

    A call that was taken over has 0 attempts and costs nothing; the earlier stores are never written to.
    """

    def __init__(self, folder: Path | str, earlier: Sequence[Earlier] = ()) -> None:
        """Opens the store.

        Args:
            folder: Its own folder.
            earlier: Where else to look, in this order.
        """
        super().__init__(folder)
        self._earlier = tuple(earlier)

    def lookup(self, request: ModelRequest, model: str) -> ModelResponse | None:
        """Returns the recorded answer to this very call, its own or an earlier one."""
        own = super().lookup(request, model)
        if own is not None:
            return own
        for store, as_there in self._earlier:
            known = store.find(as_there(request), model)
            if known is not None and known.response is not None:
                tokens = known.tokens_in, known.tokens_out
                self.record(request, model, known.response, tokens=tokens, cost_usd=0.0, attempts=0)
                return known.response
        return None
