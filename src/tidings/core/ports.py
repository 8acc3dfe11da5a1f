"""The ports: what an environment, an agent and a language model must offer. Nothing here does anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

from tidings.core.actions import ActionSpec
from tidings.core.calls import ModelRequest, ModelResponse, RequestKind
from tidings.core.events import Event
from tidings.core.graph import SocialGraph
from tidings.core.memory import Archive, Memory
from tidings.core.observation import Observation
from tidings.core.seeds import SeedPath

__all__ = [
    "Agent",
    "Embedder",
    "Environment",
    "LanguageModel",
    "Reply",
    "SeatContext",
    "StatesPolicy",
    "Transition",
    "Turn",
    "World",
]


class Turn(NamedTuple):
    """The environment asks one seat for one action."""

    seat: str
    spec: ActionSpec


class Reply(NamedTuple):
    """A seat's answer.

    Attributes:
        action: The answer, as its action spec wants it (JSON values).
        thoughts: What the seat wants to know again later or to show the analyst: JSON objects; each becomes an event
            only this seat may see. An agent has no other memory of its own.
        failure: Set by the loop, never by an agent, when the seat failed and the scenario says to go on without it:
            `boundary/kind`. The action is None then.
    """

    action: Any
    thoughts: tuple[dict[str, Any], ...] = ()
    failure: str | None = None


class Transition(NamedTuple):
    """What a step of an environment gives: the new state and what happened, in order."""

    state: Any
    events: tuple[Event, ...]


@runtime_checkable
class Environment(Protocol):
    """The rules of one kind of situation: a frozen value without model, network, clock or file.

    Sequential and simultaneous play are the same: `turns` names one seat, or many; many are played concurrently.
    """

    @property
    def seats(self) -> tuple[str, ...]:
        """All seats that may be asked, the planner included if it has turns."""
        ...

    def initial(self, seed: SeedPath, rollout: int) -> Transition:
        """Returns the opening state and events.

        Args:
            seed: Where all draws come from; kept in the state for the later ones.
            rollout: Its number, for environments that play a list of items in turn: item `rollout % n_items`.
        """
        ...

    def turns(self, state: Any) -> tuple[Turn, ...]:
        """Returns the turns now due, at most one a seat; empty when the rollout is over."""
        ...

    def apply(self, state: Any, replies: Mapping[str, Reply]) -> Transition:
        """Returns what follows from the replies to all turns that were due. A seat that failed has `failure` set."""
        ...

    def brief(self, seat: str) -> str:
        """Returns the situation in words for this seat: the rules, never a private fact of somebody else."""
        ...

    def describe(self, event: Event, seat: str) -> str:
        """Returns one line of words for an event this seat may see; empty to leave it out of a transcript."""
        ...


class Agent(Protocol):
    """A seat that decides. It holds no state between turns but what is in its observation."""

    async def act(self, observation: Observation, spec: ActionSpec) -> Reply:
        """Returns an action the spec allows.

        Raises:
            SeatError: If it cannot; the loop records the failure. Never a default action.
        """
        ...


@runtime_checkable
class StatesPolicy(Protocol):
    """What an agent may offer whose behaviour is a known law: its messages then have exact probabilities."""

    def policy(self, observation: Observation, spec: ActionSpec) -> Sequence[tuple[Reply, float]]:
        """Returns every reply that `act` could give, with its probability over the seat's own draws."""
        ...


class LanguageModel(Protocol):
    """A language model behind one port."""

    @property
    def name(self) -> str:
        """Id with provider, for example `transformers/smollm2`."""
        ...

    @property
    def kinds(self) -> frozenset[RequestKind]:
        """The request kinds this model can answer."""
        ...

    async def respond(self, request: ModelRequest) -> ModelResponse:
        """Returns the answer.

        Raises:
            ModelError: If the call failed for good.
            LimitError: If a cap of the run is reached.
        """
        ...

    async def close(self) -> None:
        """Frees what the model holds."""
        ...


@runtime_checkable
class Embedder(Protocol):
    """Turns texts into vectors of length 1, so that a product of two is their cosine."""

    @property
    def name(self) -> str:
        """Id with its settings, for example `hashing-256`. An index remembers it and refuses another."""
        ...

    @property
    def dim(self) -> int:
        """Length of the vectors."""
        ...

    async def embed(self, texts: Sequence[str]) -> Any:
        """Returns one vector per text, float32 `[n_texts, dim]`, each of length 1.

        The vector of a text must not depend on the other texts of the call: they may belong to other seats.

        Raises:
            RequestError: If a text is blank.
            ModelError: If a call failed for good.
        """
        ...


@dataclass(frozen=True)
class World:
    """What an environment is built on.

    Attributes:
        graph: Who can hear whom.
        has_planner: Whether somebody sits in the planner's seat.
        planner: Declared settings of the planner's seat (objective, cost, budget, what it sees), JSON values.
        items: Tasks or questions (`environment.items`); rollout r plays item r modulo their number.
        archive: What was said before (`environment.archive`); each seat looks up its own share through its memory.
    """

    graph: SocialGraph
    has_planner: bool = False
    planner: Mapping[str, Any] = field(default_factory=dict)
    items: tuple[Mapping[str, Any], ...] = ()
    archive: Archive = field(default_factory=Archive)


@dataclass(frozen=True)
class SeatContext:
    """What an agent or planner is built on.

    Attributes:
        seat: The seat it will hold.
        brief: The situation in words for this seat.
        describe: One line of words for an event this seat may see.
        model: The language model of this seat, if the scenario gives it one.
        persona: Who this seat is, in words.
        planner: Declared settings of the planner's seat; empty for agents.
        settings: Settings of the environment as the scenario gives them, for seats that reason about its rules.
        graph: The social graph, for planners only.
        memory: What this seat can look up, if its group has a memory.
        embedder: What turns texts into vectors, for a planner whose `embedder` names one.
    """

    seat: str
    brief: str
    describe: Callable[[Event], str]
    model: LanguageModel | None = None
    persona: str = ""
    planner: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    graph: SocialGraph | None = None
    memory: Memory | None = None
    embedder: Embedder | None = None
