"""What an informative seat asks its model, and how the answers are read: words in, values out, nothing executed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from tidings.agents.known_facts import KnownFact
from tidings.agents.parsing import find_json_object
from tidings.agents.plan import Plan
from tidings.core import ModelResponse, ReplyError, TextSpec

__all__ = [
    "ask_facts",
    "ask_message",
    "ask_update",
    "ask_whom",
    "cited_ids",
    "consensus_words",
    "facts_schema",
    "find_consensus",
    "join_ids",
    "read_facts",
    "read_message",
    "read_names",
    "read_update",
    "update_schema",
]

_BULLET = re.compile(r"^\s*(?:[-*•]|\(?\d+[.):]|p\d+[.:)])\s*")
_UPDATE = re.compile(r"^\W*(p\d+)\W*[:=]\s*(.+)$", re.IGNORECASE)
_IDS = re.compile(r"\[([^\[\]]*)\]")
_MAX_FACT = 200
_MAX_CITED = 20


def facts_schema(n: int) -> dict[str, Any]:
    """Returns the JSON Schema of a list of needed facts."""
    facts = {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": n}
    return {"type": "object", "properties": {"facts": facts}, "required": ["facts"], "additionalProperties": False}


def ask_facts(question: str, n: int, *, is_json: bool) -> str:
    """Returns the request for the facts that a question needs."""
    form = 'Answer with one JSON object: {"facts": [...]}.' if is_json else "Write one fact per line and nothing else."
    return (
        f"Do not answer the question yet: {question}\n"
        f"Which facts must be known to answer it, yours and those of others? At most {n}, each in a few words. {form}"
    )


def read_facts(response: ModelResponse, n: int) -> list[str]:
    """Returns the facts in an answer, at most n, as JSON or one a line.

    Raises:
        ReplyError: `empty` if there is none, `not_json` if JSON was begun and is none.
    """
    text = response.text
    if text.lstrip().startswith("{"):
        given = find_json_object(text).get("facts")
        facts = [fact for fact in given if isinstance(fact, str)] if isinstance(given, list) else []
    else:
        facts = [_BULLET.sub("", line) for line in text.splitlines()]
    facts = [fact.strip()[:_MAX_FACT] for fact in facts if re.search(r"\w", fact)]
    if not facts:
        raise ReplyError("empty", "no fact was named")
    return facts[:n]


def update_schema(ids: Sequence[str]) -> dict[str, Any]:
    """Returns the JSON Schema of an update: its keys are ids of the plan."""
    sources = {"type": "array", "items": {"type": "string"}}
    fact = {"type": "object", "properties": {"value": {"type": "string"}, "from": sources}, "required": ["value"]}
    return {"type": "object", "properties": dict.fromkeys(ids, fact), "additionalProperties": False}


def ask_update(ids: Sequence[str], *, is_json: bool) -> str:
    """Returns the request to say which facts of the plan are known now."""
    form = (
        'Answer with one JSON object: id -> {"value": ..., "from": [ids of the facts in square brackets it rests on]}.'
        if is_json
        else "Write one line for each: its id, a colon, the value, then the ids of the facts it rests on in brackets."
    )
    return f"Which of {', '.join(ids)} do you know now? Leave out what you do not know; never make one up. {form}"


def read_update(response: ModelResponse, known: Collection[str]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Returns plan id -> (value, fact ids it rests on); lines of another form say nothing.

    Raises:
        ReplyError: `not_json` if JSON was begun and is none, `unparsable` if its values have another form.
    """
    if response.text.lstrip().startswith("{"):
        return {key: _json_value(key, value) for key, value in find_json_object(response.text).items()}
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for line in response.text.splitlines():
        if match := _UPDATE.match(line):
            sources = tuple(word for part in _IDS.findall(match[2]) for word in re.split(r"[\s,;]+", part) if word)
            value = _IDS.sub("", match[2]) if any(source in known for source in sources) else match[2]
            found.setdefault(match[1].lower(), (value.strip(), sources))
    return found


def _json_value(key: str, value: Any) -> tuple[str, tuple[str, ...]]:
    if isinstance(value, str):
        return value, ()
    if isinstance(value, dict) and isinstance(value.get("value"), str | int | float):
        sources = value.get("from", [])
        return str(value["value"]), tuple(s for s in sources if isinstance(s, str)) if isinstance(sources, list) else ()
    if value is None or (isinstance(value, dict) and value.get("value", "") is None):
        return "", ()
    raise ReplyError("unparsable", f"{key}: need a value as text")


