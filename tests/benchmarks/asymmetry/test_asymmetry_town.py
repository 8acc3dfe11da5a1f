"""The town: scale, needles kept from the other side, floors, and checks that can fail."""

from collections import Counter, defaultdict
from dataclasses import replace
from itertools import pairwise

import networkx as nx
import pytest

from tidings.benchmarks.asymmetry import (
    answer_from_items,
    evidence_rows,
    generate_town,
    symbolic_rows,
    town_rows,
    visible_items,
)
from tidings.benchmarks.asymmetry.town import check_town
from tidings.benchmarks.asymmetry.town_graph import draw_town, pairs_at_distance
from tidings.benchmarks.asymmetry.town_text import (
    EVENTS,
    OBJECTS,
    PLACES,
    TEMPLATES,
    Claim,
    draw_filler,
    read_claim,
    write_claim,
)
from tidings.benchmarks.streams import Draws
from tidings.core.errors import RequestError


@pytest.fixture(scope="module")
def tasks():
    return generate_town(0)


@pytest.fixture(scope="module")
def town(tasks):
    return tasks.problems[0]


def test_the_town_has_the_scale_of_friendstv(town):
    graph = nx.Graph([(r.a, r.b) for r in town.relations])
    assert len(town.people) == len({p.name for p in town.people}) == graph.number_of_nodes() == 140
    assert len(town.relations) == graph.number_of_edges() == 582
    assert nx.is_connected(graph)
    assert nx.diameter(graph) <= 4
    assert nx.average_shortest_path_length(graph) == pytest.approx(2.2, abs=0.15)
    hubs = [p.id for p in town.people if p.role == "hub"]
    assert graph.subgraph(hubs).number_of_edges() == 15
    assert min(graph.degree[h] for h in hubs) > max(d for p, d in graph.degree if p not in hubs)


def test_there_are_exactly_as_many_rows_as_asked_for_and_they_run_along_relations(town):
    rows = list(town_rows(town))
    assert len(rows) == len({row.id for row in rows}) == 40_000
    assert {frozenset((r.speaker, r.hearer)) for r in rows} == {frozenset((r.a, r.b)) for r in town.relations}
    assert all(a.time <= b.time for a, b in pairwise(rows))
    assert all(r.speaker != r.hearer for r in rows)


def test_lines_have_distinct_hearers_and_the_clock_rises(town):
    for item in town.items:
        assert item.hearers
        assert len(set(item.hearers)) == len(item.hearers)
    assert all(a.time < b.time for a, b in zip(town.items, town.items[1:], strict=False))
    sessions = [item.session for item in town.items]
    assert len(set(sessions)) == sum(a != b for a, b in pairwise(sessions)) + 1


def test_seventy_thousand_rows():
    assert sum(len(item.hearers) for item in generate_town(1, rows=70_000).problems[0].items) == 70_000


def test_questions_of_each_kind_mode_and_distance(town):
    counts = Counter((q.type, q.distance) for q in town.questions)
    assert counts[("town-chain", 1)] == 156
    assert counts[("town-chain", 2)] == 144
    assert counts[("town-common", 1)] == counts[("town-stale", 2)] == 25
    assert {q.mode for q in town.questions} == {"pair", "open"}
    graph = nx.Graph([(r.a, r.b) for r in town.relations])
    assert all(nx.shortest_path_length(graph, *q.asked) == q.distance for q in town.questions)
    pairs = {q.group: q.asked for q in town.questions if q.type == "town-chain"}
    assert len({person for pair in pairs.values() for person in pair}) == 50


def test_symbolic_floors(tasks):
    rows = symbolic_rows(tasks)
    assert rows["town-chain"] == pytest.approx({"asker": 1 / 12, "partner": 1 / 12, "pooled": 1.0})
    assert rows["town-common"] == pytest.approx({"asker": 1 / 8, "partner": 1 / 8, "pooled": 1.0})
    assert rows["town-stale"] == {"asker": 0.0, "partner": 1.0, "pooled": 1.0}


def test_gold_by_an_independent_search_of_the_raw_rows(tasks, town):
    """No pattern: which names of the question's world share a line with its subject, among the rows both can see."""
    heard = defaultdict(list)
    for item in town.items:
        for person in (item.owner, *item.hearers):
            heard[person].append(item)
    golds = tasks.gold_of()
    for question in town.questions[::7]:
        pooled = sorted({i.fact: i for p in question.asked for i in heard[p]}.values(), key=lambda i: i.time)
        lines = [i.text for i in pooled]
        gold = golds[question.id].value
        if question.type == "town-stale":
            thing = question.text.removeprefix("Where is the ").removesuffix(" now?")
            told = [o for line in lines if thing in line for o in question.options if o in line]
            assert told[-1] == gold
        if question.type == "town-common":
            named = Counter(o for line in lines for o in question.options if o in line)
            assert [name for name, n in named.items() if n > 1] == [gold]
        if question.type == "town-chain":
            thing = question.text.removeprefix("Where is the ").split("?")[0]
            words = {w for line in lines if thing in line for w in line.replace(".", "").replace(",", "").split()}
            places = {o for line in lines for o in question.options if o in line and words & set(line[:-1].split())}
            persons = {w for w in words if w[0].isupper()} - {"The", "I", "If", "Why", "A", "Some"}
            exact = {o for o in places for line in lines if o in line and persons & set(line[:-1].split())}
            assert exact == {gold}


