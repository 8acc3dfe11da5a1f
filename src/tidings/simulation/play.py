"""One rollout as a pure state machine: who is due, what each may see, and what follows from their replies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from tidings.core import Environment, Event, EventView, Observation, PublicRecord, ReplayError, Reply, SeedPath, Turn
from tidings.core.errors import SeatError
from tidings.core.events import NOBODY, PLANNER
from tidings.log.codec import encode_step
from tidings.log.store import ENDED

__all__ = ["Play", "failure_event", "replies_of", "steps_of"]


def failure_event(seat: str, error: Exception) -> Event:
    """Returns the event that records that a seat gave no usable action."""
    if isinstance(error, SeatError):
        data = {"boundary": error.boundary, "error": error.kind, "message": error.message}
    else:
        data = {"boundary": "agent", "error": type(error).__name__, "message": str(error).split("\n")[0][:500]}
    return Event("failure", NOBODY, data, seat)


class Play:
    """A rollout in progress.

    Attributes:
        rollout: Its number.
        step: The step that comes next; 0 is the opening.
        status: `running`, `ok` or `failed`.
    """

    def __init__(
        self,
        environment: Environment,
        seed: SeedPath,
        rollout: int,
        edit: Callable[[Event], Event] | None = None,
    ) -> None:
        """Prepares the rollout; nothing has happened before `open`.

        Args:
            environment: The rules.
            seed: Seed path of this rollout.
            rollout: Its number.
            edit: What an intervention makes of an event before anybody sees it. It may take seats out of the audience
                and change words, never add a seat; `tidings.simulation.interventions` holds to that.
        """
        self._edit = edit
        self.rollout, self.step, self.status = rollout, 0, "running"
        self._environment, self._seed = environment, seed
        self._state: object = None
        self._n_events = 0
        self._public = PublicRecord()
        self._planner_public = PublicRecord()
        self._private: dict[str, list[Event]] = defaultdict(list)
        self._due: tuple[Turn, ...] = ()
        self._act_seed = seed.child("seat")

    def open(self) -> list[Event]:
        """Returns the events of the opening."""
        self._state, events = self._environment.initial(self._seed, self.rollout)
        return self._commit([], events)

    def due(self) -> tuple[Turn, ...]:
        """Returns the turns now due."""
        return self._due

    def observe(self, seat: str) -> Observation:
        """Returns what `seat` may see now: the events whose audience holds it, and nothing else."""
        private = self._private[seat]
        record = self._planner_public if seat == PLANNER else self._public
        seed = self._act_seed.child(seat, self.step)
        return Observation(seat, self.rollout, self.step, seed, record, EventView(private, len(private)))

    def advance(
        self, replies: Mapping[str, Reply], failures: Sequence[Event] = (), *, stop: bool = False
    ) -> list[Event]:
        """Returns the events of one step: replies, thoughts, failures, what follows, and the end if it is one.

        Args:
            replies: One for every turn that was due; seats that failed have `failure` set.
            failures: The failure events of this step.
            stop: End the rollout as failed instead of going on without the seats that failed.
        """
        before = [event for turn in self._due for event in _own_events(turn.seat, replies[turn.seat])]
        before += failures
        if stop:
            self.status = "failed"
            return self._commit(before, ())
        self._state, events = self._environment.apply(self._state, replies)
        return self._commit(before, events)

    def replay(self, events: Sequence[Event]) -> None:
        """Goes through the logged events of this rollout, step by step, checking that they follow from the rules.

        Raises:
            ReplayError: At the first step whose events differ from what the rules give.
        """
        for step in steps_of(events):
            if self.step == 0:
                again = self.open()
            else:
                stop = step[-1].kind == ENDED and step[-1].data["status"] == "failed"
                failures = [event._replace(step=-1, index=-1) for event in step if event.kind == "failure"]
                again = self.advance(replies_of(step), failures, stop=stop)
            if encode_step(self.rollout, again) != encode_step(self.rollout, step):
                raise ReplayError(
                    f"rollout {self.rollout}, step {step[0].step}: the log does not follow from the rules"
                )

    def follow(self, events: Sequence[Event]) -> list[list[Event]]:
        """Goes through logged steps with the replies that stand there, whatever an edit shows the seats.

        Args:
            events: Of whole steps, from the opening on.

        Returns:
            What happens, step by step.
        """
        done: list[list[Event]] = []
        for step in steps_of(events):
            if self.step == 0:
                done.append(self.open())
                continue
            failures = [event._replace(step=-1, index=-1) for event in step if event.kind == "failure"]
            done.append(self.advance(replies_of(step), failures))
        return done

    def _commit(self, before: list[Event], events: Iterable[Event]) -> list[Event]:
        """Numbers the events of a step, lets the seats know, and works out who is due next."""
        drafts = [*before, *events]
        self._due = () if self.status == "failed" else self._environment.turns(self._state)
        if not self._due:
            self.status = "failed" if self.status == "failed" else "ok"
            drafts.append(Event(ENDED, NOBODY, {"status": self.status}))
        step, first = self.step, self._n_events
        numbered = [
            Event(e.kind, e.audience, e.data, e.seat, step, first + i)  # faster than _replace
            for i, e in enumerate(drafts)
        ]
        if self._edit is not None:
            numbered = [self._edit(event) for event in numbered]
        self._n_events += len(numbered)
        self.step += 1
        for event in numbered:
            self._record(event)
        return numbered

    def _record(self, event: Event) -> None:
        """Files an event where the seats that may know of it will find it, and nowhere else."""
        audience = event.audience
        if "*" in audience:
            self._public.events.append(event)
            if PLANNER in audience:
                self._planner_public.events.append(event)
            return
        for name in audience:
            if name == PLANNER:
                self._planner_public.events.append(event)
            else:
                self._private[name].append(event)


def _own_events(seat: str, reply: Reply) -> list[Event]:
    if reply.failure:
        return []
    own = (seat,)
    return [
        Event("reply", own, {"action": reply.action}, seat),
        *(Event("thought", own, thought, seat) for thought in reply.thoughts),
    ]


def replies_of(step: Sequence[Event]) -> dict[str, Reply]:
    """Returns the replies that the events of one step record, failed seats included."""
    replies: dict[str, Reply] = {}
    for event in step:
        if event.seat is None:
            continue
        if event.kind == "reply":
            replies[event.seat] = Reply(event.data["action"])
        elif event.kind == "thought":
            reply = replies[event.seat]
            replies[event.seat] = reply._replace(thoughts=(*reply.thoughts, event.data))
        elif event.kind == "failure":
            replies[event.seat] = Reply(None, failure=f"{event.data['boundary']}/{event.data['error']}")
    return replies


def steps_of(events: Sequence[Event]) -> Iterable[list[Event]]:
    """Yields the events of each step."""
    step: list[Event] = []
    for event in events:
        if step and event.step != step[-1].step:
            yield step
            step = []
        step.append(event)
    if step:
        yield step
