"""What a scenario file may say, as frozen values; the parameters of components stay as they are, for their owners."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from tidings.core import suggest
from tidings.core.memory import MemoryKind
from tidings.spec.base import Params
from tidings.spec.describe import Phrase
from tidings.spec.embedders import EmbedderChoice
from tidings.spec.graphs import GraphSpec, Seat
from tidings.spec.problems import join_names
from tidings.spec.sweep_spec import SweepSpec

__all__ = [
    "COST_KINDS",
    "AgentGroup",
    "ComponentSpec",
    "CostSpec",
    "LimitsSpec",
    "MemorySpec",
    "ModelSpec",
    "PlannerSpec",
    "RolloutsSpec",
    "RunnerSpec",
    "Scenario",
]

COST_KINDS = ("linear", "quadratic", "sqrt")
"""Named shapes of what a planner pays."""


def _matching(pattern: str, words: str) -> AfterValidator:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"found {text!r}; allowed: {words}")
        return text

    return AfterValidator(check)


_CLASS = r"[A-Za-z_][\w.]*:[A-Za-z_]\w*"
_KIND_WORDS = "a kind that `tidings list` shows, or package.module:Class of your own"
_USE_WORDS = "provider/model, for example openai/my-model"

Slug = Annotated[str, _matching(r"[a-z0-9][a-z0-9_-]*", "lower-case letters, digits, - and _")]
Kind = Annotated[str, Phrase(_KIND_WORDS), _matching(rf"[a-z][a-z0-9_]*|{_CLASS}", _KIND_WORDS)]
Use = Annotated[str, Phrase(_USE_WORDS), _matching(r"[^/\s]+/.*\S", _USE_WORDS)]
ModelName = Annotated[str, _matching(r"\w[\w.-]*", "letters, digits, -, _ and .")]
CostKind = Annotated[
    str,
    Phrase(f"{join_names(COST_KINDS)}, or package.module:function of your own"),
    _matching(
        "|".join([*COST_KINDS, _CLASS]), f"{join_names(COST_KINDS)}, or package.module:function of the deviation"
    ),
]
PositiveInt = Annotated[int, Field(ge=1)]
NonNegative = Annotated[float, Field(ge=0.0)]


class _Open(Params, extra="allow"):
    """A part of the scenario that holds the parameters of a component beside its own fields."""

    @property
    def params(self) -> dict[str, Any]:
        """The component's own parameters: every key that is no field here."""
        return dict(self.model_extra or {})


class MemorySpec(Params):
    """How agents look up what they said or heard before the rollout began (`environment.archive`)."""

    kind: MemoryKind = "mixed"
    """`clear` (keyword search), `fuzzy` (search by meaning over summaries of talks), or both."""
    window: Annotated[int, Field(ge=0)] = 1
    """Neighbours of a matching line on either side, of the same talk."""
    limit: PositiveInt = 30
    """Lines of one keyword search, at most, neighbours included."""
    top_k: PositiveInt = 3
    """Talks of one search by meaning, at most."""
    max_lines: PositiveInt = 100_000
    """Lines a seat holds, at most; the oldest go first."""
    embedder: EmbedderChoice = "hashing"
    """Vectors for search by meaning: `hashing` needs nothing and knows no meaning, `wordllama` needs that package, an
    object names an OpenAI-compatible server."""


class AgentGroup(_Open):
    """Agents of one kind. All further keys are parameters of that kind."""

    kind: Kind
    """Kind of agent: a name from `tidings list agents`, or package.module:Class."""
    name: Slug | None = None
    """Label of the group in reports; seats keep the names of their nodes."""
    count: PositiveInt | None = None
    """Number of agents; they take the first free nodes."""
    nodes: Literal["rest"] | Annotated[tuple[Seat, ...], Field(min_length=1)] | None = None
    """The nodes where they sit, or `rest` for all nodes that no other group takes."""
    model: str | None = None
    """Name of their language model, as defined under `models`."""
    persona: str | Annotated[tuple[str, ...], Field(min_length=1)] = ""
    """Who they are, in words; a list is dealt round robin over the group."""
    memory: MemoryKind | MemorySpec | None = None
    """How they look up what they hold of `environment.archive`: clear, fuzzy, mixed, or an object with the details."""

    def memory_spec(self) -> MemorySpec | None:
        """Returns how the group looks things up, with every setting; None if it has no memory."""
        return MemorySpec(kind=self.memory) if isinstance(self.memory, str) else self.memory

    @model_validator(mode="after")
    def _check_size(self) -> AgentGroup:
        if self.count is not None and self.nodes is not None:
            raise ValueError("count: found both count and nodes; need one of them")
        if self.count is None and self.nodes is None:
            hints = [f"found {key!r}; {hint}" for key in self.params if (hint := suggest(key, ("count", "nodes")))]
            advice = hints or ["`nodes: rest` takes every free node"]
            raise ValueError("; ".join(["found neither count nor nodes; need one of them", *advice]))
        return self


