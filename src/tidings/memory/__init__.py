"""What a seat can look up again: keyword search (`clear`) and embedding search (`fuzzy`), private to the seat."""

from tidings.memory.archive import ArchiveMemory, SeatArchive
from tidings.memory.embeddings import Embedder, HashingEmbedder, OpenAIEmbedder
from tidings.memory.records import ClearHit, ClearResult, Counts, FuzzyHit, Line
from tidings.memory.seat import SeatMemory
from tidings.memory.sessions import SessionCut, Summariser, cut_sessions, extract_summary
from tidings.memory.shared import SharedMemory
from tidings.memory.wordllama import WordLlamaEmbedder

__all__ = [
    "ArchiveMemory",
    "ClearHit",
    "ClearResult",
    "Counts",
    "Embedder",
    "FuzzyHit",
    "HashingEmbedder",
    "Line",
    "OpenAIEmbedder",
    "SeatArchive",
    "SeatMemory",
    "SessionCut",
    "SharedMemory",
    "Summariser",
    "WordLlamaEmbedder",
    "cut_sessions",
    "extract_summary",
]
