from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidings.memory.vectors import VectorBlock, exact_scores


def unit_rows(rng: np.random.Generator, n: int, dim: int, spread: float = 1.0) -> np.ndarray:
    rows = rng.standard_normal((n, dim)) * spread + 1.0
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@settings(deadline=None, max_examples=150)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 300),
    dim=st.sampled_from((8, 33, 256)),
    n_best=st.integers(1, 20),
    spread=st.sampled_from((1e-4, 0.01, 1.0)),
    is_sparse=st.booleans(),
    chunk_bytes=st.sampled_from((1, 2**12, 2**19)),
)
def test_the_best_are_always_among_the_candidates(seed, n, dim, n_best, spread, is_sparse, chunk_bytes) -> None:
    """Recall 1 by proof: also where codes are coarse (near-equal vectors, sparse vectors, exact ties)."""
    rng = np.random.default_rng(seed)
    vectors = unit_rows(rng, n, dim, spread)
    if is_sparse:
        vectors = np.eye(dim, dtype=np.float32)[rng.integers(0, dim, n)]
    query = unit_rows(rng, 1, dim, spread)[0]
    block = VectorBlock(dim)
    block.put(range(n), vectors)
    exact = exact_scores(vectors, query)
    least = np.sort(exact)[::-1][: min(n_best, n)][-1]
    with patch("tidings.memory.vectors._CHUNK_BYTES", chunk_bytes):
        found = block.candidates(query, n_best)
    assert set(np.flatnonzero(exact >= least).tolist()) <= set(found)


def test_the_coarse_scan_leaves_little_to_do() -> None:
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((20000, 256)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    block = VectorBlock(256)
    block.put(range(20000), vectors)
    assert 10 <= len(block.candidates(vectors[7], 10)) < 100


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
