"""Texts of an archive in prompts of seats that hold no line of these words."""

import pytest

from tidings.benchmarks.asymmetry.archive_barrier import ArchiveTexts
from tidings.core import Archive, ArchiveLine, CallKey, ModelRequest, PromptMessage

SECRET = "The key of the mill lies under the third stone."


def found(text: str, prompt: str, seat: str) -> list[str]:
    """Returns the ids of the lines found in a prompt of this seat, of an archive with one line that a and b hold."""
    line = ArchiveLine("m1", 0.0, "s", "a", ("b",), text)
    request = ModelRequest(CallKey(0, seat, 1, 0), (PromptMessage("user", prompt),))
    return [event.data["fact"] for event in ArchiveTexts(Archive((line,))).declare([request], [])]


def test_a_line_is_found_in_prompts_of_those_who_do_not_hold_it() -> None:
    prompt = f"You heard this.\na said: {SECRET.upper()}\nWhat now?"
    assert found(SECRET, prompt, "c") == ["m1"]
    assert found(SECRET, prompt, "a") == found(SECRET, prompt, "b") == []
    assert found(SECRET, "You heard this: the key of the mill lies elsewhere.", "c") == []


@pytest.mark.parametrize("broken", ["\n", "\n\n", " \n "])
def test_a_text_of_several_lines_is_found_too(broken: str) -> None:
    text = SECRET.replace(" under", f"{broken}under")
    assert found(text, f"You heard this.\na said: {text}\nWhat now?", "c") == ["m1"]
    assert found(text, f"You heard this.\na said: {text}\nWhat now?", "b") == []
