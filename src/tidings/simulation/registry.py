"""The tables of components: name -> `module:Class`. Adding one is one file and one line here.

A module is imported when a scenario names it, so a scenario without a local model never loads one. A scenario may also
name a class of its own as `package.module:Class`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Literal

from tidings.core import MissingPartError, ScenarioError, suggest
from tidings.spec.base import Params
from tidings.spec.errors import validate
from tidings.spec.scenario import AgentGroup, ComponentSpec, ModelSpec, PlannerSpec
from tidings.spec.yaml_source import YamlSource

__all__ = [
    "AGENTS",
    "ENVIRONMENTS",
    "MODELS",
    "PLANNERS",
    "TABLES",
    "Role",
    "check_params",
    "find",
    "params_models",
]

Role = Literal["environment", "agent", "planner", "model"]

ENVIRONMENTS: Mapping[str, str] = {
    "deliberation": "tidings.environments.deliberation:Deliberation",
    "dialop": "tidings.environments.dialop:Dialop",
    "collaboration": "tidings.environments.collaboration:Collaboration",
    "hidden_profile": "tidings.environments.hidden_profile:HiddenProfile",
    "many_states": "tidings.environments.many_states:ManyStates",
    "social_learning": "tidings.environments.social_learning:SocialLearning",
    "talk": "tidings.environments.talk:Talk",
}

AGENTS: Mapping[str, str] = {
    "bayesian": "tidings.agents.bayesian:BayesianAgent",
    "human": "tidings.agents.human:HumanAgent",
    "informative": "tidings.agents.informative:InformativeAgent",
    "langgraph": "tidings.agents.langgraph_agent:LangGraphAgent",
    "llm": "tidings.agents.llm:LLMAgent",
    "oracle": "tidings.agents.oracle:OracleAgent",
    "scripted": "tidings.agents.scripted:ScriptedAgent",
    "silent": "tidings.agents.silent:SilentAgent",
    "tally": "tidings.agents.tally:TallyAgent",
}

PLANNERS: Mapping[str, str] = {
    "constant": "tidings.planners.plain:ConstantPlanner",
    "debate": "tidings.planners.topology:DebatePlanner",
    "dylan": "tidings.planners.dylan:DylanPlanner",
    "llm": "tidings.agents.llm:LLMAgent",
    "lookahead": "tidings.planners.lookahead:LookaheadPlanner",
    "myopic": "tidings.planners.optimal:MyopicPlanner",
    "optimal": "tidings.planners.optimal:OptimalPlanner",
    "random": "tidings.planners.plain:RandomPlanner",
    "scripted": "tidings.planners.plain:ScriptedPlanner",
    "self_consistency": "tidings.planners.topology:SelfConsistencyPlanner",
    "self_organising": "tidings.planners.self_organising:SelfOrganisingPlanner",
    "single": "tidings.planners.topology:SinglePlanner",
    "static": "tidings.planners.topology:StaticPlanner",
}

MODELS: Mapping[str, str] = {
    "openai": "tidings.models.openai_compatible:OpenAICompatibleModel",
    "scripted": "tidings.models.scripted:ScriptedModel",
    "transformers": "tidings.models.transformers.model:TransformersModel",
}

TABLES: Mapping[Role, Mapping[str, str]] = {
    "environment": ENVIRONMENTS,
    "agent": AGENTS,
    "planner": PLANNERS,
    "model": MODELS,
}

_SHARED: Mapping[Role, tuple[str, ...]] = {
    "environment": tuple(ComponentSpec.model_fields),
    "agent": tuple(AgentGroup.model_fields),
    "planner": tuple(PlannerSpec.model_fields),
    "model": tuple(ModelSpec.model_fields),
}
"""Keys that stand beside a component's own parameters."""


def find(role: Role, name: str, where: str) -> Any:
    """Returns the class of a component.

    Args:
        role: Which table.
        name: A name in it, or `package.module:Class`.
        where: Path in the scenario, for the error.

    Raises:
        ScenarioError: If there is no such component.
        MissingPartError: If its module needs something that is not installed.
    """
    table = TABLES[role]
    target = table.get(name, name)
    module_name, _, class_name = target.partition(":")
    if not class_name:
        allowed = f"allowed: {', '.join(sorted(table))}, or package.module:Class of your own"
        raise ScenarioError(where, f"no {role} {name!r}", allowed, suggest(name, table))
    try:
        component = getattr(import_module(module_name), class_name)
    except AttributeError:
        raise ScenarioError(where, f"{module_name} has no {class_name!r}", "need package.module:Class") from None
    except ModuleNotFoundError as error:
        if name in table:
            raise MissingPartError(where, f"{name} needs {error.name!r}, which is not installed") from None
        fix = "is it installed, or on PYTHONPATH?"
        raise ScenarioError(
            where, f"cannot import {module_name!r} ({error})", "need package.module:Class", fix
        ) from None
    if not hasattr(component, "Params") or not hasattr(component, "build"):
        fix = "see docs/tutorial-environment.md"
        raise ScenarioError(where, f"{target} is no {role}", "need a class with Params and build", fix)
    return component


def check_params(
    role: Role, name: str, given: Mapping[str, Any], where: str, source: YamlSource | None = None
) -> tuple[Any, Params]:
    """Returns the class of a component and its checked parameters.

    Raises:
        ScenarioError: If there is no such component or a parameter is wrong.
    """
    component = find(role, name, (source or YamlSource({})).where(f"{where}.{'use' if role == 'model' else 'kind'}"))
    return component, validate(component.Params, dict(given), where, source, _SHARED[role])


def params_models() -> dict[str, dict[str, type[Params]]]:
    """Returns the parameter model of every component in the tables, for the JSON Schema."""
    return {role: {name: find(role, name, role).Params for name in table} for role, table in TABLES.items()}
