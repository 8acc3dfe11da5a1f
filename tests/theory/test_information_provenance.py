"""The ledger of facts: rules one by one, a naive re-run of them on random logs, trees against pairwise distances."""

import json
import math
import random
from itertools import combinations
from pathlib import Path

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.theory.information import cascade_depth, fact_flow, structural_virality, trace_facts, tree_shapes

FACT_LOG = json.loads((Path(__file__).parents[1] / "golden" / "information_flow.json").read_text())["FACT_LOG"]


def message(msg_id, t, sender, recipients, *mentions, tokens=10):
    facts = [{"fact_id": fact_id, "polarity": polarity} for fact_id, polarity in mentions]
    return {"msg_id": msg_id, "t": t, "sender": sender, "recipients": recipients, "tokens": tokens, "facts": facts}


def fact(fact_id="f", owner="a", bits=1.0, visibility="abcdef", **more):
    return {"fact_id": fact_id, "owner": owner, "bits": bits, "visibility": list(visibility), **more}


def log(*messages, facts=None, agents="abcdef"):
    return {"agents": list(agents), "facts": facts or [fact()], "messages": list(messages)}


def flow_of(*messages, **more):
    return fact_flow(log(*messages, **more))["f"]


def naive_flow(fact_log):
    """The rules of the sheet read aloud, with no thought for speed: one scan of the deliveries per question."""
    agents = fact_log["agents"]
    messages = sorted(fact_log["messages"], key=lambda m: (m["t"], str(m["msg_id"])))
    t_max = max((m["t"] for m in messages), default=0)
    result = {}
    for item in fact_log["facts"]:
        deliveries = [
            (m, mention, r)
            for m in messages
            for mention in m["facts"]
            if mention["fact_id"] == item["fact_id"]
            for r in m["recipients"]
        ]
        mentions = [(m, x) for m in messages for x in m["facts"] if x["fact_id"] == item["fact_id"]]
        place = {id(m): i for i, m in enumerate(messages)}
        first = {}
        for m, mention, r in deliveries:
            if r != item["owner"] and r not in first:
                first[r] = (m, mention["polarity"])

        def knows_before(agent, m, first=first, item=item, place=place):
            return agent == item["owner"] or (agent in first and place[id(first[agent][0])] < place[id(m)])

        def belief(agent, first=first, item=item):
            return 1 if agent == item["owner"] else first[agent][1]

        useful = sum(not knows_before(r, m) for m, _, r in deliveries)
        since = {item["owner"]: 0, **{r: m["t"] for r, (m, _) in first.items()}}
        parent = {item["owner"]: None, **{r: m["sender"] for r, (m, _) in first.items()}}
        coverage = [sum(s <= t for s in since.values()) / len(agents) for t in range(t_max + 1)]
        leaks = [r for _, _, r in deliveries if r not in item["visibility"]]
        tree = nx.Graph((node, above) for node, above in parent.items() if above is not None)
        tree.add_node(item["owner"])
        sound = set(parent) == set(tree) and nx.is_tree(tree)
        distance = dict(nx.all_pairs_shortest_path_length(tree)) if sound else {}
        pairs = list(combinations(parent, 2))
        result[item["fact_id"]] = {
            "coverage": coverage,
            "coverage_final": coverage[-1],
            "t_half": next((t for t, share in enumerate(coverage) if share >= 0.5), None),
            "mentions": len(mentions),
            "deliveries_useful": useful,
            "deliveries_redundant": len(deliveries) - useful,
            "distortion_events": sum(
                knows_before(m["sender"], m) and belief(m["sender"]) != x["polarity"] for m, x in mentions
            ),
            "unsupported_mentions": sum(not knows_before(m["sender"], m) for m, _ in mentions),
            "leak_deliveries": len(leaks),
            "leaked_to": list(dict.fromkeys(leaks)),
            "depth": max(distance[item["owner"]].values()) if sound else None,
            "breadth": max(list(distance[item["owner"]].values()).count(d) for d in range(len(parent)))
            if sound
            else None,
            "structural_virality": (sum(distance[u][v] for u, v in pairs) / len(pairs) if pairs else 0.0)
            if sound
            else None,
            "wrong_belief_holders": sorted(agent for agent in since if belief(agent) != 1),
        }
    tokens = sum(m["tokens"] for m in messages)
    bits = sum(item["bits"] * result[item["fact_id"]]["deliveries_useful"] for item in fact_log["facts"])
    result["_global"] = {"tokens": tokens, "novel_fact_bits_delivered": bits}
    return result


