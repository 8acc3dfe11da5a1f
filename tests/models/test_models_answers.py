"""Pure functions between what a model or server says and what a response holds."""

import itertools
import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.core import ModelError
from tidings.models.first_tokens import choose_by_first_token
from tidings.models.served_failures import connection_failure, parse_retry_after, status_failure, timeout_failure
from tidings.models.transformers.options import option_probabilities


def logs(**probabilities):
    return [(token.replace("_", " "), math.log(p)) for token, p in probabilities.items()]


def test_first_tokens_are_renormalised_and_the_mass_is_kept():
    probabilities, mass, open_ends = choose_by_first_token(("A", "B"), logs(A=0.3, B=0.1, C=0.4))
    assert probabilities == pytest.approx((0.75, 0.25))
    assert mass == pytest.approx(0.4)
    assert open_ends == {}


def test_leading_blanks_and_beginnings_count():
    probabilities, mass, _ = choose_by_first_token(("Approve", "Reject"), logs(App=0.2, _Approve=0.2, Re=0.4))
    assert probabilities == pytest.approx((0.5, 0.5))
    assert mass == pytest.approx(0.8)


def test_a_longer_word_that_begins_like_an_option_does_not_count():
    _, mass, _ = choose_by_first_token(("A", "B"), logs(A=0.2, Apple=0.5, B=0.2))
    assert mass == pytest.approx(0.4)


def test_an_option_that_was_not_reported_is_named_with_its_bound():
    probabilities, _, open_ends = choose_by_first_token(("A", "B", "C"), logs(A=0.6, B=0.2, x=0.05))
    assert probabilities == pytest.approx((0.75, 0.25, 0.0))
    assert open_ends == {"unseen": ["C"], "unseen_below": pytest.approx(0.05)}


def test_options_with_a_common_first_token_are_refused_unless_it_hardly_matters():
    with pytest.raises(ModelError, match="begin with the same token"):
        choose_by_first_token(("Yes", "Yesterday"), logs(Yes=0.5, No=0.1))
    with pytest.raises(ModelError, match="begin with the same token"):
        choose_by_first_token(("Buy", "Bye"), logs(B=0.1, Buy=0.4, Bye=0.4))
    _, mass, open_ends = choose_by_first_token(("Buy", "Bye"), logs(B=1e-6, Buy=0.4, Bye=0.4))
    assert open_ends == {"shared": pytest.approx(1e-6)}
    assert mass == pytest.approx(0.8)


def test_no_option_among_the_first_tokens_is_an_error():
    with pytest.raises(ModelError, match="none of"):
        choose_by_first_token(("A", "B"), logs(x=0.5))


def test_options_of_one_token_each():
    probabilities, mass = option_probabilities([[1], [2]], [math.log(0.3), math.log(0.1)])
    assert probabilities == pytest.approx((0.75, 0.25))
    assert mass == pytest.approx(0.4)


def test_an_option_that_begins_another_counts_only_where_the_longer_does_not_follow():
    # P(begins with 1) = 0.5, of which 0.2 goes on to 10, of which 0.05 goes on to 100.
    probabilities, mass = option_probabilities(
        [[1], [1, 0], [1, 0, 0], [2]], [math.log(p) for p in (0.5, 0.2, 0.05, 0.1)]
    )
    assert mass == pytest.approx(0.6)
    assert [p * 0.6 for p in probabilities] == pytest.approx([0.3, 0.15, 0.05, 0.1])


@given(st.data())
def test_option_probabilities_equal_the_enumeration_of_a_small_language(data):
    """A random model over three tokens and texts of length 3, against the longest option each text begins with."""
    weights = {
        prefix: data.draw(st.lists(st.integers(1, 9), min_size=3, max_size=3))
        for n in range(3)
        for prefix in itertools.product(range(3), repeat=n)
    }

    def probability(sequence):
        return math.prod(weights[sequence[:i]][sequence[i]] / sum(weights[sequence[:i]]) for i in range(len(sequence)))

    every = [s for n in (1, 2, 3) for s in itertools.product(range(3), repeat=n)]
    options = data.draw(st.lists(st.sampled_from(every), min_size=1, max_size=6, unique=True))
    expected = [0.0] * len(options)
    for text in itertools.product(range(3), repeat=3):
        begun = [i for i, option in enumerate(options) if text[: len(option)] == option]
        if begun:
            expected[max(begun, key=lambda i: len(options[i]))] += probability(text)
    if sum(expected) < 1e-9:
        return
    probabilities, mass = option_probabilities(options, [math.log(probability(option)) for option in options])
    assert mass == pytest.approx(sum(expected), abs=1e-12)
    assert [p * mass for p in probabilities] == pytest.approx(expected, abs=1e-12)


def test_equal_tokens_and_impossible_options_are_refused():
    with pytest.raises(ModelError, match="same tokens"):
        option_probabilities([[1], [1]], [-1.0, -1.0])
    with pytest.raises(ModelError, match="probability 0"):
        option_probabilities([[1], [2]], [-math.inf, -math.inf])


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:27:00 GMT"}, 0.0),
    ],
)
def test_retry_after(headers, seconds):
    assert parse_retry_after(headers, datetime(2026, 10, 21, 7, 28, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (429, "slow down", "rate_limit"),
        (429, "{'code': 'insufficient_quota'}", "request"),
        (500, "oops", "server"),
        (503, "loading model", "server"),
        (501, "not implemented", "request"),
        (504, "", "timeout"),
        (408, "", "timeout"),
        (400, "This model's maximum context length is 8192 tokens", "context_length"),
        (400, "the request exceeds the available context size", "context_length"),
        (400, "unknown field", "request"),
        (400, "content_filter triggered", "refusal"),
        (401, "bad key", "request"),
        (404, "no such model", "request"),
    ],
)
def test_kinds_of_status(status, said, kind):
    assert status_failure(status, {}, said).kind == kind


def test_what_a_server_says_stays_out_of_the_message_and_the_key_out_of_everything():
    failure = status_failure(400, {}, "from 10.0.0.7 at 12:30: bad key sk-abc123 of you", "sk-abc123")
    assert "10.0.0.7" not in str(failure)
    assert "sk-abc123" not in failure.detail
    assert "10.0.0.7" in failure.detail
    assert "sk-abc123" not in connection_failure("cannot send sk-abc123", "sk-abc123").detail
    assert timeout_failure().kind == "timeout"
