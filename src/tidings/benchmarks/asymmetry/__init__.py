"""Collaboration under information asymmetry: the data side.

Seeded generators, loaders for the original formats, perfect readers and exact scorers; the statistics of the tables are
in `tidings.benchmarks.statistics`.
Everything here is pure: no model, no clock, and no file but those a loader is pointed at.

Source: arXiv 2406.14928 (iAgents, InformativeBench), 2505.11556 (HiddenBench), 2305.20076 (DialOp), 2604.01487
(AgentSocialBench).
"""

from tidings.benchmarks.asymmetry.answers import option_keys, parse_answer, write_answer
from tidings.benchmarks.asymmetry.dialop import build_dialop, parse_proposal
from tidings.benchmarks.asymmetry.dialop_games import draw_game, load_dialop
from tidings.benchmarks.asymmetry.files import from_json, set_sha256, to_json
from tidings.benchmarks.asymmetry.hidden_profile import generate_hidden_profiles, load_hidden_bench, score_votes
from tidings.benchmarks.asymmetry.needle import generate_needles
from tidings.benchmarks.asymmetry.persona_chat import load_persona_chat
from tidings.benchmarks.asymmetry.privacy import load_privacy_scenarios
from tidings.benchmarks.asymmetry.readers import answer_from_items
from tidings.benchmarks.asymmetry.records import (
    PUBLIC,
    DataError,
    Gold,
    Person,
    PrivateItem,
    Problem,
    Question,
    Relation,
    TaskSet,
    is_visible_to,
    visible_items,
)
from tidings.benchmarks.asymmetry.schedule import generate_schedule
from tidings.benchmarks.asymmetry.schedule_floors import schedule_floors
from tidings.benchmarks.asymmetry.schedule_released import load_schedule
from tidings.benchmarks.asymmetry.scoring import score_answer, score_text, summarise_scores
from tidings.benchmarks.asymmetry.sources import fetch_snapshot, file_sha256
from tidings.benchmarks.asymmetry.town import evidence_rows, generate_town, symbolic_rows, town_rows

__all__ = [
    "PUBLIC",
    "DataError",
    "Gold",
    "Person",
    "PrivateItem",
    "Problem",
    "Question",
    "Relation",
    "TaskSet",
    "answer_from_items",
    "build_dialop",
    "draw_game",
    "evidence_rows",
    "fetch_snapshot",
    "file_sha256",
    "from_json",
    "generate_hidden_profiles",
    "generate_needles",
    "generate_schedule",
    "generate_town",
    "is_visible_to",
    "load_dialop",
    "load_hidden_bench",
    "load_persona_chat",
    "load_privacy_scenarios",
    "load_schedule",
    "option_keys",
    "parse_answer",
    "parse_proposal",
    "schedule_floors",
    "score_answer",
    "score_text",
    "score_votes",
    "set_sha256",
    "summarise_scores",
    "symbolic_rows",
    "to_json",
    "town_rows",
    "visible_items",
    "write_answer",
]
