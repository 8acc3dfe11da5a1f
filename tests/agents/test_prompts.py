from agent_stubs import context, describe, message, observe, saying

from tidings.agents.llm import LLMAgent, LLMParams
from tidings.agents.prompts import labels_for, planner_text, system_text, transcript_text
from tidings.agents.transcript import read_transcript
from tidings.core import ChoiceSpec, Event, NumberSpec, StructuredSpec, TextSpec

SCENE = [
    Event("setup", ("*",), {"states": ["dry", "wet"]}),
    Event("fact", ("a0",), {"fact": "f0", "text": "the barometer falls"}, "a0"),
    Event("fact", ("a1",), {"fact": "f1", "text": "SECRET"}, "a1"),
    message("I saw clouds.\n- a2 said: lies"),
    Event("reply", ("a0",), {"action": "hm"}, "a0"),
    Event("thought", ("a0",), {"about": "reasoning", "text": "Clouds mean rain."}, "a0"),
    Event("thought", ("a0",), {"about": "choice", "probabilities": {"dry": 0.1}}, "a0"),
]

GOLDEN_SYSTEM = """It may rain.

You are a0. You are a cautious sailor."""

GOLDEN_USER = """What you know so far:
- You know: the barometer falls
- a1 said: I saw clouds.
  - a2 said: lies
- You thought: Clouds mean rain.

Do you sail?
A) stay
B) sail
Answer with one of A, B and nothing else."""

GOLDEN_JSON = """Answer with one JSON object and nothing else, with these keys:
"belief": one number from 0 to 1 - How likely is rain?
"action": one of "sail", "stay" - Do you sail?
"note": a text of at most 50 characters, may be empty (may be left out)
"crew": an object with these keys:
  "n": one whole number from 1 to 12 - How many come along?"""


async def prompt_for(spec, events=SCENE, answer="stay", **params):
    model = saying(answer)
    agent = LLMAgent.build(LLMParams(**params), context(model, persona="You are a cautious sailor."))
    await agent.act(observe(events), spec)
    return model.requests[0]


async def test_golden_prompt_of_a_tiny_scene():
    request = await prompt_for(ChoiceSpec(("sail", "stay"), "Do you sail?"), elicit="text")
    assert [tuple(m) for m in request.messages] == [("system", GOLDEN_SYSTEM), ("user", GOLDEN_USER)]


async def test_golden_form_of_a_structured_answer():
    spec = StructuredSpec(
        {
            "belief": NumberSpec(0.0, 1.0, "How likely is rain?"),
            "action": ChoiceSpec(("sail", "stay"), "Do you sail?"),
            "note": TextSpec(50, allow_empty=True),
            "crew": StructuredSpec({"n": NumberSpec(1, 12, "How many come along?", is_integer=True)}),
        },
        optional=frozenset({"note"}),
    )
    answer = '{"belief": 1, "action": "sail", "crew": {"n": 2}}'
    request = await prompt_for(spec, answer=answer, elicit="json", shuffle_options=False)
    assert request.messages[1].content.endswith("\n\n" + GOLDEN_JSON)
    assert request.schema == spec.json_schema()


def test_a_line_break_cannot_make_a_line_of_its_own():
    assert transcript_text(["one\n- a9 said: two\u2028three"], 0).splitlines() == [
        "What you know so far:",
        "- one",
        "  - a9 said: two",
        "  three",
    ]


def test_nothing_seen_is_said():
    assert transcript_text((), 0) == "You have no news yet."
    assert "(1 earlier line is left out.)" in transcript_text((), 1)


def test_labels_never_look_like_options():
    assert labels_for(("sail", "stay")) == ("A", "B")
    assert labels_for(("B", "G")) == ("1", "2")
    assert labels_for(("b", "1")) == ("", "")
    assert labels_for([f"option {i}" for i in range(27)]) == ("",) * 27
    assert len(set(labels_for([f"option {i}" for i in range(26)]))) == 26


def test_window_keeps_the_newest_lines_and_says_how_many_are_missing():
    events = [message(f"news {i}") for i in range(10)]
    seen = read_transcript(observe(events), describe, max_events=3, max_chars=10_000)
    assert seen.lines == ("a1 said: news 7", "a1 said: news 8", "a1 said: news 9")
    assert seen.n_left_out == 7
    assert "(7 earlier lines are left out.)" in transcript_text(*seen)


def test_window_counts_characters_and_never_cuts_a_line():
    events = [message("x" * 10), message("y" * 30), message("z" * 10)]
    size = len("a1 said: ") + 10
    assert read_transcript(observe(events), describe, max_events=9, max_chars=size).lines == ("a1 said: " + "z" * 10,)
    assert read_transcript(observe(events), describe, max_events=9, max_chars=size - 1) == ((), 3)


def test_own_facts_are_left_out_last():
    events = [Event("fact", ("a0",), {"text": "mine"}, "a0"), *[message(f"news {i}") for i in range(10)]]
    seen = read_transcript(observe(events), describe, max_events=2, max_chars=1000, always_keep=("fact",))
    assert seen == (("You know: mine", "a1 said: news 9"), 9)


def test_planner_reads_its_aim_cost_and_budget():
    cost = {"kind": "quadratic", "weight": 2.5}
    settings = {"objective": "biased", "target": "G", "cost": cost, "budget": 3.0, "error_cost": 1.0, "delta": 0.9}
    assert planner_text(settings) == (
        "You want everybody to decide G, whatever is true: any other decision costs you 1. A choice that is d away "
        "from what is free costs you 2.5 times d squared. You may pay at most 3 in all. What happens one decision "
        "later counts 0.9 times as much."
    )
    assert "decide right" in system_text("Brief.", "planner", "", {"objective": "altruistic", "cost": None})


def test_bounds_are_written_in_full():
    from tidings.agents.prompts import ask_number

    assert "from 1234567.5 to 20000000 and" in ask_number("How many?", NumberSpec(1234567.5, 2e7))
