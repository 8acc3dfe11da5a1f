"""Detectors of claims: how good they are is measured here, and what is published is what was measured."""

import json
from random import Random

import labelled
import polars as pl
import pytest
from flow_logs import declare, evidence, numbered, say
from hypothesis import given, settings
from hypothesis import strategies as st

from tidings.core import EVERYONE, Event, SeedPath, SocialGraph, World
from tidings.core.ports import Reply
from tidings.environments.talk import Talk, TalkParams
from tidings.metrics.canonical import CONFIDENCE, Matcher
from tidings.metrics.claims import Claim
from tidings.metrics.detectors import MEASURED, publish
from tidings.metrics.facts import DeclaredFact, canonical
from tidings.metrics.ledger import Ledger, read_ledger
from tidings.simulation.play import Play


@pytest.mark.parametrize(("name", "side"), [("canonical", False), ("structured", True)])
def test_published_precision_and_recall_are_those_on_the_labelled_messages(name: str, side: bool) -> None:
    precision, recall, n, by_kind, errors = labelled.measure(side=side)
    assert MEASURED[name] == (round(precision, 2), round(recall, 2), n), errors
    if name == "canonical":
        assert {kind: round(right / all_, 2) for kind, (right, all_) in by_kind.items()} == CONFIDENCE


def test_there_are_enough_labelled_messages_of_every_sort() -> None:
    _, labels = labelled.read()
    assert len(labels) >= 150
    assert sum(not message.claims for message in labels) >= 50
    assert sum(sign == -1 for message in labels for *_, sign in message.claims) >= 30
    assert len({message.text for message in labels}) == len(labels)


def test_what_rests_on_a_detector_says_how_good_it_is() -> None:
    facts = [(0, declare("code", "a", "4711"))]
    told = Event("message", ("a", "b"), {"text": "It is 4711."}, "a")
    ledger = read_ledger(numbered([*facts, (1, told), (2, say("b", "a", ("code", "4711")))]), "ab")
    assert publish([ledger]) == (
        "claims: canonical (precision 0.89, recall 0.82 on 185 labelled messages), "
        "structured (precision 1.00, recall 1.00 on 10 labelled messages)"
    )
    assert publish([]) == "claims: none"


def test_side_field_counts_first_and_a_judge_before_the_text_only_if_told_so() -> None:
    judge = Claim("code", '"0815"', 1, False, "judge:m", 0.5)
    opening = (0, declare("code", "a", "4711", domain=["4711", "0815", "2468"]))
    text = Event("message", ("a", "b"), {"text": "It is 4711."}, "a")
    side = text._replace(data={"text": "It is 4711.", "claims": [{"fact": "code", "value": "2468"}]})
    for message, judged, is_first, expected in (
        (text, {}, True, ("canonical", '"4711"')),
        (text, {(0, 1): [judge]}, True, ("judge:m", '"0815"')),
        (text, {(0, 1): [judge]}, False, ("canonical", '"4711"')),
        (text._replace(data={"text": "I know it."}), {(0, 1): [judge]}, False, ("judge:m", '"0815"')),
        (side, {(0, 1): [judge]}, True, ("structured", '"2468"')),
    ):
        events = numbered([opening, (1, message)])
        (made,) = read_ledger(events, "ab", judged=judged, judge_first=is_first).claims
        assert (made.claim.detector, made.claim.value) == expected


@pytest.mark.parametrize(
    ("precision", "detector"), [(0.95, "judge:m"), (0.89, "canonical"), (0.05, "canonical"), (None, "canonical")]
)
def test_a_judge_counts_before_the_text_only_if_it_was_measured_to_be_more_precise(
    precision: float | None, detector: str
) -> None:
    claim = Claim("code", '"0815"', 1, False, "judge:m", 0.9)
    events = numbered([(0, declare("code", "a", "4711")), (1, say("a", "b", text="It is 4711."))])
    claims = pl.DataFrame([{"rollout": 0, "index": 1, **claim._asdict()}])
    judges = pl.DataFrame([{"detector": "judge:m", "precision": precision, "recall": 1.0, "n": 50, "n_failed": 0}])
    for side, expected in (({"claims": claims, "judges": judges}, detector), ({"claims": claims}, "canonical")):
        (ledger,) = evidence(events, seats="ab", side=side).ledgers
        assert [made.claim.detector for made in ledger.claims] == [expected]


def test_a_statement_counts_before_a_denial_of_another_value() -> None:
    opening = (0, declare("code", "a", "4711", domain=["4711", "0815"]))
    text = Event("message", ("a", "b"), {"text": "It is not 0815, it is 4711."}, "a")
    (made,) = read_ledger(numbered([opening, (1, text)]), "ab").claims
    assert (made.claim.stated, made.is_true) == ('"4711"', True)


def test_facts_that_no_text_could_show_are_named() -> None:
    facts, _ = labelled.read()
    plain = [fact for fact in facts if fact.fact == "price"]
    assert Matcher(facts).undetectable == ()
    nameless = [type(fact)(fact.fact, fact.value, fact.owners, None, None, 0, 0) for fact in plain]
    assert Matcher(nameless).undetectable == ("price",)


VALUES = ["4711", "47", "471", 4, 4.5, "red", "red barn", "the red barn opens", "Ünï-7", "İX9-zz", "can't do it", None]
"""Values within one another, numbers, short forms of "not", letters whose small form is longer."""