class ComponentSpec(_Open):
    """The rules of the situation. All further keys are parameters of that kind."""

    kind: Kind
    """Kind of environment: a name from `tidings list environments`, or package.module:Class."""
    items: str | Annotated[tuple[dict[str, Any], ...], Field(min_length=1)] | None = None
    """Tasks or questions: a file with one JSON object a line, or a list; rollout r plays item r modulo their number."""
    archive: str | None = None
    """What was said before: a file, one JSON object a line: `id`, `time`, `session`, `speaker`, `hearers`, `text`."""


class CostSpec(Params):
    """What the planner pays for a deviation d from what is free."""

    kind: CostKind
    """Shape: linear (d), quadratic (d^2), sqrt (square root of d), or package.module:function of your own."""
    weight: NonNegative
    """Factor in front of the shape."""


class PlannerSpec(_Open):
    """The seat that steers. All further keys are parameters of that kind."""

    kind: Kind
    """`none` (nobody plans), a name from `tidings list planners`, or package.module:Class."""
    objective: Literal["altruistic", "biased"] = "altruistic"
    """What it wants: right decisions, or the action `target` whatever is true."""
    target: str | None = None
    """The action a biased planner wants."""
    cost: CostSpec | None = None
    """What it pays for moving precision; nothing by default."""
    budget: NonNegative | None = None
    """Most it may pay in a rollout; unlimited by default."""
    sees: Literal["public", "all"] = "public"
    """What it observes: what everybody may know, or private events of the agents too."""
    error_cost: Annotated[float, Field(gt=0.0)] = 1.0
    """What one wrong decision costs it."""
    delta: Annotated[float, Field(ge=0.0, le=1.0)] | None = None
    """Discount factor per agent; for planners that look ahead."""
    model: str | None = None
    """Name of its language model, as defined under `models`."""
    persona: str = ""
    """Who it is, in words."""

    @model_validator(mode="after")
    def _check_target(self) -> PlannerSpec:
        if self.objective == "biased" and self.target is None:
            raise ValueError("target: missing for a biased planner; need the action it wants")
        return self

    def settings(self) -> dict[str, Any]:
        """Returns what is declared about the seat, as JSON values; empty if nobody plans.

        Keys: `objective`, `target`, `cost` (`kind`, `weight`), `budget`, `sees`, `error_cost`, `delta`.
        """
        if self.kind == "none":
            return {}
        return self.model_dump(
            mode="json", include={"objective", "target", "cost", "budget", "sees", "error_cost", "delta"}
        )


class ModelSpec(_Open):
    """A language model. All further keys are parameters of its provider."""

    use: Use
    """Provider and model, for example `transformers/smollm2` or `openai/my-model`."""


class RolloutsSpec(Params):
    """How often the scenario is played, and how."""

    count: Annotated[int, Field(ge=1, le=10**9)] = 1
    """Number of rollouts."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Root of every random draw of the run."""
    concurrency: PositiveInt | None = None
    """Rollouts played at the same time in one process; chosen by the runner by default."""
    on_failure: Literal["stop", "abstain"] = "stop"
    """A seat that fails ends its rollout as failed, or sits the turn out (recorded, never a default action)."""
    log: Literal["auto", "full", "summary"] = "auto"
    """Every event, one row a rollout, or the runner's choice."""


