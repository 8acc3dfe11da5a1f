"""Who knew which fact, since when and from whom: exact provenance from a log of facts and messages.

A fact log is a mapping with

* `agents`: list of ids;
* `facts`: list of `{fact_id, owner, bits, visibility}`: `owner` one id or a list, `visibility` the ids that may know
  it, and `value` if it is valued, that is, not merely true or false;
* `messages`: list of `{msg_id, t, sender, recipients, tokens, facts}`: t an integer from 0 up, `recipients` those who
  got it (leave out whom it was dropped for), `facts` a list of mentions. Other fields are ignored.

A mention is `{fact_id, polarity}`, +1 states the truth and -1 denies it, or `{fact_id, value}` for a valued fact.

Messages count in the order (t, msg_id as text). One mention is one (message, fact), one delivery one recipient of it.
An owner knows from t = 0, others from the first delivered mention of any polarity; its sender is then the parent and
its polarity (or value) the belief, both frozen. The owner's belief is +1 (or the value): the truth.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tidings.theory.information.trees import TreeShape, tree_shapes

__all__ = ["FactTrace", "trace_facts"]

_MESSAGE_FIELDS = frozenset({"msg_id", "t", "sender", "recipients", "tokens", "facts"})
_FACT_FIELDS = frozenset({"fact_id", "owner", "bits", "visibility"})
_LOG_FIELDS = frozenset({"agents", "facts", "messages"})


@dataclass(slots=True)
class FactTrace:
    """What became of one fact, in order of the messages. Filled by `trace_facts`; to be read, not changed.

    Attributes:
        fact_id: Its id.
        owners: Agents that know it from the start.
        truth: Its true value; +1 unless the fact has one of its own.
        is_valued: Whether mentions may state values.
        bits: Its information, -log2 of its prior probability.
        visibility: Agents that may know it.
        since: Time since which each knower knows, in order of learning.
        parent: Sender of each knower's first mention; None for owners.
        learned_from: Message of each knower's first mention; owners have none.
        belief: What each knower was first told.
        n_mentions: Mentions, by knowers and others.
        n_useful: Deliveries to agents that did not know.
        n_redundant: Deliveries to agents that knew, owners included.
        distortions: Messages whose sender knew and stated something else than its belief.
        unsupported: Messages whose sender did not know.
        leaks: (message, recipient) of each delivery outside `visibility`, repeats included.
    """

    fact_id: Hashable
    owners: tuple[Hashable, ...]
    truth: Any
    is_valued: bool
    bits: float
    visibility: frozenset[Hashable]
    since: dict[Hashable, int] = field(default_factory=dict)
    parent: dict[Hashable, Hashable | None] = field(default_factory=dict)
    learned_from: dict[Hashable, Hashable] = field(default_factory=dict)
    belief: dict[Hashable, Any] = field(default_factory=dict)
    n_mentions: int = 0
    n_useful: int = 0
    n_redundant: int = 0
    distortions: list[Hashable] = field(default_factory=list)
    unsupported: list[Hashable] = field(default_factory=list)
    leaks: list[tuple[Hashable, Hashable]] = field(default_factory=list)

    def path_to(self, agent: Hashable) -> tuple[Hashable, ...] | None:
        """Returns the agents over which the fact first came to `agent`, from the first sender to `agent` itself.

        Undefined: None if the agent does not know it, or if the chain loops. A path that does not start at an owner
            starts at an agent that made the fact up.
        """
        path: list[Hashable] = []
        current: Hashable | None = agent if agent in self.since else None
        while current is not None:
            if current in path:
                return None
            path.append(current)
            current = self.parent.get(current)
        return tuple(reversed(path)) or None

    def tree(self) -> TreeShape | None:
        """Returns the shape of the largest first-exposure tree; of equals, that of the first owner.

        Undefined: None if a knower's chain does not end at an owner.
        """
        shapes = tree_shapes(self.parent)
        return max(shapes, key=lambda shape: shape.n_nodes) if shapes else None

    def coverage(self, n_agents: int, t_max: int) -> list[float]:
        """Returns the share of agents that know at each time 0..t_max `[t_max + 1]`."""
        result: list[float] = []
        for n_knowing, t in enumerate(self.since.values()):
            result.extend([n_knowing / n_agents] * (t - len(result)))
        result.extend([len(self.since) / n_agents] * (t_max + 1 - len(result)))
        return result

    def time_to_half(self, n_agents: int) -> int | None:
        """Returns the first time at which at least half of the agents know; None if never."""
        n_needed = (n_agents + 1) // 2
        return list(self.since.values())[n_needed - 1] if 0 < n_needed <= len(self.since) else None


def trace_facts(log: Mapping[str, Any]) -> dict[Hashable, FactTrace]:
    """Returns the provenance of every fact, in one pass over the messages.

    Memory grows with first exposures, leaks, distortions and unsupported mentions, not with deliveries.

    Args:
        log: Fact log, see the head of this file.

    Raises:
        ValueError: A missing field, an unknown or repeated id, a time that is no integer from 0 up, or two statements
            about one fact in one message that contradict each other.
    """
    _check_fields(log, _LOG_FIELDS, "log")
    agents = frozenset(log["agents"])
    traces: dict[Hashable, FactTrace] = {}
    for index, fact in enumerate(log["facts"]):
        trace = _open_trace(fact, agents, f"facts[{index}]")
        if trace.fact_id in traces:
            raise ValueError(f"facts[{index}].fact_id: {trace.fact_id!r} again; allowed is each id once")
        traces[trace.fact_id] = trace
    for message in _in_order(log["messages"]):
        _trace_message(message, agents, traces)
    return traces


def _open_trace(fact: Mapping[str, Any], agents: frozenset[Hashable], where: str) -> FactTrace:
    _check_fields(fact, _FACT_FIELDS, where)
    owner = fact["owner"]
    owners = tuple(dict.fromkeys(owner)) if isinstance(owner, (list, tuple)) else (owner,)
    _check_agents(owners, agents, f"{where}.owner")
    if not fact["bits"] >= 0.0:
        raise ValueError(f"{where}.bits: {fact['bits']!r}; allowed are bits from 0 up")
    truth, bits, visibility = fact.get("value", 1), float(fact["bits"]), frozenset(fact["visibility"])
    trace = FactTrace(fact["fact_id"], owners, truth, "value" in fact, bits, visibility)
    for agent in owners:
        trace.since[agent], trace.parent[agent], trace.belief[agent] = 0, None, truth
    return trace


def _in_order(messages: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Returns the messages by (t, id as text), after checking fields, times and ids."""
    keyed: list[tuple[int, str, Mapping[str, Any]]] = []
    for index, message in enumerate(messages):
        _check_fields(message, _MESSAGE_FIELDS, f"messages[{index}]")
        t = message["t"]
        if isinstance(t, bool) or not isinstance(t, (int, float)) or t < 0 or t != int(t):
            raise ValueError(f"messages[{index}].t: {t!r}; allowed are integers from 0 up; use step numbers")
        keyed.append((int(t), str(message["msg_id"]), message))
    if len({key[1] for key in keyed}) != len(keyed):
        seen: set[str] = set()
        repeated = next(key[1] for key in keyed if key[1] in seen or seen.add(key[1]))
        raise ValueError(f"messages: id {repeated!r} more than once; allowed is each id once")
    keyed.sort(key=lambda key: key[:2])
    return [message for _, _, message in keyed]


