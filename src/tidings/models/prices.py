"""What a call costs. Prices come from the scenario; none are built in, because a stale price is a wrong number."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["FREE_PROVIDERS", "UNKNOWN", "Price", "price_of"]

FREE_PROVIDERS = frozenset({"scripted", "transformers", "recorded"})
"""Providers that charge nothing for a token."""


@dataclass(frozen=True)
class Price:
    """Price of tokens.

    Attributes:
        usd_per_million_in: For a million prompt tokens, in US dollars; NaN if it is not known.
        usd_per_million_out: For a million answer tokens, in US dollars; NaN if it is not known.
    """

    usd_per_million_in: float
    usd_per_million_out: float

    @property
    def is_known(self) -> bool:
        """Whether both prices are known."""
        return not (math.isnan(self.usd_per_million_in) or math.isnan(self.usd_per_million_out))

    def cost_usd(self, tokens_in: int, tokens_out: int) -> float:
        """Returns the price of one call in US dollars.

        Undefined: NaN if a price is not known.
        """
        return (tokens_in * self.usd_per_million_in + tokens_out * self.usd_per_million_out) / 1e6


UNKNOWN = Price(math.nan, math.nan)


def price_of(model_name: str, price_in: float | None, price_out: float | None) -> Price:
    """Returns the price of a model's tokens.

    Args:
        model_name: Id with provider, for example `openai/my-model`.
        price_in: What the scenario says of a million prompt tokens, in US dollars.
        price_out: What it says of a million answer tokens.

    Returns:
        The scenario's prices; 0 for providers that charge nothing; `UNKNOWN` otherwise.
    """
    if price_in is not None and price_out is not None:
        return Price(price_in, price_out)
    if price_in is None and price_out is None and model_name.partition("/")[0] in FREE_PROVIDERS:
        return Price(0.0, 0.0)
    return UNKNOWN
