"""A seat that a person at the terminal holds.

In each turn the person reads what is new and is asked; the first time also the situation. An answer that the spec does
not allow is asked for again, with one line that says why. Parts of a structured answer are asked for one by one.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeVar

from tidings.agents import prompts
from tidings.agents.parsing import read_action, read_choice
from tidings.core import (
    ActionSpec,
    ChoiceSpec,
    EdgesSpec,
    Event,
    NumberSpec,
    Observation,
    Reply,
    ReplyError,
    SeatContext,
    StructuredSpec,
    TextSpec,
)
from tidings.spec.base import Params

__all__ = ["HumanAgent", "HumanParams", "StandardTerminal", "Terminal"]

T = TypeVar("T")


class Terminal(Protocol):
    """Where a person reads and writes."""

    def write(self, text: str) -> None:
        """Shows a text."""
        ...

    def read(self) -> str:
        """Returns the next line without its end; waits for it.

        Raises:
            EOFError: If there will be none.
        """
        ...


class StandardTerminal:
    """The terminal this process runs in: shows on standard error, so that results on standard output stay alone."""

    def write(self, text: str) -> None:
        """Shows a text."""
        sys.stderr.write(text)
        sys.stderr.flush()

    def read(self) -> str:
        """Returns the next line of standard input.

        Raises:
            EOFError: At its end.
        """
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line.rstrip("\r\n")


class HumanParams(Params):
    """Settings of the agent `human`: there are none."""


# One person can read one question at a time, whatever number of seats is due.
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class HumanAgent:
    """Asks the person at the terminal."""

    context: SeatContext
    terminal: Terminal = field(default_factory=StandardTerminal)

    Params: ClassVar[type[Params]] = HumanParams
    is_human: ClassVar[bool] = True

    @classmethod
    def build(cls, params: HumanParams, context: SeatContext) -> HumanAgent:
        """Returns the agent at the terminal of this process."""
        return cls(context)

    async def act(self, observation: Observation, spec: ActionSpec) -> Reply:
        """Returns what the person answers.

        Raises:
            ReplyError: `end_of_input` if nobody is there to answer.
        """
        return Reply(await _in_thread(lambda: self._dialogue(observation, spec)))

    def _dialogue(self, observation: Observation, spec: ActionSpec) -> Any:
        with _one_at_a_time:
            self.terminal.write(self._news(observation))
            try:
                return spec.check(self._ask(spec, ()))
            except EOFError:
                raise ReplyError("end_of_input", f"nobody answered for seat {self.context.seat!r}") from None

    def _news(self, observation: Observation) -> str:
        events, seat = observation.events, self.context.seat
        last = max((event.index for event in events if _is_own_reply(event, seat)), default=None)
        words = [self.context.describe(event) for event in events if last is None or event.index > last]
        lines = [f"\n--- {seat}, step {observation.step} ---"]
        if last is None:
            lines += [self.context.brief] + ([self.context.persona] if self.context.persona else [])
        return "\n".join([*lines, *[f"- {prompts.indent(line)}" for line in words if line]]) + "\n"

    def _ask(self, spec: ActionSpec, path: tuple[str, ...], *, is_optional: bool = False) -> Any:
        """Returns an answer the spec allows, asked for until there is one; None if an optional part is skipped."""
        if isinstance(spec, StructuredSpec):
            if spec.question:
                self.terminal.write(f"{spec.question}\n")
            parts = {
                name: self._ask(part, (*path, name), is_optional=name in spec.optional)
                for name, part in spec.fields.items()
            }
            return {name: value for name, value in parts.items() if value is not None}
        text, labels = _question(spec, path, is_optional)
        self.terminal.write(f"{text}\n> ")
        while True:
            line = self.terminal.read()
            if is_optional and line.strip() == prompts.SKIP:
                return None
            try:
                return _read(line, spec, labels)
            except ReplyError as error:
                self.terminal.write(f"{error.message}; please try again.\n> ")


def _question(spec: ActionSpec, path: tuple[str, ...], is_optional: bool) -> tuple[str, dict[str, str]]:
    """Returns the question in words, and what the labels in it stand for."""
    words = spec.question or f"Your {path[-1] if path else 'answer'}?"
    if isinstance(spec, ChoiceSpec):
        shown = list(zip(prompts.labels_for(spec.options), spec.options, strict=True))
        return prompts.ask_choice(words, shown, is_optional=is_optional), {name: o for name, o in shown if name}
    if isinstance(spec, NumberSpec):
        return prompts.ask_number(words, spec, is_optional=is_optional), {}
    if isinstance(spec, EdgesSpec):
        return prompts.ask_edges(words, is_optional=is_optional), {}
    assert isinstance(spec, TextSpec)
    return prompts.ask_text(words, spec, is_optional=is_optional), {}


def _read(line: str, spec: ActionSpec, labels: dict[str, str]) -> Any:
    if isinstance(spec, ChoiceSpec):
        return read_choice(line, spec, labels)
    if isinstance(spec, TextSpec) and spec.allow_empty and line.strip() == prompts.NOTHING:
        return ""
    return read_action(line, spec)


def _is_own_reply(event: Event, seat: str) -> bool:
    return event.kind == "reply" and event.seat == seat


async def _in_thread(work: Callable[[], T]) -> T:
    """Returns what blocking work returns, done in a thread of its own that dies with the process.

    A pooled thread would keep Ctrl-C waiting until the person presses Enter.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, error: BaseException | None) -> None:
        if result.done():
            return
        if error is not None:
            result.set_exception(error)
        else:
            result.set_result(value)  # pyright: ignore[reportArgumentType]

    def run() -> None:
        value, error = None, None
        try:
            value = work()
        except Exception as problem:
            error = problem
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, value, error)

    threading.Thread(target=run, name="tidings-human", daemon=True).start()
    return await result