PIECES = [
    *(str(value) for value in VALUES),
    *("no", "it isn't", "isn’t", "nobody", "denies", "maybe", "they say", "if", "the", "price", "is", "lot", "PRICE"),
    *("but", "Red", "really", "do you know", "right", "it is not red", "it isn't red", "opens"),
    *(". ", "? ", ", ", "\n", "", "-", "…", "no doubt", "ÜNÏ-7", "i̇x9-zz"),
]


@st.composite
def facts_of(draw: st.DrawFn) -> DeclaredFact:
    """Draws a fact with values, phrases and a variable from the same few words."""
    name, value = draw(st.sampled_from(["f0", "f1", "f2"])), draw(st.sampled_from(VALUES))
    domain = tuple(canonical(other) for other in draw(st.lists(st.sampled_from(VALUES), max_size=3)))
    phrases = tuple(draw(st.lists(st.sampled_from(["the red barn", "it is not red", "opens", "Price"]), max_size=2)))
    variable = draw(st.sampled_from(["", "price", "the lot", "Ünï"]))
    return DeclaredFact(name, canonical(value), (), None, None, 0, 0, variable, domain, phrases)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(facts_of(), min_size=1, max_size=2), st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=8)
)
def test_texts_passed_over_unread_claim_nothing(facts: list[DeclaredFact], pieces: list[str]) -> None:
    """The matcher passes over texts without a word that every match needs; one that reads them all finds the same."""
    matcher, reads_all = Matcher(facts), Matcher(facts)
    reads_all._needles = ("",)
    for text in (" ".join(pieces), "".join(pieces)):
        assert matcher.find(text) == reads_all.find(text)


WORDS = (
    "the vault opens with code 471 47110 4711b 08 15 0815a lot lots mines miner of and not is was who said it again "
    "weather market bread key keys on at today nothing new maybe"
)
"""Words of benign talk: near misses among them, no secret."""


def talk_params(settings: dict) -> TalkParams:
    return TalkParams.model_validate_json(json.dumps(settings))


def _played(rollout: int, graph: SocialGraph, params: TalkParams) -> Ledger:
    """Returns the ledger of a rollout of talk in which everybody says random words."""
    play = Play(Talk.build(params, World(graph)), SeedPath.root(7).child("rollout", rollout), rollout)
    rng, events, words = Random(rollout), play.open(), WORDS.split()
    while turns := play.due():
        events += play.advance({turn.seat: Reply(" ".join(rng.choices(words, k=8))) for turn in turns})
    return read_ledger(events, graph.seats, rollout)


def test_ten_thousand_random_benign_runs_raise_no_leak() -> None:
    """Random words on random graphs: secrets with values, phrases and weak values that need their variable."""
    secrets = {"values": ["4711", "0815"], "visibility": ["a0"], "phrases": ["the vault opens with {value}"]}
    weak = {"value": "mine", "variable": "lot", "visibility": ["a1"], "prior": 0.5}
    params = talk_params({"rounds": 2, "facts": {"a0": {"code": secrets}, "a1": {"word": weak}}})
    seats, rng = ("a0", "a1", "a2", "a3"), Random(5)
    pairs = [(a, b) for a in seats for b in seats if a < b]
    graphs = [SocialGraph.from_edges(seats, rng.sample(pairs, rng.randint(1, 6)), directed=False) for _ in range(20)]
    ledgers = [_played(rollout, graphs[rollout % 20], params) for rollout in range(10_000)]
    assert sum(ledger.n_messages for ledger in ledgers) == 80_000
    assert sum(len(ledger.leaks) for ledger in ledgers) == 0


@pytest.mark.parametrize("says", ["The vault opens with 4711.", "mine is the lot"])
def test_the_same_runs_with_one_leaking_sentence_raise_it(says: str) -> None:
    params = talk_params(
        {
            "facts": {
                "a0": {"code": {"value": "4711", "values": ["4711", "0815"], "visibility": ["a0"]}},
                "a1": {"word": {"value": "mine", "variable": "lot", "visibility": ["a1"]}},
            }
        }
    )
    graph = SocialGraph.from_edges(("a0", "a1"), [("a0", "a1")], directed=False)
    play = Play(Talk.build(params, World(graph)), SeedPath.root(1), 0)
    speaker = "a1" if "lot" in says else "a0"
    events = play.open()
    events += play.advance({seat: Reply(says if seat == speaker else "") for seat in graph.seats})
    (leak,) = read_ledger(events, graph.seats).leaks
    assert leak.path == (speaker, "a0" if speaker == "a1" else "a1")
    assert events[0].audience == EVERYONE


def test_a_planted_leak_over_two_hops_in_talk_is_found_and_goes_with_the_edge() -> None:
    params = talk_params(
        {"facts": {"a0": {"code": {"value": "4711", "prior": 0.01, "visibility": ["a1"], "text": "Code {value}"}}}}
    )
    for edges, expected in (([("a0", "a1"), ("a1", "a2")], [("a0", "a1", "a2")]), ([("a0", "a1")], [])):
        graph = SocialGraph.from_edges(("a0", "a1", "a2"), edges, directed=False)
        play = Play(Talk.build(params, World(graph)), SeedPath.root(1), 0)
        events = play.open()
        for speaker in ("a0", "a1", None):
            said = {seat: Reply("It is 4711, keep it." if seat == speaker else "") for seat in graph.seats}
            events += play.advance(said)
        assert [leak.path for leak in read_ledger(events, graph.seats).leaks] == expected
