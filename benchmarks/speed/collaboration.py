"""What the framework costs at the headline scale: 140 people, 582 relations, 30 turns over 70,000 messages.

A scripted model answers at once, so all time is the framework's: reading the archive, indexing it once, recruiting,
looking things up before each turn by keywords and by meaning, the plan, the graph of the turn, the log. Run it alone
and on one core: `OMP_NUM_THREADS=1 python benchmarks/speed/collaboration.py`. CPU seconds; ratios are within one run.
"""

from __future__ import annotations

import argparse
import gc
import tempfile
import time
from pathlib import Path
from typing import Any

from tidings.benchmarks.asymmetry.house import archive_of, edges_of, items_of, write_archive, write_items
from tidings.benchmarks.asymmetry.town import generate_town
from tidings.core import ModelRequest
from tidings.runner.execute import start_run
from tidings.runner.progress import Progress
from tidings.simulation.compile import check_components
from tidings.spec.io import make_scenario
from tidings.spec.scenario import Scenario

GOAL_S = 2.0


def answer(request: ModelRequest) -> Any:
    """Plays a model that searches, brings in whom it may, and passes on what it finds."""
    prompt, fields = request.messages[-1].content, (request.schema or {}).get("properties", {})
    if "To whom do you write now?" in prompt:
        contacts = prompt.rpartition("Your contacts: ")[2].split(", ")
        return ", ".join(contacts[request.key.step % 3 : request.key.step % 3 + 1]) or contacts[0]
    if "Write your message" in prompt:
        found = prompt.rpartition("You looked up:")[2].partition("\n\n")[0]
        return " ".join(found.split())[:300] or "I know nothing yet."
    if "facts" in fields:
        return {"facts": ["who has the thing", "where that person keeps things"]}
    if "keywords" in fields:
        question = prompt.partition("The question: ")[2].partition("?")[0].removeprefix("Where is the ")
        return {"keywords": [question.strip() or "the", "keeps", f"w{request.key.step}"], "query": question or "where"}
    if "answer" in fields:
        return {"answer": fields["answer"]["enum"][0]}
    return {}


def make(folder: Path, rows: int, turns: int, memory: str, **town_size: int) -> tuple[Scenario, str]:
    """Returns the scenario and a line that says how large it is."""
    sizes = {"n_common": 2, "n_stale": 2} if town_size else {}
    town = generate_town(0, rows=rows, **sizes, **town_size)
    problem = town.problems[0]
    lines = archive_of(problem)
    write_archive(folder / "archive.jsonl", lines)
    near = [item for item in items_of(town, has_archive=True) if item["mode"] == "pair"]
    edges = {frozenset(edge) for edge in edges_of(problem)}
    write_items(folder / "items.jsonl", [item for item in near if frozenset(item["asked"]) in edges])
    scenario = make_scenario(
        {
            "name": "town",
            "graph": {"nodes": [p.id for p in problem.people], "edges": [list(edge) for edge in edges_of(problem)]},
            "agents": [{"kind": "informative", "model": "m", "memory": memory, "patience": 1000, "nodes": "rest"}],
            "models": {"m": {"use": "scripted/m", "function": "collaboration:answer"}},
            "environment": {
                "kind": "collaboration",
                "items": str(folder / "items.jsonl"),
                "archive": str(folder / "archive.jsonl"),
                "depth": 0,
                "rounds": turns,
            },
            "rollouts": {"concurrency": 1},
        }
    )
    words = (
        f"{len(problem.people)} people, {len(problem.relations)} relations, {rows:,} messages in {len(lines):,} lines"
    )
    return scenario, words


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=70_000)
    parser.add_argument("--turns", type=int, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small, _ = make(folder, 4_000, 2, "clear", n_people=30, n_relations=100, n_hubs=2, n_chain_pairs=1)
        print(f"imports and a first small run: {play(small, folder, 1):.2f} s CPU, not counted below\n")
        for memory in ("clear", "mixed"):
            scenario, words = make(folder, options.rows, options.turns, memory)
            # What is left of making the town is not the framework's to collect.
            gc.collect()
            cpu = time.process_time()
            check_components(scenario)
            checked = time.process_time() - cpu
            one, eleven = play(scenario, folder / memory, 1), play(scenario, folder / memory, 11)
            each = (eleven - one) / 10
            print(f"{words}; memory {memory}, {options.turns} turns and an answer a rollout")
            print(f"  read and check the scenario     {checked:6.2f} s CPU")
            print(f"  first rollout, index included   {one:6.2f} s CPU")
            print(f"  both together                   {checked + one:6.2f} s CPU   goal {GOAL_S:g}")
            print(f"  each further rollout            {each:6.2f} s CPU   {each / one:.2f} of the first\n")


def play(scenario: Scenario, folder: Path, n: int) -> float:
    """Returns the CPU seconds of so many rollouts."""
    rollouts = scenario.rollouts.model_copy(update={"count": n})
    cpu = time.process_time()
    outcome = start_run(scenario.model_copy(update={"rollouts": rollouts}), folder, Progress())
    spent = time.process_time() - cpu
    assert (outcome.n_done, outcome.n_failed) == (n, 0), outcome
    return spent


if __name__ == "__main__":
    main()
