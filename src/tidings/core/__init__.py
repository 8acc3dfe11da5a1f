"""The vocabulary all rooms share: ids, seed paths, errors, events, action specs and ports. Standard library only."""

from tidings.core.actions import ActionSpec, ChoiceSpec, NumberSpec, StructuredSpec, TextSpec, draw_action
from tidings.core.calls import CallKey, ModelRequest, ModelResponse, PromptMessage
from tidings.core.edges import EdgesSpec
from tidings.core.errors import (
    DataError,
    GapError,
    LimitError,
    MissingPartError,
    ModelError,
    RecordError,
    ReplayError,
    ReplyError,
    RequestError,
    ScenarioError,
    SeatError,
    TidingsError,
    suggest,
)
from tidings.core.events import EVERYONE, NOBODY, PLANNER, Event, is_visible
from tidings.core.graph import SocialGraph, deliver
from tidings.core.memory import CITABLE_ID, Archive, ArchiveLine, Memory
from tidings.core.observation import EventView, Observation, PublicRecord
from tidings.core.ports import (
    Agent,
    Embedder,
    Environment,
    LanguageModel,
    Reply,
    SeatContext,
    StatesPolicy,
    Transition,
    Turn,
    World,
)
from tidings.core.seeds import SeedPath

__all__ = [
    "CITABLE_ID",
    "EVERYONE",
    "NOBODY",
    "PLANNER",
    "ActionSpec",
    "Agent",
    "Archive",
    "ArchiveLine",
    "CallKey",
    "ChoiceSpec",
    "DataError",
    "EdgesSpec",
    "Embedder",
    "Environment",
    "Event",
    "EventView",
    "GapError",
    "LanguageModel",
    "LimitError",
    "Memory",
    "MissingPartError",
    "ModelError",
    "ModelRequest",
    "ModelResponse",
    "NumberSpec",
    "Observation",
    "PromptMessage",
    "PublicRecord",
    "RecordError",
    "ReplayError",
    "Reply",
    "ReplyError",
    "RequestError",
    "ScenarioError",
    "SeatContext",
    "SeatError",
    "SeedPath",
    "SocialGraph",
    "StatesPolicy",
    "StructuredSpec",
    "TextSpec",
    "TidingsError",
    "Transition",
    "Turn",
    "World",
    "deliver",
    "draw_action",
    "is_visible",
    "suggest",
]
