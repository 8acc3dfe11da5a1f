"""A small story for tests of the environment `collaboration`: four people in a chain, and what each of them holds."""

from typing import Any

from tidings.core import Archive, SocialGraph, World
from tidings.environments.collaboration import Collaboration
from tidings.environments.collaboration_params import CollaborationParams

CHAIN = SocialGraph.from_edges("abcd", [("a", "b"), ("b", "c"), ("c", "d")], directed=False)


def item(**changes: Any) -> dict[str, Any]:
    """Returns an item: a asks where the kettle is; a knows who has it, b where that person keeps things."""
    return {
        "id": "kettle",
        "type": "chain",
        "question": "Where is the kettle?",
        "asked": ["a", "b"],
        "names": {"a": "Ada", "b": "Bo", "c": "Cy", "d": "Di"},
        "options": ["barn", "mill"],
        "facts": [
            {"fact": "f0", "owner": "a", "text": "Zed has the kettle."},
            {"fact": "f1", "owner": "b", "text": "Zed keeps things in the barn."},
            {"fact": "f2", "owner": "c", "text": "Cy likes the rain."},
        ],
        "evidence": [["f0"], ["f1"]],
        "gold": "barn",
        "gold_kind": "option",
        **changes,
    }


def build(*items: dict[str, Any], graph: SocialGraph = CHAIN, archive: Archive | None = None, **params: Any):
    """Returns the environment with these items (the story if there are none)."""
    world = World(graph, items=items or (item(),), archive=archive or Archive())
    return Collaboration.build(CollaborationParams(**params), world)