def ask_whom(contacts: Sequence[str], talking: Sequence[str], routes: Iterable[str]) -> str:
    """Returns the request for the names of those to write to."""
    lines = [f"To whom do you write now? Your contacts: {', '.join(contacts)}."]
    if talking:
        lines.append(f"In the conversation already: {', '.join(talking)}.")
    if routes := list(routes):
        lines.append(f"The one who knows is reached through {', '.join(routes)}.")
    return " ".join([*lines, "Answer with one or more of these names, with commas, and nothing else."])


def read_names(response: ModelResponse, contacts: Sequence[str], *, is_needed: bool) -> str:
    """Returns the contacts an answer names, with commas; empty if it names none and that is allowed.

    A name within a longer one counts only where it stands alone: `Ada Two` does not name `Ada`.

    Raises:
        ReplyError: `no_addressee` if it names none and there is nobody to answer.
    """
    longest_first = "|".join(re.escape(name) for name in sorted(contacts, key=len, reverse=True))
    pattern = re.compile(rf"(?<!\w)(?:{longest_first})(?!\w)", re.IGNORECASE)
    found = {match[0].casefold() for match in pattern.finditer(response.text)} if contacts else set[str]()
    named = [name for name in contacts if name.casefold() in found]
    if not named and is_needed:
        raise ReplyError("no_addressee", "none of your contacts is named")
    return ", ".join(named)


def ask_message(plan: Plan | None, to: str) -> str:
    """Returns the request for the message."""
    lines = [f"Write your message{f' to {to}' if to else ''}, at most three sentences."]
    lines.append("First answer what you were asked, with the facts you hold.")
    if plan is not None and plan.open:
        lines.append(f"Then ask for what is open in your plan: {'; '.join(fact.text for fact in plan.open)}.")
    lines.append("Put the id of every fact you tell in square brackets. Write the message and nothing else.")
    return " ".join(lines)


def read_message(response: ModelResponse, spec: TextSpec) -> str:
    """Returns the message in an answer.

    Raises:
        ReplyError: `cut_off` if it did not come to its end, `empty`, or `too_long`.
    """
    if response.finish == "length":
        raise ReplyError("cut_off", "the message was cut off at its longest allowed length")
    text = response.text.strip()
    if not text:
        raise ReplyError("empty", "the message is empty")
    return spec.check(text)


def cited_ids(text: str, known: Mapping[str, KnownFact]) -> list[str]:
    """Returns the fact ids a message tells: those in its square brackets, and those it repeats word for word."""
    bracketed = [word for part in _IDS.findall(text) for word in re.split(r"[\s,;]+", part) if word]
    # Words that are no ids (`[sic]`) are left out, unless they look like one: a made-up id is counted by the rules.
    like_ids = {re.sub(r"\d+", "0", fact) for fact in known}
    ids = [word for word in bracketed if word in known or re.sub(r"\d+", "0", word) in like_ids]
    ids += [fact.id for fact in known.values() if fact.text in text]
    return list(dict.fromkeys(ids))[:_MAX_CITED]


def find_consensus(plan: Plan, known: Mapping[str, KnownFact]) -> dict[str, list[str]]:
    """Returns the plan's facts sorted by code: by where their sources come from.

    `cross_checked`: sources from own knowledge and from others; `supported`: sources of one side; `unsupported`: known
    without a source; `conflicts`; `open`.
    """
    groups: dict[str, list[str]] = {
        name: [] for name in ("cross_checked", "supported", "unsupported", "conflicts", "open")
    }
    for fact in plan.facts:
        sides = {known[source].source == "told" for source in fact.sources if source in known}
        if fact.status == "conflict":
            groups["conflicts"].append(fact.id)
        elif fact.status != "known":
            groups["open"].append(fact.id)
        else:
            groups[("unsupported", "supported", "cross_checked")[len(sides)]].append(fact.id)
    return groups


def consensus_words(plan: Plan, consensus: Mapping[str, Sequence[str]]) -> str:
    """Returns what the model is told before the final answer."""
    lines = ["The talk is over. Answer from what is known."]
    named = {
        "cross_checked": "Both sides agree on",
        "supported": "One side says",
        "unsupported": "Without any source, trust it little:",
        "conflicts": "The sides contradict each other on, so leave out what does not fit the rest:",
    }
    lines += [f"{text} {', '.join(consensus[name])}." for name, text in named.items() if consensus[name]]
    return " ".join(lines)


def join_ids(ids: Iterable[str], max_chars: int) -> str:
    """Returns ids with commas, each once, as many as fit."""
    text = ""
    for one in dict.fromkeys(ids):
        longer = f"{text}, {one}" if text else one
        if len(longer) > max_chars:
            break
        text = longer
    return text
