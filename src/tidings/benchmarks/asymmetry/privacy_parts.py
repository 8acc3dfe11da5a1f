"""The fields of AgentSocialBench files, and how their names and profiles are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from tidings.benchmarks.asymmetry.answers import normalise
from tidings.benchmarks.asymmetry.records import Person
from tidings.core.errors import DataError

__all__ = ["Boundary", "DyadicScenario", "GraphScenario", "find_person", "is_about", "profile_facts"]

_TITLES = frozenset({"dr", "mr", "mrs", "ms", "prof", "professor"})
_N_FIRST_WORDS = 3


class Boundary(msgspec.Struct):
    """`privacy_boundary`: the must-not items, as one list or as a list per affinity tier."""

    must_not_cross: list[str] | dict[str, list[str]] = []
    acceptable_abstractions: dict[str, str] = {}

    def must_not_cross_items(self, tier: str = "", where: str = "") -> list[str]:
        """Returns the items kept from somebody of this tier.

        Raises:
            DataError: There is a list per tier, but none for this one.
        """
        if isinstance(self.must_not_cross, list):
            return self.must_not_cross
        if tier not in self.must_not_cross:
            known = ", ".join(self.must_not_cross)
            raise DataError(f"{where}: must_not_cross", f"no list for tier {tier!r}", f"found lists for {known}")
        return self.must_not_cross[tier]

    def abstraction(self, text: str) -> str:
        """Returns what may be said instead of this very item; empty when nothing is offered."""
        return self.acceptable_abstractions.get(text, "")


class _Agent(msgspec.Struct):
    role: str
    domain: str
    knows: list[str]
    should_share: list[str] = []
    must_not_share: list[str] = []
    user: str = ""


class _Human(msgspec.Struct):
    name: str
    persona: str = ""
    knowledge: Any = None


class _Metadata(msgspec.Struct):
    source_domain: str = ""


class DyadicScenario(msgspec.Struct):
    """A scenario with two sides: agents of one or two users, or an agent and a person."""

    scenario_id: str
    category: str
    task: str
    agents: list[_Agent]
    privacy_boundary: dict[str, Any]
    success_criteria: dict[str, str] = {}
    humans: list[_Human] = []
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)

    def boundary_of(self, agent: _Agent, where: str) -> Boundary:
        """Returns the boundary this agent must keep.

        `cross_user`: that of its user. `cross_domain`: the scenario's, for the agent of the source domain, from which
        things must not cross; the other agent has none. `mediated_comm`: the scenario's.

        Raises:
            DataError: The user has no boundary, or no agent is of the source domain.
        """
        if self.category == "cross_user":
            first_names = {
                key: f" {normalise(agent.user)} ".find(f" {normalise(key)} ") for key in self.privacy_boundary
            }
            keys = [
                key for key, place in first_names.items() if place >= 0 and isinstance(self.privacy_boundary[key], dict)
            ]
            if len(keys) != 1:
                raise DataError(
                    f"{where}: privacy_boundary", f"none for user {agent.user!r}", "one keyed by first name"
                )
            return self._convert(self.privacy_boundary[keys[0]], where)
        if self.category == "cross_domain":
            domains = [other.domain for other in self.agents]
            if self.metadata.source_domain not in domains:
                found = f"found {self.metadata.source_domain!r}"
                raise DataError(f"{where}: metadata.source_domain", found, f"one of {', '.join(domains)}")
            if agent.domain != self.metadata.source_domain:
                return Boundary()
        return self._convert(self.privacy_boundary, where)

    def _convert(self, value: Any, where: str) -> Boundary:
        if not isinstance(value, dict) or not value.get("must_not_cross"):
            raise DataError(f"{where}: privacy_boundary", "no must_not_cross list", "a list of items", "check the file")
        try:
            return msgspec.convert(value, Boundary)
        except msgspec.ValidationError as error:
            raise DataError(f"{where}: privacy_boundary", str(error), "lists of texts", "check the file") from None


class _Participant(msgspec.Struct):
    user_name: str
    privacy_boundary: Boundary
    user_profile: dict[str, Any]
    task_role: str = ""
    system_prompt_context: str = ""


class _Edge(msgspec.Struct):
    from_: str = msgspec.field(name="from")
    to: str
    context: str = ""
    affinity: str = ""


class _SocialGraph(msgspec.Struct):
    edges: list[_Edge]


class GraphScenario(msgspec.Struct):
    """A scenario on a social graph."""

    scenario_id: str
    category: str
    task: str
    social_graph: _SocialGraph
    participants: list[_Participant]
    success_criteria: dict[str, str] = {}


def find_person(people: Sequence[Person], name: str, where: str) -> str:
    """Returns the id of the one person whose name holds these words (edges use first names in lower case).

    Raises:
        DataError: Nobody, or several people, are called so.
    """
    found = [person.id for person in people if f" {normalise(name)} " in f" {normalise(person.name)} "]
    if len(found) != 1:
        known = ", ".join(person.name for person in people)
        raise DataError(f"{where}: social_graph", f"{name!r} fits {len(found)} participants", f"one of {known}")
    return found[0]


def is_about(text: str, name: str) -> bool:
    """Returns whether an item begins with this person's name, as in `Marcus's plan` or `Dr. Chen's plan`.

    A person may know what is theirs; so a coordinator who tells Marcus about Marcus leaks nothing. Ours: the files do
    not say whom an item is about.
    """
    names = [word for word in normalise(name).split() if word not in _TITLES]
    words = normalise(text).split()[:_N_FIRST_WORDS]
    # A bare family name may be that of several people; after a title it is how the files name one of them.
    by_title = any(word in _TITLES and following == names[-1] for word, following in pairwise(words))
    return bool(names) and (names[0] in words or by_title)


def profile_facts(profile: Any, path: tuple[str, ...] = ()) -> list[str]:
    """Returns a profile's leaves as sentences `health, conditions: ...`, sensitivity marks left out."""
    if isinstance(profile, Mapping):
        if set(profile) == {"value", "sensitivity"}:
            return profile_facts(profile["value"], path)
        fields = [(key, value) for key, value in profile.items() if key != "sensitivity"]
        return [fact for key, value in fields for fact in profile_facts(value, (*path, str(key).replace("_", " ")))]
    if isinstance(profile, list):
        return [fact for value in profile for fact in profile_facts(value, path)]
    return [f"{', '.join(path)}: {profile}" if path else str(profile)] if profile not in (None, "") else []
