"""Looking things up before a turn: the model says what to look for, the memory finds it, a thought records it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tidings.agents.known_facts import RECALL, find_task, recall_thought
from tidings.agents.parsing import find_json_object
from tidings.agents.turn_calls import TurnCalls
from tidings.core import LanguageModel, Memory, Observation, PromptMessage, ReplyError

__all__ = ["recall", "recall_lines"]

_MAX_KEYWORDS = 8
_MAX_WORDS = 4
_SHOWN = 5

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "keywords": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": _MAX_KEYWORDS},
        "window": {"type": "integer", "minimum": 0, "maximum": 5},
        "limit": {"type": "integer", "minimum": 1, "maximum": 100},
        "query": {"type": "string"},
    },
    "required": ["keywords"],
    "additionalProperties": False,
}


async def recall(
    calls: TurnCalls,
    model: LanguageModel,
    memory: Memory,
    observation: Observation,
    messages: Sequence[PromptMessage],
    *,
    max_tokens: int,
) -> list[dict[str, Any]]:
    """Returns thoughts with what was looked up; none if the model named nothing to look for.

    The model is asked anew before every turn, and sees what it looked for before and how much that found. A search that
    goes wrong because of what the model wrote finds nothing; its thought says so.

    Args:
        calls: The calls of this turn.
        model: The seat's model.
        memory: The seat's memory.
        observation: What the seat may see.
        messages: The chat so far.
        max_tokens: Longest answer, in tokens.
    """
    is_json = "json" in model.kinds
    chat = [*messages]
    request = _request(observation, memory, is_json)
    chat[-1] = PromptMessage(chat[-1].role, f"{chat[-1].content}\n\n{request}")
    how: dict[str, Any] = {"kind": "json", "schema": SCHEMA} if is_json else {}
    response = await calls.respond(chat, max_tokens=max_tokens, **how)
    wanted = _read_json(response.text) if is_json else {"keywords": _words(response.text)}
    names = find_task(observation).get("contacts", {})
    thoughts: list[dict[str, Any]] = []
    if memory.settings.kind != "fuzzy":
        thoughts.append(_search(memory, wanted, names))
    if memory.settings.kind != "clear":
        thoughts.append(await _search_sessions(memory, wanted, observation, names))
    return thoughts


def _search(memory: Memory, wanted: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    keywords = [word for word in wanted["keywords"] if re.search(r"\w", word)]
    if not keywords:
        return recall_thought("clear", [], (), names, n_matches=0, n_held=memory.n_held, error="no keyword")
    window, limit = wanted.get("window"), wanted.get("limit")
    settings = memory.settings
    found = memory.search(
        keywords,
        window=settings.window if window is None else min(window, 5),
        limit=settings.limit if limit is None else min(max(limit, 1), settings.limit),
    )
    return recall_thought("clear", keywords, found.lines, names, n_matches=found.n_matches, n_held=memory.n_held)


async def _search_sessions(
    memory: Memory, wanted: Mapping[str, Any], observation: Observation, names: Mapping[str, str]
) -> dict[str, Any]:
    query = wanted.get("query") or " ".join(wanted["keywords"]) or find_task(observation).get("question", "")
    if not query.strip():
        return recall_thought("fuzzy", "", (), names, n_held=memory.n_held, error="no query")
    hits = await memory.search_sessions(query)
    lines = memory.read(list(dict.fromkeys(line for hit in hits for line in hit.line_ids)))
    return recall_thought("fuzzy", query, lines[: memory.settings.limit], names, n_held=memory.n_held)


def recall_lines(thoughts: Sequence[Mapping[str, Any]]) -> str:
    """Returns what was looked up as text for a prompt; each line once; says so when nothing was found."""
    lines = {x["fact"]: f"- [{x['fact']}] {x['name']}: {x['text']}" for t in thoughts for x in t.get("lines", ())}
    return "\n".join(["You looked up:", *lines.values()]) if lines else "You looked things up and found nothing."


def _request(observation: Observation, memory: Memory, is_json: bool) -> str:
    earlier = [e.data for e in observation.private if e.kind == "thought" and e.data.get("about") == RECALL]
    lines = [f"You can look things up in {memory.n_held} old messages of the person you act for."]
    for data in earlier[-_SHOWN:]:
        asked = ", ".join(data["asked"]) if isinstance(data["asked"], list) else data["asked"]
        lines.append(f"Before, you looked for {asked!r} and got {len(data['lines'])} messages.")
    if is_json:
        lines.append("Answer with one JSON object: keywords (a list), perhaps window, limit and query (in words).")
    else:
        lines.append("Which words do you look for? Answer with a few words, with commas between them, nothing else.")
    return "\n".join(lines)


def _read_json(text: str) -> dict[str, Any]:
    value = find_json_object(text)
    keywords = value.get("keywords")
    if not isinstance(keywords, list) or not all(isinstance(word, str) for word in keywords):
        raise ReplyError("unparsable", "keywords must be a list of texts")
    numbers = {name: value[name] for name in ("window", "limit") if type(value.get(name)) is int and value[name] >= 0}
    query = {"query": value["query"]} if isinstance(value.get("query"), str) else {}
    return {"keywords": keywords[:_MAX_KEYWORDS], **numbers, **query}


def _words(text: str) -> list[str]:
    """Returns the keywords in plain text: short pieces between commas and line ends."""
    pieces = [piece.strip(" .\"'*-") for piece in re.split(r"[,;\n]", text)]
    return [piece for piece in pieces if piece and len(piece.split()) <= _MAX_WORDS][:_MAX_KEYWORDS]
