"""Reads a Python program out of a text. It is parsed, never run: scoring needs a sandbox outside tidings."""

from __future__ import annotations

import ast
import re
import warnings

__all__ = ["find_program"]

_FENCE = re.compile(r"```[^\n`]*\n(.*?)(?:```|\Z)", re.DOTALL)


def _parse(source: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _has_body(source: str, entry_point: str) -> bool:
    """Returns whether the source parses and its last definition of the function does more than document itself."""
    tree = _parse(source)
    named = [
        node
        for node in (tree.body if tree else [])
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == entry_point
    ]
    if not named:
        return False
    first = named[-1].body[0]
    is_documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return len(named[-1].body) > int(is_documented)


def find_program(text: str, entry_point: str, prompt: str = "") -> str | None:
    """Returns a program that defines `entry_point`, or None.

    The last fenced block that defines the function wins, then the whole text, then either as the continuation of the
    prompt. The prompt is put in front, so that its imports and helper functions are there.

    Args:
        text: The whole reply.
        entry_point: Name of the function asked for.
        prompt: Beginning of the program as given in the question; may be empty.
    """
    candidates = [*reversed([block for block in _FENCE.findall(text) if block.strip()]), text]
    head = prompt if not prompt or prompt.endswith("\n") else prompt + "\n"
    for candidate in candidates:
        if _has_body(candidate, entry_point):
            program = head + candidate
            return program if _has_body(program, entry_point) else candidate
    continued = (head + candidate for candidate in candidates) if prompt else ()
    return next((program for program in continued if _has_body(program, entry_point)), None)