def random_log(seed):
    """Few agents, many clashes: equal times, text order of ids, fabricators, loops, own deliveries, leaks, denials."""
    rng = random.Random(seed)
    agents = list("abcde")[: rng.randint(2, 5)]
    facts = [
        fact(f, rng.choice(agents), rng.choice([0.5, 1.0, 2.0]), rng.sample(agents, rng.randint(1, len(agents))))
        for f in ("f", "g", "h")
    ]
    messages = [
        message(
            f"m{index}",
            rng.randint(0, 6),
            rng.choice(agents),
            rng.sample(agents, rng.randint(0, len(agents))),
            *[(f, rng.choice([1, 1, -1])) for f in rng.sample(["f", "g", "h"], rng.randint(0, 2))],
            tokens=rng.randint(0, 9),
        )
        for index in rng.sample(range(100), rng.randint(0, 14))
    ]
    return {"agents": agents, "facts": facts, "messages": messages}


@given(st.integers(0, 2**32 - 1))
def test_random_logs_follow_the_rules(seed):
    fact_log = random_log(seed)
    flow, naive = fact_flow(fact_log), naive_flow(fact_log)
    for fact_id, figures in naive.items():
        for key, value in figures.items():
            found = flow[fact_id][key]
            assert found == (
                value if value is None or not isinstance(value, float) else pytest.approx(value, abs=1e-12)
            ), (
                fact_id,
                key,
            )


@given(st.integers(0, 2**32 - 1))
def test_order_in_the_file_does_not_matter(seed):
    fact_log = random_log(seed)
    shuffled = {**fact_log, "messages": random.Random(seed).sample(fact_log["messages"], len(fact_log["messages"]))}
    assert json.dumps(fact_flow(shuffled)) == json.dumps(fact_flow(fact_log))


def test_ids_sort_as_text():
    """m10 comes before m9 at the same time: b learns from m10."""
    flow = log(message("m9", 1, "a", ["b"], ("f", 1)), message("m10", 1, "a", ["b"], ("f", -1)))
    assert trace_facts(flow)["f"].learned_from == {"b": "m10"}
    assert trace_facts(flow)["f"].belief == {"a": 1, "b": -1}


def test_denial_is_knowledge_too_and_belief_is_frozen():
    flow = flow_of(
        message(1, 1, "a", ["b"], ("f", -1)),
        message(2, 2, "a", ["b"], ("f", 1)),
        message(3, 3, "b", ["c"], ("f", 1)),
        message(4, 4, "b", ["d"], ("f", -1)),
        message(5, 5, "e", [], ("f", -1)),
    )
    assert flow["deliveries_useful"] == 3
    assert flow["deliveries_redundant"] == 1
    assert flow["redundancy"] == 0.25
    assert flow["distortion_events"] == 2
    assert flow["distortion_rate"] == 0.5
    assert flow["wrong_belief_holders"] == ["b", "d"]


def test_fabricated_fact_travels_without_a_tree():
    flow = flow_of(message(1, 1, "b", ["c"], ("f", 1)), message(2, 2, "c", ["b"], ("f", 1)))
    assert flow["unsupported_mentions"] == 1
    assert flow["coverage_final"] == 0.5
    assert flow["depth"] is flow["breadth"] is flow["structural_virality"] is None
    trace = trace_facts(log(message(1, 1, "b", ["c"], ("f", 1)), message(2, 2, "c", ["b"], ("f", 1))))["f"]
    assert trace.parent == {"a": None, "c": "b", "b": "c"}
    assert trace.path_to("c") is None


def test_unsupported_sender_that_learns_later_joins_the_tree():
    flow = flow_of(message(1, 1, "b", ["c"], ("f", 1)), message(2, 2, "a", ["b"], ("f", 1)))
    assert flow["unsupported_mentions"] == 1
    assert flow["depth"] == 2


