"""Any environment of tidings as a PettingZoo environment: `aec_env(scenario)` and `parallel_env(scenario)`.

Seats are agents. An observation is `{"text": ...}`: what the seat may see, and nothing else; the barrier holds here
too. An action is what the seat's action spec asks for, as JSON values. The space of actions knows the spec that is due
now: it samples what is allowed and contains nothing else; an action outside it raises `ReplyError`, nothing is clipped
or replaced. `infos[agent]` has the question and the JSON Schema of an answer.

tidings itself has no rewards. Social learning pays minus the loss of a wrong decision; give `reward` for anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, TypeAlias

from gymnasium.spaces import Dict, Space
from pettingzoo import AECEnv, ParallelEnv

from tidings.core import ActionSpec, Environment, Event, Reply, SeedPath, TextSpec, draw_action
from tidings.simulation.compile import build_environment
from tidings.simulation.play import Play
from tidings.spec.scenario import Scenario
from tidings.theory.herd_events import of_seat

__all__ = ["ActionSpace", "Reward", "TextSpace", "TidingsAEC", "TidingsParallel", "aec_env", "parallel_env"]

Reward: TypeAlias = Callable[[Sequence[Event], str], float]
"""(all events of the rollout so far, those hidden from seats included; a seat) -> what it has earned so far."""

_IDLE = TextSpec(1, "Nothing is asked now.", allow_empty=True)


def aec_env(scenario: Scenario, reward: Reward | None = None) -> TidingsAEC:
    """Returns the scenario's environment as a PettingZoo AEC environment.

    Args:
        scenario: Graph, rules, seed; its agents are not used.
        reward: What a seat has earned; by default minus its losses in social learning, 0 elsewhere.
    """
    return TidingsAEC(*_parts(scenario, reward))


def parallel_env(scenario: Scenario, reward: Reward | None = None) -> TidingsParallel:
    """Returns the scenario's environment as a PettingZoo parallel environment.

    One step asks all seats that are due; actions of the others are ignored.
    """
    return TidingsParallel(*_parts(scenario, reward))


def _parts(scenario: Scenario, reward: Reward | None) -> tuple[Environment, Reward, int]:
    default = herd_reward if scenario.environment.kind == "social_learning" else no_reward
    return build_environment(scenario), reward or default, scenario.rollouts.seed


def no_reward(events: Sequence[Event], seat: str) -> float:
    """Returns 0."""
    return 0.0


def herd_reward(events: Sequence[Event], seat: str) -> float:
    """Returns minus the loss of this seat's decision if it was wrong (1 where losses are equal), else 0."""
    truth, setup = "", {"threshold": 0.5, "states": ["", ""]}
    for event in events:
        if event.kind == "setup":
            setup = event.data
        elif event.kind == "state":
            truth = event.data["value"]
        elif event.kind == "action" and event.seat == seat and event.data["action"] != truth:
            is_good = event.data["action"] == setup["states"][1]
            threshold = of_seat(setup["threshold"], seat)
            return -2.0 * threshold if is_good else -2.0 * (1.0 - threshold)
    return 0.0


class ActionSpace(Space):
    """The answers that the spec now due allows; a text of at most one character while nothing is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.spec: ActionSpec = _IDLE

    @property
    def is_np_flattenable(self) -> bool:
        """Whether answers are arrays: no, they are JSON values."""
        return False

    def sample(self, mask: Any = None, probability: Any = None) -> Any:
        """Returns an allowed answer, drawn from this space's own generator."""
        return draw_action(self.spec, Random(int(self.np_random.integers(2**63))))

    def contains(self, x: Any) -> bool:
        """Returns whether the spec now due takes this answer."""
        from tidings.core import ReplyError

        try:
            self.spec.check(x)
        except ReplyError:
            return False
        return True

    def __repr__(self) -> str:
        return f"ActionSpace({type(self.spec).__name__})"


