"""A perfect speaker, listener and reader without a model: the ceiling, and with `information: none` the symbolic floor.

It tells everybody it talks to all that it knows, as often as messages allow, and answers with a reader: a function that
knows how the questions are made, named as `package.module:function`, called with the question and the facts known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

from tidings.agents.known_facts import KnownFact, find_task, known_facts, recall_thought, told_by
from tidings.core import (
    ActionSpec,
    Observation,
    Reply,
    ReplyError,
    ScenarioError,
    SeatContext,
    StructuredSpec,
    TextSpec,
)
from tidings.spec.base import Params

__all__ = ["OracleAgent", "OracleParams"]

Reader = Callable[[Mapping[str, Any], Sequence[Mapping[str, Any]]], Any]

_EVERYTHING = 1_000_000
_MAX_HOPS = 8
_ASK = "Please ask "


class OracleParams(Params):
    """Settings of the agent `oracle`."""

    reader: str
    """package.module:function of (question, facts known); returns the answer as text, or None if it does not follow."""
    cues: str | None = None
    """package.module:function of (question, facts known); returns keywords to look up. A seat with memory needs it."""


@dataclass(frozen=True)
class OracleAgent:
    """Tells all it knows and answers what follows."""

    params: OracleParams
    context: SeatContext
    reader: Reader
    cues: Reader | None

    Params: ClassVar[type[Params]] = OracleParams
    plays: ClassVar[tuple[str, ...]] = ("collaboration",)

    @classmethod
    def build(cls, params: OracleParams, context: SeatContext) -> OracleAgent:
        """Returns the agent.

        Raises:
            ScenarioError: If a function does not exist, or a seat with memory has no cues.
        """
        if context.memory is not None and params.cues is None:
            raise ScenarioError("cues", "missing", "package.module:function: what to look up in the memory")
        cues = None if params.cues is None else _load(params.cues, "cues")
        return cls(params, context, _load(params.reader, "reader"), cues)

    async def act(self, observation: Observation, spec: ActionSpec) -> Reply:
        """Returns what a perfect speaker says, or what a perfect reader answers.

        Raises:
            ReplyError: `undetermined` if the answer does not follow from what is known; `not_applicable` for other
                turns.
        """
        if not isinstance(spec, StructuredSpec) or not {"say", "answer"} & set(spec.fields):
            raise ReplyError("not_applicable", f"an oracle has no answer to a {type(spec).__name__}")
        task, known = find_task(observation), known_facts(observation)
        thoughts = self._recall(task, known)
        is_talk = "say" in spec.fields
        action = _tell(observation, spec, task, known) if is_talk else self._answer(spec, task, known)
        return Reply(spec.check(action), tuple(thoughts))

    def _recall(self, task: Mapping[str, Any], known: dict[str, KnownFact]) -> list[dict[str, Any]]:
        """Looks up whatever the facts known so far point to, and adds it to them."""
        memory, thoughts, asked = self.context.memory, [], set[str]()
        for _ in range(_MAX_HOPS if memory is not None and self.cues is not None else 0):
            assert memory is not None
            assert self.cues is not None
            cues = self.cues(task, [fact.to_json() for fact in known.values()])
            words = [word for word in cues if word not in asked]
            if not words:
                break
            asked.update(words)
            found = memory.search(words, window=0, limit=_EVERYTHING)
            new = [line for line in found.lines if line.id not in known]
            names = task.get("contacts", {})
            thoughts.append(recall_thought("clear", words, new, names, n_matches=found.n_matches))
            for x in new:
                name = names.get(x.speaker, x.speaker)
                known[x.id] = KnownFact(x.id, x.text, x.speaker, name, x.time, "recalled", None, -1, -1)
        return thoughts

    def _answer(self, spec: StructuredSpec, task: Mapping[str, Any], known: dict[str, KnownFact]) -> dict[str, Any]:
        answer = self.reader(task, [fact.to_json() for fact in known.values()])
        if answer is None:
            raise ReplyError("undetermined", f"no answer follows from the {len(known)} facts known")
        return {"answer": answer, "evidence": _ids_that_fit(spec.fields.get("evidence"), known)}


def _ids_that_fit(spec: ActionSpec | None, known: Mapping[str, KnownFact]) -> str:
    """Returns the ids known, if they can be named; else none."""
    ids = ", ".join(known)
    return ids if isinstance(spec, TextSpec) and len(ids) <= spec.max_chars else ""


def _tell(
    observation: Observation, spec: StructuredSpec, task: Mapping[str, Any], known: Mapping[str, KnownFact]
) -> dict[str, Any]:
    """Returns a message to all who do not know yet what this seat knows, as much of it as fits."""
    told, say = told_by(observation), spec.fields["say"]
    assert isinstance(say, TextSpec)
    wanted = _addressees(observation, task, told, has_choice="to" in spec.fields)
    lacking = {seat: [fact for fact in known if fact not in told.get(seat, ())] for seat in wanted}
    open_to = [seat for seat in wanted if lacking[seat] or seat not in told]
    if not open_to:
        return {"say": "", "side": _side(observation, task, is_done=True)}
    passed = _that_fit(known, lacking, open_to, say.max_chars - 100)
    is_done = all(set(lacking[seat]) <= set(passed) for seat in open_to)
    head = f"{_ASK}{task['partner']}." if task.get("routes") else task.get("question", "")[: say.max_chars - 100]
    text = "\n".join(known[fact].line() for fact in passed) or head
    action = {"say": f"{head}\n{text}" if task.get("routes") and passed else text}
    action |= {"cites": ", ".join(passed), "side": _side(observation, task, is_done=is_done)}
    if "to" in spec.fields:
        action["to"] = ", ".join(wanted[seat] for seat in open_to)
    return action


def _that_fit(
    known: Mapping[str, KnownFact], lacking: Mapping[str, list[str]], open_to: list[str], room: int
) -> list[str]:
    """Returns the facts that somebody lacks and that one message can hold."""
    passed: list[str] = []
    for fact in known:
        if any(fact in lacking[seat] for seat in open_to):
            room -= len(known[fact].line()) + 1
            if room < 0:
                break
            passed.append(fact)
    return passed


def _addressees(
    observation: Observation, task: Mapping[str, Any], told: Mapping[str, set[str]], *, has_choice: bool
) -> dict[str, str]:
    """Returns whom to write to, seat -> name: who is named, else everybody in reach that was not refused."""
    contacts: dict[str, str] = task.get("contacts", {})
    talking = {seat: name for seat, name in contacts.items() if seat in told}
    if not has_choice:
        partner = task.get("partner", task.get("from"))
        return talking or {seat: name for seat, name in contacts.items() if name == partner}
    refused = {event.data["name"] for event in observation.private if event.kind == "refused"}
    named = _named(observation, task)
    if named:
        return talking | {seat: name for seat, name in contacts.items() if name in named and name not in refused}
    return {seat: name for seat, name in contacts.items() if seat in told or name not in refused}


def _named(observation: Observation, task: Mapping[str, Any]) -> set[str]:
    """Returns the names this seat knows it should ask."""
    if task.get("routes"):
        return {task["routes"][0]}
    if "partner" in task:
        return {task["partner"]}
    heads = (e.data["text"].split("\n")[0] for e in observation.private if e.kind == "message")
    return {head.removeprefix(_ASK).rstrip(".") for head in heads if head.startswith(_ASK)}


def _side(observation: Observation, task: Mapping[str, Any], *, is_done: bool) -> str:
    """Returns what it says of its side: an asker is done when the partner has spoken; one who searches never is."""
    if "from" not in task:
        others = (e.seat for e in observation.private if e.kind == "message" and e.seat != observation.seat)
        has_partner = "partner" in task and "routes" not in task
        is_done = is_done and has_partner and any(True for _ in others)
    return "complete" if is_done else "go on"


def _load(path: str, where: str) -> Reader:
    module, _, name = path.partition(":")
    try:
        function = getattr(import_module(module), name) if module and name else None
    except (AttributeError, ModuleNotFoundError):
        function = None
    if not callable(function):
        raise ScenarioError(where, f"found {path!r}", "package.module:function of (question, facts)")
    return function
