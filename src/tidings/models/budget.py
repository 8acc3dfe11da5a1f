"""Hard caps on calls, tokens, money and time over a whole run.

Every attempt is reserved before it is made and settled after it. What is in flight counts at its largest: the prompt's
estimate and an answer as long as allowed. A cap therefore holds up to the error of the prompt's estimate (see
`estimate_tokens_in`) for the calls in flight, and the true numbers replace the estimate as soon as they are known.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from tidings.core import LimitError, ModelRequest, RequestError
from tidings.models.prices import Price

__all__ = ["Budget", "Caps", "Reservation", "Usage", "estimate_tokens_in"]

_BYTES_PER_TOKEN = 3
_TOKENS_PER_MESSAGE = 8


def estimate_tokens_in(request: ModelRequest) -> int:
    """Returns how many prompt tokens a request is taken to have before anyone has counted.

    One token for three bytes and eight a message: above what common tokenisers make of English prose and JSON
    (about four bytes a token), but no bound: rare scripts and random text need more.
    """
    n_bytes = sum(len(message.content.encode()) for message in request.messages) + len(request.continuation.encode())
    return math.ceil(n_bytes / _BYTES_PER_TOKEN) + _TOKENS_PER_MESSAGE * len(request.messages)


@dataclass(frozen=True)
class Caps:
    """Most that a run may use; None is no cap.

    Attributes:
        calls: Attempts of model calls.
        tokens: Tokens, prompts and answers together.
        usd: Money, in US dollars.
        seconds: Wall-clock time, in seconds.
    """

    calls: int | None = None
    tokens: int | None = None
    usd: float | None = None
    seconds: float | None = None


@dataclass
class Usage:
    """What the models of a run have used so far.

    Attributes:
        calls: Attempts made, failed ones included.
        cached: Calls answered from the record; they use nothing.
        tokens_in: Prompt tokens.
        tokens_out: Answer tokens.
        usd: Price of the tokens; NaN if a price is not known.
    """

    calls: int = 0
    cached: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float = 0.0

    @property
    def tokens(self) -> int:
        """Tokens in and out."""
        return self.tokens_in + self.tokens_out


@dataclass(frozen=True)
class Reservation:
    """What one attempt may use at most."""

    tokens: int
    usd: float


class Budget:
    """The one account of a run, shared by all its models.

    Attributes:
        caps: The most that may be used.
        used: What has been used and settled.
    """

    def __init__(
        self,
        caps: Caps | None = None,
        used: Usage | None = None,
        elapsed_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Opens the account.

        Args:
            caps: The most that may be used; nothing is capped by default.
            used: What earlier processes of the same run used.
            elapsed_s: Wall-clock time that earlier processes took, in seconds.
            clock: Seconds that only go up.

        Raises:
            RequestError: If money is capped and the price of an earlier call is not known.
        """
        self.caps, self.used = caps or Caps(), used or Usage()
        if self.caps.usd is not None and math.isnan(self.used.usd):
            allowed = "money can only be capped where the price of every call is known"
            raise RequestError(
                "limits.usd", "earlier calls of this run have no known price", allowed, "cap tokens instead"
            )
        self._clock, self._started = clock, clock() - elapsed_s
        self._held_tokens, self._held_usd, self._n_held = 0, 0.0, 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def elapsed_s(self) -> float:
        """Wall-clock time of the run so far, in seconds."""
        return self._clock() - self._started

    def check_price(self, name: str, price: Price) -> None:
        """Refuses a cap on money where a price is not known.

        Raises:
            RequestError: If there is such a cap and the price is not known.
        """
        if self.caps.usd is not None and not price.is_known:
            fix = "set price_in and price_out (US dollars per million tokens)"
            raise RequestError(
                f"models.{name}", "its price is not known", "limits.usd needs the price of every model", fix
            )

    def check_time(self, ahead_s: float = 0.0) -> None:
        """Refuses to begin, or to wait for, what would end after the cap on time.

        Raises:
            LimitError: If the cap on seconds is reached, or would be in `ahead_s` seconds.
        """
        cap = self.caps.seconds
        if cap is not None and (elapsed := self.elapsed_s) + ahead_s >= cap:
            raise LimitError("seconds", cap, elapsed)

    async def reserve(self, tokens: int, usd: float) -> Reservation:
        """Takes one attempt into account before it is made.

        If it would fit but for what is in flight, it waits until enough of that is settled.

        Args:
            tokens: The most it may use.
            usd: The most it may cost; NaN if a price is not known.

        Raises:
            LimitError: If a cap would be exceeded.
        """
        while True:
            self._check_caps(tokens, usd)
            if self._fits(tokens, usd):
                break
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            await future
        self.used.calls += 1
        self._n_held += 1
        self._held_tokens += tokens
        self._held_usd += 0.0 if math.isnan(usd) else usd
        return Reservation(tokens, usd)

    def settle(self, held: Reservation, tokens_in: int, tokens_out: int, usd: float) -> None:
        """Replaces a reservation by what was used; zeros for an attempt that failed."""
        self._n_held -= 1
        self._held_tokens -= held.tokens
        self._held_usd -= 0.0 if math.isnan(held.usd) else held.usd
        self.used.tokens_in += tokens_in
        self.used.tokens_out += tokens_out
        self.used.usd += usd
        if self._n_held == 0:
            self._held_usd = 0.0  # else rounding would stay behind and hold back the last call under a cap for ever
        self._wake()

    def _check_caps(self, tokens: int, usd: float) -> None:
        """Raises if this attempt would exceed a cap even if nothing else were in flight."""
        caps, used = self.caps, self.used
        if caps.calls is not None and used.calls + 1 > caps.calls:
            raise LimitError("calls", caps.calls, used.calls)
        if caps.tokens is not None and used.tokens + tokens > caps.tokens:
            raise LimitError("tokens", caps.tokens, used.tokens)
        if caps.usd is not None and not used.usd + usd <= caps.usd:  # an unknown price (NaN) never fits under a cap
            raise LimitError("usd", caps.usd, used.usd)
        self.check_time()

    def _fits(self, tokens: int, usd: float) -> bool:
        """Returns whether the attempt fits beside what is in flight."""
        caps, used = self.caps, self.used
        if caps.tokens is not None and used.tokens + self._held_tokens + tokens > caps.tokens:
            return False
        return caps.usd is None or used.usd + self._held_usd + usd <= caps.usd

    def _wake(self) -> None:
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