def test_planted_leak_over_two_hops_is_found_with_its_path():
    edges = [
        message(1, 1, "a", ["b"], ("f", 1)),
        message(2, 2, "b", ["c"], ("f", 1)),
        message(3, 3, "c", ["d"], ("f", 1)),
    ]
    facts = [fact(visibility="abc")]
    trace = trace_facts(log(*edges, facts=facts))["f"]
    assert trace.leaks == [(3, "d")]
    assert trace.path_to("d") == ("a", "b", "c", "d")
    assert trace_facts(log(edges[0], edges[1], facts=facts))["f"].leaks == []
    assert trace.path_to("e") is None
    assert trace.path_to("a") == ("a",)
    made_up = trace_facts(log(message(1, 1, "b", ["d"], ("f", 1)), facts=facts))["f"]
    assert made_up.path_to("d") == ("b", "d")


def test_one_delivery_per_recipient_and_one_mention_per_message():
    flow = flow_of(message(1, 1, "a", ["b", "b"], ("f", 1), ("f", 1)), facts=[fact(visibility="a")])
    assert flow["mentions"] == flow["deliveries_useful"] == flow["leak_deliveries"] == 1
    assert flow["deliveries_redundant"] == 0


def test_nobody_speaks():
    result = fact_flow(log())
    assert result["f"]["coverage"] == [1 / 6]
    assert result["f"]["t_half"] is None
    assert math.isnan(result["f"]["redundancy"])
    assert math.isnan(result["f"]["distortion_rate"])
    assert (result["f"]["depth"], result["f"]["breadth"], result["f"]["structural_virality"]) == (0, 1, 0.0)
    assert result["_global"]["tokens"] == 0
    assert math.isnan(result["_global"]["novel_fact_bits_per_token"])
    assert fact_flow(log(agents="a", facts=[fact(visibility="a")]))["f"]["t_half"] == 0


def test_clock_runs_to_the_last_message_of_the_log():
    flow = fact_flow(log(message(1, 2, "a", ["b", "c"], ("f", 1)), message(2, 5, "a", ["b"])))["f"]
    assert flow["coverage"] == [1 / 6, 1 / 6, 0.5, 0.5, 0.5, 0.5]
    assert flow["t_half"] == 2


def test_several_owners_are_judged_by_the_largest_tree():
    flow = flow_of(
        message(1, 1, "a", ["b"], ("f", 1)),
        message(2, 2, "d", ["e"], ("f", 1)),
        message(3, 3, "e", ["f"], ("f", 1)),
        facts=[fact(owner=["a", "d"])],
    )
    assert (flow["n_roots"], flow["depth"], flow["breadth"]) == (2, 2, 1)
    assert flow["structural_virality"] == pytest.approx(4 / 3)
    assert flow["coverage"][0] == 1 / 3


def test_valued_facts():
    mentions = [{"fact_id": "f", "value": 7}, {"fact_id": "f", "value": 8}, {"fact_id": "f", "polarity": -1}]
    messages = [{**message(i, i, "a", [r]), "facts": [m]} for i, (r, m) in enumerate(zip("bcd", mentions, strict=True))]
    flow = flow_of(*messages, facts=[fact(value=7)])
    assert flow["wrong_belief_holders"] == ["c", "d"]
    assert flow["distortion_events"] == 2
    own_word = message(9, 9, "b", ["e"], ("f", 1))
    assert trace_facts(log(*messages, own_word, facts=[fact(value=7)]))["f"].belief["e"] == 7


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"agents": []}, "owner: 'a'"),
        ({"agents": [], "facts": [], "messages": []}, "log.agents: none"),
        ({"facts": [fact("_global")], "messages": []}, "a fact called '_global'"),
        ({"facts": [fact(), fact()]}, r"facts\[1\].fact_id: 'f' again"),
        ({"facts": [{"fact_id": "f"}]}, r"facts\[0\]: without bits, owner, visibility"),
        ({"facts": [fact(bits=-1)]}, r"facts\[0\].bits: -1"),
        ({"facts": [fact(owner="z")]}, r"facts\[0\].owner: 'z'"),
        ({"messages": [message(1, 1.5, "a", ["b"])]}, r"messages\[0\].t: 1.5"),
        ({"messages": [message(1, -1, "a", ["b"])]}, r"messages\[0\].t: -1"),
        ({"messages": [message(1, 1, "z", ["b"])]}, "message 1: 'z'"),
        ({"messages": [message(1, 1, "a", ["z"])]}, "message 1: 'z'"),
        ({"messages": [message(1, 1, "a", ["b"]), message("1", 2, "a", ["b"])]}, "messages: id '1' more than once"),
        ({"messages": [message(1, 1, "a", ["b"], ("g", 1))]}, "message 1: fact 'g'"),
        ({"messages": [message(1, 1, "a", ["b"], ("f", 1), ("f", -1))]}, "stated as 1 and -1"),
        ({"messages": [message(1, 1, "a", ["b"], ("f", 0))]}, "allowed is polarity"),
        ({"messages": [{**message(1, 1, "a", []), "facts": [{"fact_id": "f", "value": 3}]}]}, "declares no value"),
        ({"messages": [message(1, 1, "a", ["b"], tokens=-1)]}, "tokens -1"),
        ({"messages": [{"msg_id": 1}]}, r"messages\[0\]: without facts, recipients, sender, t, tokens"),
    ],
)
def test_bad_logs_are_named(change, line):
    with pytest.raises(ValueError, match=line):
        fact_flow({**log(), **change})


