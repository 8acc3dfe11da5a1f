from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidings.memory import vectors as vectors_module
from tidings.memory.vectors import VectorBlock, exact_scores


def unit_rows(rng: np.random.Generator, n: int, dim: int, spread: float = 1.0) -> np.ndarray:
    rows = rng.standard_normal((n, dim)) * spread + 1.0
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def low_rank_rows(rng: np.random.Generator, n: int, dim: int, rank: int, noise: float) -> np.ndarray:
    """Returns vectors as those of texts are: most of their length lies in few directions."""
    rows = rng.standard_normal((n, rank)) @ rng.standard_normal((rank, dim)) + noise * rng.standard_normal((n, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def is_complete(vectors: np.ndarray, query: np.ndarray, n_best: int, head: int, few: int) -> bool:
    """Returns whether the candidates hold all that a full scan in float64 finds, ties included."""
    exact = exact_scores(vectors, query)
    least = np.sort(exact)[::-1][: min(n_best, len(exact))][-1]
    with patch("tidings.memory.vectors._HEAD", head), patch("tidings.memory.vectors._FEW", few):
        block = VectorBlock(vectors.shape[1])
        # Some come before the directions are found, some after, some are replaced.
        n_first = len(vectors) // 2 + 1
        block.put(range(n_first), vectors[:n_first][::-1])
        block.candidates(query, n_best)
        block.put(range(len(vectors)), vectors)
        found = block.candidates(query, n_best)
    return set(np.flatnonzero(exact >= least).tolist()) <= set(found)


cases = given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 300),
    dim=st.sampled_from((8, 33, 256)),
    n_best=st.integers(1, 20),
    kind=st.sampled_from(("near-equal", "near", "spread", "sparse", "low rank")),
    head=st.sampled_from((1, 4, 7, 64)),
    few=st.sampled_from((1, 20, 4096)),
)


def draw(seed: int, n: int, dim: int, kind: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    if kind == "sparse":
        vectors = np.eye(dim, dtype=np.float32)[rng.integers(0, dim, n)]
    elif kind == "low rank":
        vectors = low_rank_rows(rng, n, dim, 5, 0.1)
    else:
        vectors = unit_rows(rng, n, dim, {"near-equal": 1e-4, "near": 0.01, "spread": 1.0}[kind])
    query = vectors[rng.integers(0, n)] + 0.3 * unit_rows(rng, 1, dim)[0]
    return vectors, query / np.linalg.norm(query)


@settings(deadline=None, max_examples=300)
@cases
def test_the_best_are_always_among_the_candidates(seed, n, dim, n_best, kind, head, few) -> None:
    """Recall 1 by proof: also where heads say little, and where vectors are nearly or exactly equal."""
    assert is_complete(*draw(seed, n, dim, kind), n_best, head, few)


@pytest.mark.parametrize("fault", [0.7, 0.9])
def test_a_bound_that_is_too_narrow_loses_some_of_the_best(fault: float) -> None:
    """The fault planted: tails said to be shorter than they are."""

    def is_always_complete() -> bool:
        data = [draw(seed, 300, 33, "low rank") for seed in range(60)]
        return all(is_complete(vectors, query, 5, 4, 20) for vectors, query in data)

    def too_short(vectors: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        heads, tails = split(vectors, directions)
        return heads, np.float32(fault) * tails

    split = vectors_module._split
    assert is_always_complete()
    with patch("tidings.memory.vectors._split", too_short):
        assert not is_always_complete()


def test_heads_leave_little_to_do() -> None:
    rng = np.random.default_rng(1)
    vectors = low_rank_rows(rng, 20000, 256, 40, 0.3)
    block = VectorBlock(256)
    block.put(range(20000), vectors)
    assert 10 <= len(block.candidates(vectors[7], 10)) < 30
    slots = block._within_reach(vectors[7], 10, 1e-4)
    assert slots is not None
    assert len(slots) < 200


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=60), st.integers(0, 99))
def test_put_and_drop_keep_each_vector_under_its_key(changes, seed) -> None:
    rng = np.random.default_rng(seed)
    block, known = VectorBlock(8), {}
    for key, is_drop in changes:
        if is_drop:
            block.drop(key)
            known.pop(key, None)
        else:
            known[key] = unit_rows(rng, 1, 8)[0]
            block.put([key], known[key][None])
    assert len(block) == len(known)
    for key, vector in known.items():
        nearest = max(known, key=lambda other: float(exact_scores(known[other][None], vector)[0]))
        assert nearest == key
        assert key in block.candidates(vector, 1)
    assert set(block.candidates(np.ones(8, np.float32), 10)) == set(known)


def test_an_empty_block_has_no_candidates() -> None:
    assert VectorBlock(8).candidates(np.ones(8, np.float32), 3) == []


def test_scores_do_not_depend_on_the_company() -> None:
    rng = np.random.default_rng(3)
    vectors, query = unit_rows(rng, 50, 256), unit_rows(rng, 1, 256)[0]
    alone = [exact_scores(vector[None], query)[0] for vector in vectors]
    assert exact_scores(vectors, query).tolist() == alone
    assert exact_scores(vectors, query) == pytest.approx((vectors @ query).tolist(), abs=1e-6)
