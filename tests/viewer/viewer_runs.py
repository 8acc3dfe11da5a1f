"""Runs for the tests of the viewer: small real ones, and logs written by hand for what no environment here says."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import networkx as nx

import tidings
from tidings.core import Event
from tidings.log.store import ENDED, EventStore

HERD = """
name: herd
description: Six agents and a planner.
graph: {kind: watts_strogatz, n: 9, k: 4, p: 0.2}
agents: [{kind: bayesian, count: 5}, {kind: scripted, nodes: rest}]
planner: {kind: constant, precision: 0.8, objective: altruistic, cost: {kind: linear, weight: 0.5}}
environment: {kind: social_learning, precision: 0.7}
rollouts: {count: 3, seed: 4}
"""

MODELS = """
name: asked
graph: {kind: path, n: 3}
models: {m: {use: scripted/m}}
agents: [{kind: llm, model: m, count: 3}]
environment: {kind: social_learning}
rollouts: {count: 2, seed: 4}
"""

FAILING = """
name: failing
graph: {kind: complete, n: 4}
agents: [{kind: bayesian, count: 3}, {kind: scripted, actions: [{belief: 7, action: G}], count: 1}]
environment: {kind: social_learning}
rollouts: {count: 3, seed: 4}
"""

SUMMARY = """
name: rows
graph: {kind: complete, n: 5}
agents: [{kind: bayesian, count: 5}]
environment: {kind: social_learning}
rollouts: {count: 300, seed: 4, log: summary}
"""

EVIL = (
    "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'> "
    "[click](javascript:window.hacked=3) \u001b[31mred\u001b[0m \u202eright to left\u202c zero\u200bwidth"
)


def play(text: str, out: Path) -> Path:
    """Plays a scenario and returns the run folder."""
    path = out / "scenario-for-viewer.yaml"
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    scenario = tidings.load_scenario(path)
    path.unlink()
    return tidings.run(scenario, out=out).path


def write_run(
    folder: Path,
    graph: nx.Graph,
    rollouts: Iterable[Iterable[list[Event]]],
    *,
    status: str = "done",
    ended: bool = True,
) -> Path:
    """Writes a run folder whose log holds these steps, numbered here; returns it."""
    folder.mkdir(parents=True)
    n_done = n = 0
    store = EventStore(folder / "events")
    for rollout, steps in enumerate(rollouts):
        n, index, last = rollout + 1, 0, -1
        for last, events in enumerate(steps):
            store.append(rollout, [e._replace(step=last, index=index + i) for i, e in enumerate(events)])
            index += len(events)
        if ended:
            store.append(rollout, [Event(ENDED, (), {"status": "ok"}, None, last + 1, index)])
            store.finish(rollout)
            n_done += 1
    store.close()
    count = len(graph)
    (folder / "scenario.yaml").write_text(
        f"name: {folder.name}\ngraph: {{kind: path, n: {count}}}\nagents: [{{kind: scripted, count: {count}}}]\n"
        f"environment: {{kind: talk}}\nrollouts: {{count: {max(n, 1)}, seed: 1}}\n"
    )
    manifest = {"name": folder.name, "seed": 1, "rollouts": n, "environment": "talk", "log": "full", "models": {}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "graph.json").write_text(json.dumps(nx.node_link_data(graph, edges="edges")))
    (folder / "status.json").write_text(
        json.dumps({"status": status, "message": "", "rollouts": n, "done": n_done, "failed": 0, "pid": 2**22 + 1})
    )
    return folder


def gossip(n: int = 8, n_facts: int = 4) -> list[list[Event]]:
    """Returns the steps of a rollout in which facts are passed on along a ring, with claims, one of them false."""
    steps = [
        [
            Event("fact_declared", (), {"fact": f"f{k}", "value": f"v{k}", "owners": [f"a{k}"], "prior_p": 0.25})
            for k in range(n_facts)
        ]
        + [Event("fact", (f"a{k}",), {"fact": f"f{k}", "value": f"v{k}"}, f"a{k}") for k in range(n_facts)]
    ]
    held = {i: {i} if i < n_facts else set() for i in range(n)}
    for number in range(1, n):
        step, new = [], {i: set(facts) for i, facts in held.items()}
        for i in range(n):
            if not held[i]:
                continue
            text = "I know " + ", ".join(f"that f{k} is v{k}" for k in sorted(held[i]))
            claims = [{"fact": f"f{k}", "value": f"v{k}", "polarity": 1, "hedged": False} for k in sorted(held[i])]
            if (number, i) == (2, 1):
                claims[0] = {**claims[0], "value": "something else"}
            hearers = ((i - 1) % n, (i + 1) % n)
            audience = (f"a{i}", *(f"a{k}" for k in sorted(hearers)))
            step.append(Event("reply", (f"a{i}",), {"action": text}, f"a{i}"))
            step.append(Event("message", audience, {"text": text, "round": number, "claims": claims}, f"a{i}"))
            for k in hearers:
                new[k] |= held[i]
        held = new
        steps.append(step)
    return steps


def evil() -> list[list[Event]]:
    """Returns steps whose every text tries to do something."""
    return [
        [
            Event("topic", ("*",), {"text": EVIL}),
            Event(f"fact{EVIL[:20]}", ("a0",), {"fact": EVIL, "value": EVIL}, "a0"),
        ],
        [
            Event("reply", ("a0",), {"action": EVIL}, "a0"),
            Event("thought", ("a0",), {"about": "reasoning", "text": EVIL}, "a0"),
            Event("message", ("a0", "a1"), {"text": EVIL, "claims": [{"fact": EVIL, "value": EVIL}]}, "a0"),
            Event("message", ("a1", "a0"), {"text": "long " * 40_000}, "a1"),
        ],
    ]


def mixed() -> list[list[list[Event]]]:
    """Returns three rollouts: the first holds a number no browser can hold, in the second a seat fails."""
    large = [Event("topic", ("*",), {"text": "", "seed": 2**53 + 1})]
    failure = {"boundary": "model", "error": "connection", "message": "the server hung up"}
    return [[large], [large, [Event("failure", (), failure, "a1")]], [large]]


def deliberation() -> list[list[Event]]:
    """Returns steps in which a planner draws two graphs and stops."""
    answers = [{"seat": f"a{i}", "key": "AB"[i % 2], "reason": None, "psi": 0.9 - i / 10, "phi": 0.3} for i in range(3)]
    answers.append({"seat": "a3", "key": None, "reason": "no_cue", "psi": 0.1, "phi": None})

    def plan(number: int, edges: list[list[str]], last: list[list[str]], stop: bool = False) -> Event:
        data = {"round": number, "stop": stop, "order": ["a0", "a1", "a2", "a3"], "schedule": []}
        return Event("plan", ("planner",), data if stop else data | {"edges": edges, "last_edges": last}, "planner")

    def ledger(number: int) -> Event:
        return Event("ledger", ("planner",), {"round": number, "answers": answers, "failed": ["a3"], "calls": 4})

    def say(u: str, v: str) -> Event:
        return Event("message", (u, v, "planner"), {"text": f"{u} to {v}"}, u)

    return [
        [Event("question", ("*", "planner"), {"text": "A or B?"}), ledger(0)],
        [plan(1, [["a0", "a1"], ["a1", "a2"]], [["a3", "a0"]]), say("a0", "a1"), say("a3", "a0")],
        [say("a1", "a2"), ledger(1)],
        [plan(2, [["a0", "a3"]], []), say("a0", "a3")],
        [plan(2, [], [], stop=True)],
    ]


def all_runs(out: Path) -> Path:
    """Makes one run of every sort and returns the folder that holds them."""
    for text in (HERD, MODELS, FAILING, SUMMARY):
        play(text, out)
    write_run(out / "gossip", nx.cycle_graph(8), [gossip(), gossip(8, 2)])
    write_run(out / "evil<b>", nx.path_graph(3), [evil()])
    write_run(out / "rounds", nx.complete_graph(4), [deliberation()])
    write_run(out / "mixed", nx.path_graph(3), mixed())
    write_run(out / "empty", nx.path_graph(3), [])
    write_run(out / "torn", nx.path_graph(8), [gossip()], status="running", ended=False)
    return out


if __name__ == "__main__":
    import sys

    all_runs(Path(sys.argv[1]))