class TextSpace(Space):
    """Texts: what a seat may see, in the words of the environment."""

    @property
    def is_np_flattenable(self) -> bool:
        """Whether observations are arrays: no, they are texts."""
        return False

    def sample(self, mask: Any = None, probability: Any = None) -> str:
        """Returns the shortest observation."""
        return ""

    def contains(self, x: Any) -> bool:
        """Returns whether this is a text."""
        return isinstance(x, str)

    def __repr__(self) -> str:
        return "TextSpace()"


class _Table:
    """One rollout after another of an environment, and what every seat may know of it."""

    def __init__(self, environment: Environment, reward: Reward, seed: int) -> None:
        self.environment, self.reward = environment, reward
        self.spaces: dict[str, ActionSpace] = {seat: ActionSpace() for seat in environment.seats}
        self.seen: dict[str, Dict] = {seat: Dict({"text": TextSpace()}) for seat in environment.seats}
        self._seed, self._rollout = seed, -1
        self.events: list[Event] = []
        self.earned: dict[str, float] = {}

    def reset(self, seed: int | None, options: Mapping[str, Any] | None) -> None:
        """Opens the next rollout, or rollout `options['rollout']` (0 by default) of a new seed."""
        self._rollout += 1
        if seed is not None:
            self._seed, self._rollout = seed, 0
        self._rollout = int((options or {}).get("rollout", self._rollout))
        path = SeedPath.root(self._seed).child("rollout").child(self._rollout)
        self.play = Play(self.environment, path, self._rollout)
        self.events = self.play.open()
        self.earned = dict.fromkeys(self.spaces, 0.0)
        self._lay()

    def advance(self, actions: Mapping[str, Any]) -> dict[str, float]:
        """Plays one step and returns what each seat earned in it.

        Raises:
            ReplyError: If an answer is not what its spec allows.
        """
        replies = {turn.seat: Reply(turn.spec.check(actions[turn.seat])) for turn in self.play.due()}
        self.events += self.play.advance(replies)
        self._lay()
        before = self.earned
        self.earned = {seat: self.reward(self.events, seat) for seat in before}
        return {seat: self.earned[seat] - before[seat] for seat in before}

    @property
    def is_over(self) -> bool:
        return self.play.status != "running"

    def due(self) -> list[str]:
        """Returns the seats now asked."""
        return [turn.seat for turn in self.play.due()]

    def observe(self, seat: str) -> dict[str, str]:
        """Returns, as `text`, the rules and everything this seat may see, one line an event."""
        words = (self.environment.describe(event, seat) for event in self._visible(seat))
        return {"text": "\n".join([self.environment.brief(seat), *(line for line in words if line)])}

    def info(self, seat: str) -> dict[str, Any]:
        """Returns what is asked of the seat now."""
        spec = self.spaces[seat].spec
        if spec is _IDLE:
            return {"due": False}
        return {"due": True, "question": spec.question, "schema": spec.json_schema()}

    def _visible(self, seat: str) -> list[Event]:
        seen = self.play.observe(seat)
        return sorted([*seen.public, *seen.private], key=lambda event: event.index)

    def _lay(self) -> None:
        for space in self.spaces.values():
            space.spec = _IDLE
        for turn in self.play.due():
            self.spaces[turn.seat].spec = turn.spec


