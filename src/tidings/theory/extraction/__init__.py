"""Reads the answer out of a free text. See `tidings.theory.extraction.answer`."""

from tidings.theory.extraction.answer import extract, text_key
from tidings.theory.extraction.outcome import TASK_KINDS, Extracted, Extraction, Reason, TaskKind, Unparsable

__all__ = ["TASK_KINDS", "Extracted", "Extraction", "Reason", "TaskKind", "Unparsable", "extract", "text_key"]
