"""Every golden row of the information-flow sheet: the graded functions directly, the rest by their procedure."""

import inspect
import json
import math
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest

from tidings.theory import information

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "information_flow.json").read_text())
ROWS = GOLDEN["rows"]


def public(oracle_name):
    return getattr(information, GOLDEN["api"][oracle_name]["public_name"])


def evaluate(oracle_name, call):
    """Calls a graded function as `row_format` says."""
    arguments = {key: value for key, value in call.items() if not key.startswith("_")}
    for key in ("v", "util"):
        if key in arguments:
            arguments[key] = {tuple(subset): value for subset, value in arguments[key]}
    if "parent" in arguments:
        arguments["parent"] = dict(arguments["parent"])
    if "doc_labels" in arguments:
        arguments["doc_labels"] = [frozenset(atoms) for atoms in arguments["doc_labels"]]
    if isinstance(arguments.get("log"), str):
        arguments["log"] = GOLDEN[arguments["log"]]
    result = public(oracle_name)(**arguments)
    if "_key" in call:
        result = result[call["_key"]]
    for key in call.get("_path", ()):
        result = result[key]
    return result


def path_law(kernel, n):
    """P(x-path, y-path) of a stationary binary chain, by enumeration."""
    steps = np.array(kernel).reshape(4, 4)
    law = np.full(4, 0.25)
    for _ in range(4000):
        law = law @ steps
    joint = np.zeros((2**n, 2**n))
    for states in product(range(4), repeat=n):
        p = law[states[0]] * math.prod(steps[a, b] for a, b in pairwise(states))
        x = sum((s // 2) << i for i, s in enumerate(states))
        y = sum((s % 2) << i for i, s in enumerate(states))
        joint[x, y] += p
    return joint


def path_mi(via):
    return evaluate("mi_from_joint", {"joint": path_law(GOLDEN["chains"][via["chain"]], via["n"])})


def reverse_di(via):
    kernel = GOLDEN["chains"][via["chain"]]
    return path_mi(via) - evaluate("directed_information", {"kernel": kernel, "n": via["n"], "src": "x"})


def conditional_mi(via):
    law = np.array(via["joint"])
    a, b, c = via["a"], via["b"], via["c"]
    rest = tuple(axis for axis in range(law.ndim) if axis not in a + b + c)
    law = np.transpose(law.sum(axis=rest, keepdims=True), [*a, *b, *c, *rest])
    shape = [math.prod(np.array(via["joint"]).shape[axis] for axis in axes) for axes in (a, b, c)]
    law = law.reshape(shape)
    slices = [law[:, :, index] for index in range(law.shape[2]) if law[:, :, index].sum() > 0]
    by_slices = sum(part.sum() * evaluate("mi_from_joint", {"joint": part / part.sum()}) for part in slices)
    assert information.conditional_mutual_information(via["joint"], a, b, c) == pytest.approx(by_slices, abs=1e-12)
    return by_slices


def multisets(n_kinds, size):
    """All count vectors of the given size with their multinomial coefficients."""
    for cuts in product(range(size + 1), repeat=n_kinds - 1):
        if sum(cuts) <= size:
            counts = (*cuts, size - sum(cuts))
            yield counts, math.factorial(size) / math.prod(math.factorial(count) for count in counts)


def expected_logprob_mi(via):
    channel = np.array(GOLDEN["channels"][via["channel"]])
    scores = np.log(np.array(GOLDEN["proxies" if via["proxy"] else "channels"][via["channel"]]))
    n_worlds, n_texts = channel.shape
    total = 0.0
    for x in range(n_worlds):
        if via["contexts"] is None:
            draws = [((1,) * n_worlds, 1.0)]
        else:
            size = via["contexts"] - 1
            draws = [(counts, ways / n_worlds**size) for counts, ways in multisets(n_worlds, size)]
        for counts, p_draw in draws:
            if via["contexts"] is None:
                columns, own = list(range(n_worlds)), x
            else:
                columns, own = [x, *(other for other, count in enumerate(counts) for _ in range(count))], 0
            for z in range(n_texts):
                call = {"logp": scores[columns, z][None, :], "src": [own], "include_self": via["include_self"]}
                total += p_draw * channel[x, z] / n_worlds * evaluate("mi_logprob", call)
    return total


def expected_count_mi(via):
    law, n = np.array(via["joint"]).reshape(-1), via["n"]
    total = 0.0
    for counts, ways in multisets(4, n):
        cells = np.repeat(np.arange(4), counts)
        p = ways * math.prod(float(q) ** count for q, count in zip(law, counts, strict=True))
        total += p * evaluate(via["estimator"], {"x": cells // 2, "y": cells % 2})
    return total


PROCEDURES = {
    "path_mi": path_mi,
    "reverse_di": reverse_di,
    "conditional_mi": conditional_mi,
    "expected_logprob_mi": expected_logprob_mi,
    "expected_count_mi": expected_count_mi,
    "scaled": lambda via: evaluate(via["of"]["api"], via["of"]["call"]) / via["divide_by"],
    "call": lambda via: evaluate(via["api"], via["call"]),
}


def check(result, value, tol):
    if value is None:
        assert result is None or math.isnan(result) or result == -math.inf
    elif isinstance(value, list):
        assert len(result) == len(value)
        for part, expected in zip(result, value, strict=True):
            check(part, expected, tol)
    elif isinstance(value, str):
        assert result == value
    else:
        assert abs(result - value) <= tol


@pytest.mark.parametrize("row", [row for row in ROWS if "api" in row], ids=lambda row: row["id"])
def test_graded_row(row):
    check(evaluate(row["api"], row["call"]), row["value"], row["tol"])


def is_long(via):
    return (via.get("contexts") or 0) >= 8 or via.get("n", 0) >= 50


@pytest.mark.parametrize(
    "row",
    [pytest.param(row, marks=[pytest.mark.slow] * is_long(row["via"])) for row in ROWS if "via" in row],
    ids=lambda row: row["id"],
)
def test_derived_row(row):
    check(PROCEDURES[row["via"]["procedure"]](row["via"]), row["value"], row["tol"])


def test_every_row_is_tested():
    assert all(("api" in row) != ("via" in row) for row in ROWS)
    assert set(PROCEDURES) == set(GOLDEN["procedures"])


@pytest.mark.parametrize("name", sorted(GOLDEN["api"]))
def test_names_of_the_sheet(name):
    parameters = inspect.signature(public(name)).parameters.values()
    written = ", ".join(
        parameter.name if parameter.default is inspect.Parameter.empty else f"{parameter.name}={parameter.default!r}"
        for parameter in parameters
    )
    assert f"{name}({written})" == GOLDEN["api"][name]["signature"]


def test_sheet_has_38_functions_and_exports_are_sorted():
    assert len(GOLDEN["api"]) == 38
    assert information.__all__ == sorted(information.__all__)
