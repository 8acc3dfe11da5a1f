"""The scan of recorded prompts: it finds what a seat cannot know, and nothing else."""

from typing import Any

from tidings.core import CallKey, Event, ModelRequest, PromptMessage
from tidings.metrics.prompt_barrier import scan_prompts

TEXT = "The key is in the shed."


def declared(fact: str = "key", owners: tuple[str, ...] = ("a0",), **data: Any) -> Event:
    words = {"fact": fact, "value": TEXT, "owners": list(owners), "visibility": list(owners), **data}
    return Event("fact_declared", (), words, None, 0, 0)


def asked(seat: str, text: str, step: int = 1, answer: str = "", draw: int = 0) -> tuple[ModelRequest, str]:
    return ModelRequest(CallKey(0, seat, step, draw), (PromptMessage("user", text),)), answer


def message(audience: tuple[str, ...], text: str = TEXT, step: int = 1, **data: Any) -> Event:
    return Event("message", audience, {"text": text, **data}, "a0", step, 1)


def leaks(events: list[Event], *calls: tuple[ModelRequest, str]) -> list[tuple[str, int, str]]:
    return [(leak.seat, leak.step, leak.fact) for leak in scan_prompts(events, calls).leaks]


def test_a_planted_leak_is_found_whatever_its_case_and_line_ends() -> None:
    assert leaks([declared()], asked("a1", "You know: the KEY is\n  in the shed!")) == [("a1", 1, "key")]


def test_the_owner_may_read_it_and_others_prompts_are_counted() -> None:
    scan = scan_prompts([declared()], [asked("a0", TEXT), asked("a1", "nothing")])
    assert scan == ((), 2, 1)


def test_who_was_told_may_read_it_from_the_next_step_on() -> None:
    events = [declared(), message(("a0", "a1"), step=1)]
    assert leaks(events, asked("a1", TEXT, step=2)) == []
    assert leaks(events, asked("a1", TEXT, step=1)) == [("a1", 1, "key")], "what is said in a step is not yet heard"
    assert leaks(events, asked("a2", TEXT, step=2)) == [("a2", 2, "key")]


def test_a_claim_tells_as_words_do_and_other_words_do_not() -> None:
    claim = {"fact": "key", "value": TEXT, "polarity": 1, "hedged": False}
    assert leaks([declared(), message(("a0", "a1"), "see below", claims=[claim])], asked("a1", TEXT, step=2)) == []
    bare = {"fact": "key", "value": None, "polarity": 1, "hedged": False}
    assert leaks([declared(), message(("a0", "a1"), "I know", claims=[bare])], asked("a1", TEXT, step=2)) != []
    assert leaks([declared(), message(("a0", "a1"), "It is in the shed.")], asked("a1", TEXT, step=2)) != []


def test_everybody_hears_what_is_said_to_all() -> None:
    events = [declared(), message(("*",)), Event("reply", ("a2",), {"action": ""}, "a2", 1, 2)]
    assert leaks(events, asked("a2", TEXT, step=2)) == []


def test_an_event_that_shows_a_text_to_the_wrong_seat_is_the_leak_and_no_excuse() -> None:
    given = Event("fact", ("a0", "a1"), {"fact": "key", "value": TEXT}, "a0", 0, 1)
    assert leaks([declared(), given], asked("a1", TEXT, step=2)) == [("a1", 2, "key")]


def test_a_models_own_words_may_stand_in_its_later_prompts() -> None:
    said = asked("a1", "?", answer="I guess the key is in the shed")
    assert leaks([declared()], said, asked("a1", TEXT, draw=1)) == []
    assert leaks([declared()], said, asked("a2", TEXT)) == [("a2", 1, "key")]


def test_equal_texts_of_another_fact_are_its_own() -> None:
    assert leaks([declared("key", ("a0",)), declared("key too", ("a1",))], asked("a1", TEXT)) == []


def test_words_within_a_text_that_a_seat_holds_are_its_own() -> None:
    longer = declared("more", ("a1",), value=f"I saw it: {TEXT}")
    assert leaks([declared(), longer], asked("a1", f"I saw it: {TEXT}")) == []
    assert leaks([declared(), longer], asked("a2", f"I saw it: {TEXT}")) != []
    elsewhere = declared(same_words=["a1"])
    assert leaks([elsewhere], asked("a1", TEXT), asked("a2", TEXT)) == [("a2", 1, "key")]


def test_phrases_are_looked_for_and_values_of_a_word_or_two_are_not() -> None:
    events = [declared(value=7, phrases=["the number is 7"]), declared("colour", value="red")]
    assert leaks(events, asked("a1", "The number is 7. Red!")) == [("a1", 1, "key")]
    assert scan_prompts(events, [asked("a1", "")]).n_looks == 1


def test_a_phrase_does_not_run_from_one_message_into_the_next() -> None:
    request = ModelRequest(
        CallKey(0, "a1", 1, 0), (PromptMessage("system", "The key is"), PromptMessage("user", "in the shed."))
    )
    assert leaks([declared()], (request, "")) == []


def test_the_options_of_a_choice_are_read_too() -> None:
    request = ModelRequest(CallKey(0, "a1", 1, 0), (), "choice", options=(TEXT, "no"))
    assert leaks([declared()], (request, "")) == [("a1", 1, "key")]