class TidingsAEC(AECEnv):
    """One seat after the other; seats that are due together do not see each other's answers."""

    metadata = {"name": "tidings_v0", "render_modes": [], "is_parallelizable": True}  # noqa: RUF012

    def __init__(self, environment: Environment, reward: Reward = no_reward, seed: int = 0) -> None:
        """Wraps an environment.

        Args:
            environment: The rules.
            reward: What a seat has earned so far.
            seed: Seed until `reset` gives another.
        """
        super().__init__()
        self._table = _Table(environment, reward, seed)
        self.possible_agents = list(environment.seats)
        self.action_spaces, self.observation_spaces = dict(self._table.spaces), dict(self._table.seen)
        self.render_mode = None

    def action_space(self, agent: str) -> ActionSpace:
        """Returns the space of answers that this seat may give now."""
        return self._table.spaces[agent]

    def observation_space(self, agent: str) -> Dict:
        """Returns the space of observations: `text`, of any length."""
        return self._table.seen[agent]

    def reset(self, seed: int | None = None, options: dict | None = None) -> None:
        """Opens a rollout: rollout 0 of `seed`, the next one without a seed, or `options['rollout']`."""
        self._table.reset(seed, options)
        self.agents = self.possible_agents[:]
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, self._table.is_over)
        self.truncations = dict.fromkeys(self.agents, False)
        self._given: dict[str, Any] = {}
        self._select()

    def observe(self, agent: str) -> dict[str, str]:
        """Returns what the seat may see now."""
        return self._table.observe(agent)

    def step(self, action: Any) -> None:
        """Takes the answer of the selected seat; the rollout goes on when all that are due have answered.

        Raises:
            ReplyError: If the answer is not what its spec allows.
        """
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        self._given[agent] = self._table.spaces[agent].spec.check(action)
        self._cumulative_rewards[agent] = 0.0
        self._clear_rewards()
        if all(seat in self._given for seat in self._table.due()):
            self.rewards = self._table.advance(self._given)
            self._given = {}
        if self._table.is_over:
            self.terminations = dict.fromkeys(self.agents, True)
        self._accumulate_rewards()
        self._select()

    def _select(self) -> None:
        self.infos = {agent: self._table.info(agent) for agent in self.agents}
        waiting = [seat for seat in self._table.due() if seat not in self._given]
        self.agent_selection = waiting[0] if waiting else self.agents[0]


class TidingsParallel(ParallelEnv):
    """All seats at once; those that are not due are not heard."""

    metadata = {"name": "tidings_v0", "render_modes": []}  # noqa: RUF012

    def __init__(self, environment: Environment, reward: Reward = no_reward, seed: int = 0) -> None:
        """Wraps an environment; see `TidingsAEC`."""
        self._table = _Table(environment, reward, seed)
        self.possible_agents = list(environment.seats)
        self.action_spaces, self.observation_spaces = dict(self._table.spaces), dict(self._table.seen)
        self.render_mode = None
        self.agents: list[str] = []

    def action_space(self, agent: str) -> ActionSpace:
        """Returns the space of answers that this seat may give now."""
        return self._table.spaces[agent]

    def observation_space(self, agent: str) -> Dict:
        """Returns the space of observations: `text`, of any length."""
        return self._table.seen[agent]

    def reset(
        self, seed: int | None = None, options: dict | None = None
    ) -> tuple[dict[str, dict[str, str]], dict[str, dict]]:
        """Opens a rollout: rollout 0 of `seed`, the next one without a seed, or `options['rollout']`."""
        self._table.reset(seed, options)
        self.agents = [] if self._table.is_over else self.possible_agents[:]
        return self._seen(), {agent: self._table.info(agent) for agent in self.possible_agents}

    def step(
        self, actions: Mapping[str, Any]
    ) -> tuple[dict[str, dict[str, str]], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict]]:
        """Plays one step.

        Raises:
            ReplyError: If an answer of a seat that is due is not what its spec allows.
            KeyError: If a seat that is due gave none.
        """
        rewards = self._table.advance(actions)
        agents, is_over = self.agents, self._table.is_over
        infos = {agent: self._table.info(agent) for agent in agents}
        ends, cuts = dict.fromkeys(agents, is_over), dict.fromkeys(agents, False)
        self.agents = [] if is_over else agents
        return self._seen(), {agent: rewards[agent] for agent in agents}, ends, cuts, infos

    def _seen(self) -> dict[str, dict[str, str]]:
        return {agent: self._table.observe(agent) for agent in self.possible_agents}