def _trace_message(message: Mapping[str, Any], agents: frozenset[Hashable], traces: dict[Hashable, FactTrace]) -> None:
    msg_id, sender, t = message["msg_id"], message["sender"], int(message["t"])
    recipients = list(dict.fromkeys(message["recipients"]))
    if sender not in agents or not agents.issuperset(recipients):
        _check_agents((sender, *recipients), agents, f"message {msg_id!r}")
    for trace, stated in _statements(message, traces):
        trace.n_mentions += 1
        belief, visibility = trace.belief, trace.visibility
        if sender not in belief:
            trace.unsupported.append(msg_id)
        elif belief[sender] != stated:
            trace.distortions.append(msg_id)
        for recipient in recipients:
            if recipient in belief:
                trace.n_redundant += 1
            else:
                trace.n_useful += 1
                belief[recipient] = stated
                trace.since[recipient], trace.parent[recipient] = t, sender
                trace.learned_from[recipient] = msg_id
            if recipient not in visibility:
                trace.leaks.append((msg_id, recipient))


def _statements(message: Mapping[str, Any], traces: dict[Hashable, FactTrace]) -> Iterable[tuple[FactTrace, Any]]:
    """Returns fact and statement of each mention; the same statement twice in one message is one mention."""
    mentions = message["facts"]
    result: dict[Hashable, tuple[FactTrace, Any]] = {}
    for mention in mentions:
        trace = traces.get(mention["fact_id"])
        if trace is None:
            raise ValueError(
                f"message {message['msg_id']!r}: fact {mention['fact_id']!r}; allowed are the ids in `facts`"
            )
        stated = _statement(mention, trace, message["msg_id"])
        earlier = result.setdefault(trace.fact_id, (trace, stated))
        if earlier[1] != stated:
            raise ValueError(
                f"message {message['msg_id']!r}: fact {trace.fact_id!r} stated as {earlier[1]!r} and {stated!r}; "
                "allowed is one statement per message; split the message or drop one"
            )
    return result.values()


def _statement(mention: Mapping[str, Any], trace: FactTrace, msg_id: Hashable) -> Any:
    """Returns what is stated: a value, the truth for polarity +1, or -1 for its denial."""
    if "value" in mention and trace.is_valued and "polarity" not in mention:
        return mention["value"]
    polarity = mention.get("polarity")
    if "value" in mention or polarity not in (1, -1):
        allowed = "polarity +1 or -1" + (", or a value alone" if trace.is_valued else "; the fact declares no value")
        raise ValueError(f"message {msg_id!r}, fact {trace.fact_id!r}: {dict(mention)!r}; allowed is {allowed}")
    return trace.truth if polarity == 1 else -1


def _check_fields(record: Mapping[str, Any], needed: frozenset[str], where: str) -> None:
    if not needed <= record.keys():
        missing = sorted(needed - record.keys())
        raise ValueError(f"{where}: without {', '.join(missing)}; allowed are records with {', '.join(sorted(needed))}")


def _check_agents(named: Iterable[Hashable], agents: frozenset[Hashable], where: str) -> None:
    for agent in named:
        if agent not in agents:
            raise ValueError(f"{where}: {agent!r}; allowed are the ids in `agents`; add it there or leave it out")