def test_evidence_rows_exist_and_are_hidden_from_the_other_side(town):
    rows = {row.id: row for row in town_rows(town)}
    for question in town.questions:
        for side, other in ((0, 1), (1, 0)):
            for row_id in evidence_rows(question)[side]:
                row = rows[row_id]
                assert row.hearer == question.asked[side]
                assert not visible_items([town.items[int(row.line[1:])]], question.asked[other])


def test_options_hold_the_gold_at_every_place(tasks, town):
    golds = tasks.gold_of()
    for kind, most in (("chain", 60), ("common", 12), ("stale", 14)):
        asked = [q for q in town.questions if q.type == f"town-{kind}"]
        places = Counter(q.options.index(golds[q.id].value) for q in asked)
        assert max(places.values()) < most
        assert len(places) >= 10


def test_needles_are_spread_over_the_whole_time_and_stale_places_come_first(town):
    times = {item.fact: item.time / town.items[-1].time for item in town.items}
    at = sorted(times[fact] for q in town.questions for facts in q.evidence for fact in facts)
    assert [at[len(at) * i // 4] for i in (1, 2, 3)] == pytest.approx([0.25, 0.5, 0.75], abs=0.06)
    stale = [q.evidence for q in town.questions if q.type == "town-stale"]
    assert all(times[old] < times[new] for (old,), (new,) in stale)


def test_the_check_catches_a_planted_leak(tasks, town):
    question = town.questions[0]
    fact = question.evidence[0][0]
    leaked = tuple(
        replace(i, hearers=(*i.hearers, question.asked[1])) if i.fact == fact else i for i in town.items
    )  # fmt: skip
    with pytest.raises(AssertionError, match="town-0: evidence was heard by the other side"):
        check_town(replace(town, items=leaked), tasks.golds)


def test_the_check_catches_a_second_way_to_the_answer(tasks, town):
    question = town.questions[0]
    line = next(i for i in town.items if i.fact == question.evidence[0][0])
    again = replace(line, fact="again", time=line.time + 1)
    with pytest.raises(AssertionError, match="town-0: evidence is not needed"):
        check_town(replace(town, items=(*town.items, again)), tasks.golds)


def test_the_check_catches_a_wrong_gold(tasks, town):
    wrong = (replace(tasks.golds[0], value=town.questions[0].options[0]), *tasks.golds[1:])
    other = (replace(tasks.golds[0], value=town.questions[0].options[1]), *tasks.golds[1:])
    changed = wrong if wrong[0] != tasks.golds[0] else other
    with pytest.raises(AssertionError, match="the pooled rows do not give the gold"):
        check_town(town, changed)


def test_every_kind_has_six_paraphrases_that_read_back():
    samples = {"with": (OBJECTS[0], "Bolamar"), "keeps": ("Bolamar", PLACES[0]), "at": (OBJECTS[5], PLACES[7])}
    samples |= {"goes": (EVENTS[0], "Bolamar"), "asked": (EVENTS[3], "Bolamar")}
    for kind, templates in TEMPLATES.items():
        assert len(set(templates)) >= 6
        claim = Claim(kind, *samples[kind])
        texts = {write_claim(Draws(i), claim) for i in range(100)}
        assert len(texts) == len(templates)
        assert {read_claim(text) for text in texts} == {claim}


def test_small_talk_tells_no_fact_even_when_it_names_a_needle():
    fillers = [draw_filler(Draws(i), OBJECTS + EVENTS) for i in range(3000)]
    assert not any(read_claim(text) for text in fillers)
    assert sum(any(thing in text for thing in OBJECTS + EVENTS) for text in fillers) > 90


def test_words_are_unambiguous():
    assert len(set(OBJECTS)) == len(OBJECTS)
    assert len(set(PLACES)) == len(PLACES)
    assert not set(OBJECTS) & set(PLACES) & set(EVENTS)


def test_a_reader_of_nothing_does_not_answer(town):
    assert answer_from_items(town.questions[0], ()) is None


def test_circles_and_hubs_are_cliques():
    town = draw_town(Draws(3), 40, 130, 3)
    assert {len(circle) for circle in town.circles} <= {4, 5, 6}
    for clique in (town.hubs, *town.circles):
        assert all(b in town.friends[a] for a in clique for b in clique if a != b)
    assert len(town.edges()) == 130
    graph = nx.Graph(town.edges())
    lengths = dict(nx.all_pairs_shortest_path_length(graph, cutoff=2))
    for distance in (1, 2):
        expected = {frozenset((a, b)) for a in graph for b, d in lengths[a].items() if d == distance}
        assert {frozenset(pair) for pair in pairs_at_distance(town, distance)} == expected


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"rows": 100}, r"town\.rows: 100, but needles and relations alone take \d+"),
        ({"n_relations": 10}, r"town\.n_relations: 10 with 140 people and 6 hubs; \d+ to \d+"),
        ({"n_people": 8}, r"town\.n_people: 8 people with 6 hubs; circles of 4-6"),
        ({"n_common": 101}, r"town questions: 101 events needed; at most 100"),
        ({"n_chain_pairs": 48}, r"town questions: 626 objects needed; at most 576"),
    ],
)
def test_impossible_towns_are_one_line(arguments, complaint):
    with pytest.raises(RequestError, match=complaint):
        generate_town(0, **arguments)


def test_a_small_town_runs_out_of_disjoint_pairs():
    with pytest.raises(RequestError, match=r"town questions: 20 pairs; this town has \d+ of them"):
        generate_town(0, rows=30_000, n_people=30, n_relations=110, n_hubs=2, n_chain_pairs=20)