class LimitsSpec(Params):
    """Hard caps on the whole run. At a cap the run ends cleanly and can be resumed with a higher one."""

    calls: Annotated[int, Field(ge=0)] | None = None
    """Most model calls."""
    tokens: Annotated[int, Field(ge=0)] | None = None
    """Most tokens, prompts and answers together."""
    usd: NonNegative | None = None
    """Most money, in US dollars."""
    seconds: NonNegative | None = None
    """Longest wall-clock time, in seconds."""


class RunnerSpec(Params):
    """Where the rollouts run."""

    kind: Literal["local", "ray"] = "local"
    """In this process, or on a Ray cluster."""
    workers: PositiveInt | None = None
    """Worker processes; as many as there is room for by default."""
    address: str | None = None
    """Address of a running Ray cluster; a local one is started by default."""
    num_cpus: Annotated[float, Field(gt=0.0)] | None = None
    """CPUs that one worker takes."""
    num_gpus: NonNegative | None = None
    """GPUs that one local model engine takes; a fraction shares a GPU."""
    engines: PositiveInt | None = None
    """Engines for each local model; as many as GPUs allow by default, one without GPUs."""
    in_flight: PositiveInt | None = None
    """Most rollout batches handed out at the same time."""
    batch_size: PositiveInt | None = None
    """Rollouts in one batch."""


class Scenario(Params):
    """One scenario: who can hear whom, who decides, by which rules, how often, and what is measured."""

    name: Slug
    """Short name; run folders are called after it."""
    description: str = ""
    """What the scenario is about, in words."""
    graph: GraphSpec
    """Who can hear whom."""
    agents: Annotated[tuple[AgentGroup, ...], Field(min_length=1)]
    """Who sits at the nodes of the graph."""
    environment: ComponentSpec
    """The rules of the situation."""
    planner: PlannerSpec = PlannerSpec(kind="none")
    """Who steers; nobody by default."""
    models: dict[ModelName, ModelSpec] = Field(default={})
    """Language models by name."""
    rollouts: RolloutsSpec = RolloutsSpec()
    """How often it is played."""
    limits: LimitsSpec = LimitsSpec()
    """Hard caps on calls, tokens, money and time."""
    metrics: tuple[Slug, ...] = ()
    """What is measured: names from `tidings list metrics`."""
    sweep: SweepSpec = Field(default={})
    """Dotted path -> the values it takes, a list or a range; every combination is a variant of the scenario."""
    runner: RunnerSpec = RunnerSpec()
    """Where the rollouts run."""

    @model_validator(mode="after")
    def _check_combinations(self) -> Scenario:
        complaints = [*self._undefined_models(), *_repeated_nodes(self.agents), *_repeated("metrics", self.metrics)]
        if complaints:
            raise ValueError("\n".join(complaints))
        return self

    def _undefined_models(self) -> Iterable[str]:
        users = {f"agents.{i}": group.model for i, group in enumerate(self.agents)} | {"planner": self.planner.model}
        for where, name in users.items():
            if name is not None and name not in self.models:
                yield f"{where}.model: found {name!r}; {_models_words(name, self.models)}"


def _models_words(name: str, models: Mapping[str, ModelSpec]) -> str:
    if not models:
        return f"no models are defined; add `models: {{{name}: {{use: provider/model}}}}`"
    return "; ".join(part for part in (f"allowed: {join_names(models)}", suggest(name, models)) if part)


def _repeated_nodes(groups: Iterable[AgentGroup]) -> Iterable[str]:
    taken: dict[str, str] = {}
    for i, group in enumerate(groups):
        is_rest = isinstance(group.nodes, str)
        seats = (group.nodes,) if isinstance(group.nodes, str) else group.nodes or ()
        for j, seat in enumerate(seats):
            where = f"agents.{i}.nodes" + ("" if is_rest else f".{j}")
            if seat in taken:
                what = "only one group can take the rest" if is_rest else "one agent a node"
                yield f"{where}: found {seat!r}, as in {taken[seat]}; allowed: {what}"
            taken.setdefault(seat, where)


def _repeated(where: str, names: Iterable[str]) -> Iterable[str]:
    return (f"{where}: found {name!r} {n} times; need it once" for name, n in Counter(names).items() if n > 1)
