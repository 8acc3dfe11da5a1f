"""The only place where a specification becomes an object."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import networkx as nx

from tidings.core import (
    PLANNER,
    Agent,
    Environment,
    LanguageModel,
    ModelError,
    ModelRequest,
    ModelResponse,
    ScenarioError,
    SeatContext,
    SeedPath,
    SocialGraph,
    World,
)
from tidings.core.calls import RequestKind
from tidings.memory.archive import ArchiveMemory
from tidings.simulation.embedders import make_embedder
from tidings.simulation.memories import SeatMemories, check_memories
from tidings.simulation.play import Play
from tidings.simulation.registry import ENVIRONMENTS, check_params
from tidings.spec.archive import read_archive
from tidings.spec.graphs import build_graph, to_social_graph
from tidings.spec.items import Items, read_items
from tidings.spec.scenario import AgentGroup, PlannerSpec, Scenario
from tidings.spec.seats import deal_groups, persona_at
from tidings.spec.yaml_source import YamlSource

__all__ = [
    "Compiled",
    "build_model",
    "check_components",
    "check_seats",
    "compile_scenario",
    "deal_seats",
    "model_names",
]

MakeModel = Callable[[str, Callable[[], LanguageModel], Mapping[str, Any]], LanguageModel]
"""(name in the scenario, builder of the model, its settings) -> the model that seats speak to."""


@dataclass(frozen=True)
class Compiled:
    """A scenario with every part built.

    Attributes:
        scenario: What it was built from.
        graph: The social graph as networkx has it.
        environment: The rules.
        agents: Seat -> agent, the planner included.
        models: Name -> model that seats speak to.
        items_sha256: Hash of the file of items, if the scenario names one.
        archive_sha256: Hash of the archive, if the scenario names one.
        memories: The indexes of the archive that seats look things up in.
    """

    scenario: Scenario
    graph: nx.Graph
    environment: Environment
    agents: Mapping[str, Agent]
    models: Mapping[str, LanguageModel]
    items_sha256: str | None = None
    archive_sha256: str | None = None
    memories: tuple[ArchiveMemory, ...] = ()

    def play(self, rollout: int) -> Play:
        """Returns the rollout with this number, unopened."""
        return Play(self.environment, self.seed(rollout), rollout)

    def seed(self, rollout: int) -> SeedPath:
        """Returns the seed path of a rollout."""
        return self.seed_root.child(rollout)

    @property
    def seed_root(self) -> SeedPath:
        """The seed path above all rollouts."""
        return SeedPath.root(self.scenario.rollouts.seed).child("rollout")

    async def close(self) -> None:
        """Closes all models and memories."""
        for memory in self.memories:
            memory.close()
        for model in self.models.values():
            await model.close()


def check_components(scenario: Scenario, source: YamlSource | None = None) -> None:
    """Checks the parameters of every component that the scenario names, without building anything heavy.

    Raises:
        ScenarioError: At the first component that does not exist or whose parameters are wrong.
    """
    for name, model in scenario.models.items():
        check_params("model", model.use.partition("/")[0], model.params, f"models.{name}", source)
    for i, group in enumerate(scenario.agents):
        agent, _ = check_params("agent", group.kind, group.params, f"agents.{i}", source)
        _check_seat(agent, group, scenario, f"agents.{i}", source)
    environment, params = check_params(
        "environment", scenario.environment.kind, scenario.environment.params, "environment", source
    )
    if scenario.planner.kind != "none":
        planner, _ = check_params("planner", scenario.planner.kind, scenario.planner.params, "planner", source)
        _check_seat(planner, scenario.planner, scenario, "planner", source)
    social = to_social_graph(build_graph(scenario.graph, _graph_seed(scenario)))
    environment.build(params, _world(scenario, social, read_items(scenario.environment)))
    check_memories(scenario)


def _check_seat(
    component: Any, spec: AgentGroup | PlannerSpec, scenario: Scenario, where: str, source: YamlSource | None
) -> None:
    """Checks that a seat has the model it needs, and that it can play this environment if it is one of tidings' own."""
    environment, plays = scenario.environment.kind, getattr(component, "plays", ENVIRONMENTS)
    if environment in ENVIRONMENTS and environment not in plays:
        place = (source or YamlSource({})).where(f"{where}.kind")
        words = f"{spec.kind} cannot play the environment {environment!r}"
        raise ScenarioError(place, words, f"it plays: {', '.join(plays)}")
    if spec.model is not None or not getattr(component, "needs_model", False):
        return
    allowed = f"allowed: {', '.join(scenario.models)}" if scenario.models else "define one under models"
    place = (source or YamlSource({})).where(f"{where}.model")
    raise ScenarioError(place, f"{spec.kind} asks a language model and none is named", allowed)


def check_seats(scenario: Scenario) -> None:
    """Builds a seat of each group and the planner, with models that are never asked, for what only building tells.

    It may take seconds: a planner that solves its problem solves it. `check_components` must have passed before.

    Raises:
        ScenarioError: If a seat cannot be built, for example for want of the function that it names.
    """
    compile_scenario(scenario, lambda name, build, settings: _NeverAsked(name), is_sample=True)


