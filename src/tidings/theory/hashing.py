"""Texts to vectors without weights: hashed words and the letters in them, the same on every machine.

A text's features are its words (`tidings.theory.words`; weight 1) and the runs of three signs in each word with its
ends marked (weight 1/2), so that `clock` and `clocks` are near. A word that occurs n times adds sqrt(n) times the
weights of its features, each with its own sign at its own place; both come from the feature's BLAKE2b hash. It knows no
meaning: `car` and `automobile` are strangers.

Source: Weinberger et al. 2009, "Feature hashing for large scale multitask learning".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from tidings.theory.words import split_words

__all__ = ["hashed_vectors"]


def hashed_vectors(texts: Sequence[str], dim: int = 256) -> NDArray[np.float64]:
    """Returns one vector of length 1 per text `[n_texts, dim]`; the vector of a text depends on nothing else.

    Raises:
        ValueError: If a text is blank: nothing has no direction.
    """
    for i, text in enumerate(texts):
        if not text.strip():
            raise ValueError(f"hashed_vectors.texts[{i}]: found {text!r}; need text; leave that one out")
    rows = np.array([_vector(text, dim) for text in texts], np.float64).reshape(len(texts), dim)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@lru_cache(maxsize=4096)
def _vector(text: str, dim: int) -> tuple[float, ...]:
    row = [0.0] * dim
    # Punctuation alone has no words, but it is not nothing: it is taken as one word. Words are added in sorted order,
    # so that texts of the same words have the same vector to the last digit.
    for word, count in sorted(Counter(split_words(text) or [text.strip()]).items()):
        root = sqrt(count)
        for place, weight in _features(word, dim):
            row[place] += root * weight
    if not any(row):
        row[_place_and_sign(text, dim)[0]] = 1.0
    return tuple(row)


@lru_cache(maxsize=65536)
def _features(word: str, dim: int) -> tuple[tuple[int, float], ...]:
    ends = f"<{word}>"
    weights = [(word, 1.0), *((f"3{ends[i : i + 3]}", 0.5) for i in range(len(ends) - 2))]
    placed = [(*_place_and_sign(feature, dim), weight) for feature, weight in weights]
    return tuple((place, sign * weight) for place, sign, weight in placed)


def _place_and_sign(feature: str, dim: int) -> tuple[int, float]:
    key = int.from_bytes(blake2b(feature.encode(), digest_size=8).digest(), "big")
    return (key >> 1) % dim, 1.0 if key & 1 else -1.0
