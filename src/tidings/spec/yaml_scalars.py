"""How a plain YAML scalar becomes a value: one strict reading on which YAML 1.1 and 1.2 agree, or an error.

`1e-3` is a number (PyYAML alone would make it text); `010`, `1:30`, `0x1F`, `1_000`, dates, `.inf` and `.nan` are
refused with the advice to quote them, because tools differ on what they mean. `yes`, `no`, `on`, `off` are truth
values, as in YAML 1.1; where text was wanted, the error shows what was written.
"""

from __future__ import annotations

import math
import re

__all__ = ["STR_TAG", "Value", "is_text_when_plain", "read_plain"]

Value = str | int | float | bool | None

STR_TAG = "tag:yaml.org,2002:str"
_PREFIX = "tag:yaml.org,2002:"
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
# Numbers to some reader of YAML, but not to all.
_DISPUTED = re.compile(
    r"[-+]?(0[xob][0-9a-fA-F_]+|[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?|\.[0-9_]+([eE][-+]?[0-9]+)?"
    r"|\.(inf|Inf|INF)|[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?)|\.(nan|NaN|NAN)"
)
_TRUE = frozenset({"yes", "true", "on"})
_NULL_TEXT = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = re.compile(r"(?i:yes|no|true|false|on|off)")
_MAX_DIGITS = 400


def read_plain(tag: str, text: str) -> Value:
    """Returns the value of a scalar without quotes.

    Args:
        tag: The tag that YAML 1.1 resolves it to.
        text: What was written.

    Raises:
        ValueError: If it has no value on which readers of YAML agree; the text says what was found and what to do.
    """
    if _NUMBER.fullmatch(text) and tag in (STR_TAG, f"{_PREFIX}int", f"{_PREFIX}float"):
        return _number(text)
    if tag == f"{_PREFIX}timestamp":
        raise ValueError(f"found the date {text!r}; put it in quotes, it is text")
    if tag in (f"{_PREFIX}int", f"{_PREFIX}float") or (tag == STR_TAG and _DISPUTED.fullmatch(text)):
        raise ValueError(f"found {text!r}, which not every YAML reader takes for the same; {_advice(text)}")
    if tag == f"{_PREFIX}bool":
        return text.lower() in _TRUE
    if tag == f"{_PREFIX}null":
        return None
    if tag in (STR_TAG, f"{_PREFIX}value"):
        return text
    raise ValueError(f"found the tag {tag.replace(_PREFIX, '!!')!r}; allowed: plain YAML without tags")


def is_text_when_plain(text: str) -> bool:
    """Whether every reader takes this text for text if it is written without quotes."""
    is_number = _NUMBER.fullmatch(text) or _DISPUTED.fullmatch(text)
    return not (is_number or text in _NULL_TEXT or text == "=" or _BOOLEANS.fullmatch(text))


def _number(text: str) -> int | float:
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"found a number of {len(text)} digits; allowed: up to {_MAX_DIGITS}")
    if _WHOLE.fullmatch(text):
        return int(text)
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"found {text!r}, which is too large; allowed: finite numbers")
    return value


def _advice(text: str) -> str:
    if text.lstrip("-+").lower() in (".inf", ".nan"):
        return "write a finite number, or leave the key out"
    return "put it in quotes if it is text, else write a plain decimal number"