class _NeverAsked:
    """Stands in for a model that may be of any kind."""

    kinds: frozenset[RequestKind] = frozenset(("text", "json", "choice", "score"))

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    async def respond(self, request: ModelRequest) -> ModelResponse:
        raise ModelError("request", "a model that stands in for another was asked")

    async def close(self) -> None:
        """Does nothing."""


def compile_scenario(
    scenario: Scenario,
    make_model: MakeModel = lambda name, build, settings: build(),
    *,
    is_sample: bool = False,
) -> Compiled:
    """Returns the scenario with its graph, rules, models and seats built.

    Args:
        scenario: What to build.
        make_model: Puts limits, cache and record around each model, or replaces it without building it.
        is_sample: Whether to build one seat only of each group of agents.

    Raises:
        ScenarioError: If parts do not fit together.
    """
    graph = build_graph(scenario.graph, _graph_seed(scenario))
    social = to_social_graph(graph)
    kind, params = check_params("environment", scenario.environment.kind, scenario.environment.params, "environment")
    items = read_items(scenario.environment)
    world = _world(scenario, social, items)
    environment = kind.build(params, world)
    memories = SeatMemories(scenario, world.archive, social.seats, environment)
    models = {
        name: make_model(name, partial(build_model, scenario, name), scenario.models[name].params)
        for name in model_names(scenario)
    }
    agents: dict[str, Agent] = {}
    for seat, group, where, persona in _first_of_each(scenario, social) if is_sample else deal_seats(scenario, social):
        component, settings = check_params("agent", group.kind, group.params, where)
        context = _context(scenario, environment, seat, models.get(group.model or ""), persona)
        context = replace(context, memory=memories.of(seat, group))
        try:
            agents[seat] = component.build(settings, context)
        except ScenarioError as error:
            raise ScenarioError(f"{where}.{error.where}", error.found, error.allowed, error.fix) from None
    if scenario.planner.kind != "none":
        planner = scenario.planner
        component, settings = check_params("planner", planner.kind, planner.params, "planner")
        context = _context(scenario, environment, PLANNER, models.get(planner.model or ""), planner.persona)
        choice: Any = getattr(settings, "embedder", "hashing")
        if choice != "hashing":
            context = replace(context, embedder=make_embedder(choice))
        agents[PLANNER] = component.build(settings, context)
    archive = world.archive.sha256 or None
    return Compiled(scenario, graph, environment, agents, models, items.sha256, archive, memories.all())


def build_environment(scenario: Scenario) -> Environment:
    """Returns the rules of a scenario on its graph, without models and seats.

    Raises:
        ScenarioError: If parts do not fit together.
    """
    kind, params = check_params("environment", scenario.environment.kind, scenario.environment.params, "environment")
    social = to_social_graph(build_graph(scenario.graph, _graph_seed(scenario)))
    return kind.build(params, _world(scenario, social, read_items(scenario.environment)))


def model_names(scenario: Scenario) -> list[str]:
    """Returns the names of the models that some seat uses, in the scenario's order."""
    used = {group.model for group in scenario.agents} | {scenario.planner.model}
    return [name for name in scenario.models if name in used]


def deal_seats(scenario: Scenario, graph: SocialGraph) -> Iterator[tuple[str, AgentGroup, str, str]]:
    """Yields (seat, group, path of the group, persona) for every seat, in seat order."""
    for seat, place in deal_groups(scenario.agents, graph.seats).items():
        group = scenario.agents[place.group]
        yield seat, group, f"agents.{place.group}", persona_at(group, place.index)


def _first_of_each(scenario: Scenario, graph: SocialGraph) -> Iterator[tuple[str, AgentGroup, str, str]]:
    seen: set[str] = set()
    for dealt in deal_seats(scenario, graph):
        if dealt[2] not in seen:
            seen.add(dealt[2])
            yield dealt


def _graph_seed(scenario: Scenario) -> SeedPath:
    return SeedPath.root(scenario.rollouts.seed).child("graph")


def _world(scenario: Scenario, graph: SocialGraph, items: Items) -> World:
    planner = scenario.planner
    archive = read_archive(scenario.environment, graph.seats)
    return World(graph, planner.kind != "none", planner.settings(), items.rows, archive)


def build_model(scenario: Scenario, name: str) -> LanguageModel:
    """Returns one model of a scenario with nothing around it."""
    spec = scenario.models[name]
    provider, _, model = spec.use.partition("/")
    component, params = check_params("model", provider, spec.params, f"models.{name}")
    return component.build(params, model)


def _context(
    scenario: Scenario, environment: Environment, seat: str, model: LanguageModel | None, persona: str
) -> SeatContext:
    describe = partial(_describe, environment, seat)
    settings = scenario.environment.params
    if seat != PLANNER:
        return SeatContext(seat, environment.brief(seat), describe, model, persona, settings=settings)
    planner, graph = scenario.planner.settings(), getattr(environment, "graph", None)
    return SeatContext(seat, environment.brief(seat), describe, model, persona, planner, settings, graph)


def _describe(environment: Environment, seat: str, event: Any) -> str:
    return environment.describe(event, seat)