def test_missing_part_of_the_log():
    with pytest.raises(ValueError, match="log: without facts"):
        trace_facts({"agents": [], "messages": []})


@given(st.integers(0, 2**32 - 1), st.integers(1, 25))
def test_virality_is_the_mean_pairwise_distance(seed, n):
    rng = random.Random(seed)
    nodes = rng.sample(range(100), n)
    parent = {node: (rng.choice(nodes[:i]) if i else None) for i, node in enumerate(nodes)}
    mixed = dict(rng.sample(list(parent.items()), n))
    tree = nx.Graph((node, above) for node, above in parent.items() if above is not None)
    tree.add_node(nodes[0])
    expected = nx.average_shortest_path_length(tree) if n > 1 else 0.0
    depths = nx.single_source_shortest_path_length(tree, nodes[0])
    assert structural_virality(mixed) == pytest.approx(expected, abs=1e-12)
    assert cascade_depth(mixed) == max(depths.values())
    (shape,) = tree_shapes(mixed)
    assert shape.breadth == max(list(depths.values()).count(d) for d in range(n))
    assert (shape.root, shape.n_nodes) == (nodes[0], n)


def test_known_trees():
    star, path = {0: None, **dict.fromkeys(range(1, 7), 0)}, {0: None, **{i: i - 1 for i in range(1, 7)}}
    assert structural_virality(star) == pytest.approx(2 * 6 / 7)
    assert structural_virality(path) == pytest.approx(8 / 3)
    assert cascade_depth(path) == 6
    assert structural_virality({"a": None}) == 0.0
    assert cascade_depth({"a": None}) == 0


def test_long_chains_do_not_recurse():
    n = 50_000
    assert cascade_depth({i: i + 1 if i < n else None for i in range(n + 1)}) == n


@pytest.mark.parametrize("parent", [{}, {0: 1, 1: 0}, {0: 0}, {0: None, 1: 2, 2: 1}, {0: None, 1: 7}])
def test_no_tree_no_figure(parent):
    assert cascade_depth(parent) is None
    assert math.isnan(structural_virality(parent))


def test_two_trees_have_depth_but_no_virality():
    forest = {0: None, 1: 0, 2: None, 3: 2, 4: 3}
    assert cascade_depth(forest) == 2
    assert math.isnan(structural_virality(forest))


def test_worked_example_of_the_sheet():
    flow = fact_flow(FACT_LOG)
    assert flow["_global"]["novel_fact_bits_delivered"] == 7.0
    assert flow["f3"]["unsupported_mentions"] == 1
    assert trace_facts(FACT_LOG)["f1"].path_to("e") == ("a", "b", "c", "d", "e")
    assert [leak[1] for leak in trace_facts(FACT_LOG)["f1"].leaks] == ["e", "e"]


@pytest.mark.slow
def test_a_hundred_thousand_messages_in_seconds():
    """A tenth of the promised size with a tenth of its minute, so that a quadratic step shows."""
    import time

    rng, agents, n = random.Random(0), [str(i) for i in range(200)], 100_000
    facts = [{"fact_id": i, "owner": agents[i % 200], "bits": 1.0, "visibility": agents} for i in range(100)]
    messages = [
        message(i, i // 100, rng.choice(agents), [rng.choice(agents)], (rng.randrange(100), 1)) for i in range(n)
    ]
    began = time.process_time()
    fact_flow({"agents": agents, "facts": facts, "messages": messages})
    assert time.process_time() - began < 6.0
