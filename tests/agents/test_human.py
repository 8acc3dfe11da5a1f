import asyncio
import threading

import pytest
from agent_stubs import context, message, observe

from tidings.agents.conformance import TURNS, check_agent
from tidings.agents.human import HumanAgent, HumanParams, StandardTerminal
from tidings.core import ChoiceSpec, Event, NumberSpec, ReplyError, StructuredSpec, TextSpec

CHOICE = ChoiceSpec(("stay", "sail"), "Do you sail?")
BELIEF = NumberSpec(0.0, 1.0, "How likely is rain?")


class Typed:
    """A terminal with a person who types these lines and leaves."""

    def __init__(self, *lines):
        self.lines, self.shown, self.threads = list(lines), "", set()

    def write(self, text):
        self.shown += text

    def read(self):
        self.threads.add(threading.current_thread())
        if not self.lines:
            raise EOFError
        return self.lines.pop(0)


def human(terminal, seat="a0", **more):
    return HumanAgent(context(None, seat, **more), terminal)


async def test_the_person_reads_the_situation_the_news_and_the_question_once():
    terminal = Typed("B")
    events = [message("clouds"), message("SECRET", "a1")]
    reply = await human(terminal, persona="You are a sailor.").act(observe(events), CHOICE)
    assert reply.action == "sail"
    assert terminal.shown == (
        "\n--- a0, step 1 ---\nIt may rain.\nYou are a sailor.\n- a1 said: clouds\n"
        "Do you sail?\nA) stay\nB) sail\nAnswer with one of A, B and nothing else.\n> "
    )


async def test_later_only_what_is_new_is_shown():
    terminal = Typed("stay")
    events = [message("clouds"), Event("reply", ("a0",), {"action": "sail"}, "a0"), message("rain")]
    await human(terminal).act(observe(events, step=2), CHOICE)
    assert "clouds" not in terminal.shown
    assert "It may rain." not in terminal.shown
    assert "- a1 said: rain" in terminal.shown


async def test_a_wrong_answer_is_asked_for_again_with_one_line():
    terminal = Typed("perhaps", "", "stay")
    assert (await human(terminal).act(observe([]), CHOICE)).action == "stay"
    complaints = [line for line in terminal.shown.splitlines() if "please try again" in line]
    assert complaints == [
        "> 'perhaps' is none of ['stay', 'sail']; please try again.",
        "> '' is none of ['stay', 'sail']; please try again.",
    ]


async def test_parts_are_asked_one_by_one_and_optional_ones_can_be_skipped():
    spec = StructuredSpec(
        {"belief": BELIEF, "action": CHOICE, "note": TextSpec(9)}, "Now decide.", optional=frozenset({"note"})
    )
    terminal = Typed("1.5", "30%", "A", "SKIP")
    reply = await human(terminal).act(observe([]), spec)
    assert reply.action == {"belief": 0.3, "action": "stay"}
    assert "Now decide." in terminal.shown
    assert "1.5 is outside [0, 1]; please try again." in terminal.shown


async def test_nothing_to_say():
    assert (await human(Typed("")).act(observe([]), TextSpec(9, allow_empty=True))).action == ""
    assert (await human(Typed("NOTHING")).act(observe([]), TextSpec(9, allow_empty=True))).action == ""


async def test_the_end_of_input_is_a_failure_not_an_answer():
    for lines in ((), ("perhaps",)):
        with pytest.raises(ReplyError, match="end_of_input: nobody answered for seat 'a0'"):
            await human(Typed(*lines)).act(observe([]), CHOICE)


async def test_waiting_for_a_person_stops_nobody_else_and_dialogues_do_not_mix():
    terminal = Typed("A", "B")
    gate = threading.Event()
    read = terminal.read

    def wait_and_read():
        gate.wait(5)
        return read()

    terminal.read = wait_and_read
    seats = [human(terminal, f"a{i}") for i in range(2)]
    turns = [asyncio.ensure_future(s.act(observe([], s.context.seat), CHOICE)) for s in seats]
    await asyncio.sleep(0.05)
    assert terminal.shown.count("--- a") == 1
    assert not any(turn.done() for turn in turns)
    gate.set()
    replies = {reply.action for reply in await asyncio.gather(*turns)}
    assert replies == {"stay", "sail"}
    assert terminal.shown.count("--- a") == 2
    assert threading.main_thread() not in terminal.threads
    assert all(thread.daemon for thread in terminal.threads)


def test_the_standard_terminal_is_the_default(monkeypatch, capsys):
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("stay\n"))
    seat = HumanAgent.build(HumanParams(), context())
    assert isinstance(seat.terminal, StandardTerminal)
    assert asyncio.run(seat.act(observe([]), CHOICE)).action == "stay"
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Do you sail?" in captured.err
    with pytest.raises(ReplyError, match="end_of_input"):
        asyncio.run(seat.act(observe([]), CHOICE))


def test_conformance():
    class Patient(Typed):
        def read(self):
            return {"?": "1", "n": "0.5"}.get(self.shown.rstrip(" >\n")[-1], self.answer())

        def answer(self):
            question = self.shown.rsplit("\n> ", 1)[0]
            if "one number" in question.rsplit("\n", 1)[-1]:
                return "0.5"
            return "A" if "A, B" in question.rsplit("\n", 1)[-1] else "hello"

    assert check_agent(lambda: human(Patient())) == len(TURNS)
