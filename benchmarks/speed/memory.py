"""What a memory of 70,000 messages costs: indexing, one query (clear and fuzzy), one more message, and bytes.

The messages are those of the generated town: 140 people, each holding what they said or heard. Rows: an ordinary
person (median number of lines), the person with most lines, and one who heard every message. Clear queries are
one word, or three, of random lines of that person, none in more than 5 % of their lines; the row `common word` takes
any word as it occurs, `the` included. Fuzzy queries are five words of one line. The longest scan has 70,000 parts:
every message is a session part of its own.

Beside each: a Python substring scan over the same person's texts (unranked, no window); SQLite's own full-text search
over all lines, which knows no seats; a plain float32 product over the same vectors with the ten best picked out. Wall
and CPU medians in ms: on a busy machine the wall says more about the neighbours. Recall: share of the ten whose exact
score reaches the tenth best of the full scan.

Run: OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/speed/memory.py
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tidings.benchmarks.asymmetry.town import generate_town
from tidings.memory import (
    Embedder,
    FuzzyHit,
    HashingEmbedder,
    Line,
    SeatMemory,
    SessionCut,
    SharedMemory,
    WordLlamaEmbedder,
)
from tidings.memory.words import split_words

N_LINES = 70_000
ROWS = 2.43
"""Rows of the town per line, so that a little more than enough lines come out."""
LISTENER = "listener"
PLAIN = "SELECT rowid, text FROM t WHERE t MATCH ? ORDER BY rank LIMIT 30"
GOALS = {"clear": 1.0, "fuzzy": 5.0, "add": 0.2}


class Timed(NamedTuple):
    """Medians over calls, in ms, and the 95th percentile of the wall time."""

    wall: float
    cpu: float
    p95: float


def time_calls(call: Callable[[Any], object], inputs: Iterable[Any]) -> Timed:
    """Calls with every input in turn, after one call that is not counted."""
    inputs = list(inputs)
    call(inputs[0])
    walls, cpus = [], []
    for value in inputs[1:]:
        wall, cpu = time.perf_counter(), time.process_time()
        call(value)
        cpus.append(1e3 * (time.process_time() - cpu))
        walls.append(1e3 * (time.perf_counter() - wall))
    return Timed(statistics.median(walls), statistics.median(cpus), sorted(walls)[int(0.95 * len(walls))])


def show(what: str, timed: Timed, goal: str | None = None, base: Timed | None = None, note: str = "") -> None:
    """Prints one row of the table."""
    goal_ms = "" if goal is None else f"{GOALS[goal]:g}"
    ratio = "" if base is None else f"{timed.cpu / base.cpu:.2f}x"
    print(f"{what:50} {timed.wall:9.3f} {timed.cpu:9.3f} {timed.p95:9.3f} {goal_ms:>6} {ratio:>8}  {note}")


def town_lines(n: int) -> list[Line]:
    """Returns the first messages of the town, as memory lines."""
    items = generate_town(0, rows=int(n * ROWS)).problems[0].items[:n]
    return [Line(item.fact, item.time, item.session, item.owner, item.hearers, item.text) for item in items]


def measured(make: Callable[[], Any]) -> tuple[Any, float]:
    """Returns what is made and the CPU seconds it took."""
    cpu = time.process_time()
    made = make()
    return made, time.process_time() - cpu


def held_mib(make: Callable[[], object]) -> float:
    """Returns how much memory what is made holds, in MiB; the texts, which are there before, are not counted."""
    tracemalloc.start()
    made = make()
    size = tracemalloc.get_traced_memory()[0] / 2**20
    tracemalloc.stop()
    del made
    return size


def make_index(lines: Iterable[Line], seats: Sequence[str], n: int, embedder: Embedder | None = None) -> SharedMemory:
    """Returns an index of lines, ready to be searched."""
    memory = SharedMemory(seats, max_lines=n, embedder=embedder)
    memory.extend(lines)
    memory.seat(seats[0]).clear(["ready"])
    return memory


def bench_index(lines: Sequence[Line], seats: Sequence[str], embedder: Embedder) -> SharedMemory:
    """Indexes everything once, and prints time and size beside one index per person."""
    n, everybody = len(lines), [*seats, LISTENER]
    memory, shared_s = measured(lambda: make_index(lines, everybody, n, embedder))
    own = {seat: [replace(x, speaker=seat, hearers=()) for x in lines if seat in x.audience] for seat in seats}
    own_s = measured(lambda: [make_index(mine, [seat], n).close() for seat, mine in own.items()])[1]
    n_parts, refresh_s = measured(lambda: asyncio.run(memory.refresh()))
    shared_mib = held_mib(lambda: make_index(lines, everybody, n))
    own_mib = held_mib(lambda: [make_index(mine, [seat], n) for seat, mine in own.items()])
    n_views = sum(len(line.audience) for line in lines)
    text_mib = sum(len(line.text.encode()) for line in lines) / 2**20
    held = f"each line held by {n_views / len(lines):.2f} of them"
    print(f"{len(lines):,} lines, {text_mib:.1f} MiB of text; {len(seats)} people, {held}")
    print(f"one shared index       {shared_s:7.2f} s CPU {shared_mib:9.1f} MiB")
    print(f"one index per person   {own_s:7.2f} s CPU {own_mib:9.1f} MiB")
    print(f"{len(seats)} copies of all{'':9} {'':7}       {len(seats) * shared_mib:9.1f} MiB")
    print(f"summaries and vectors  {refresh_s:7.2f} s CPU", end="  ")
    print(f"{n_parts:,} session parts, {embedder.name}\n")
    return memory


def plain_index(lines: Sequence[Line]) -> sqlite3.Connection:
    """Returns an index of all texts that knows no seats, ranked by SQLite's own BM25."""
    full_text = sqlite3.connect(":memory:")
    full_text.execute("CREATE VIRTUAL TABLE t USING fts5 (text)")
    full_text.executemany("INSERT INTO t VALUES (?)", [(line.text,) for line in lines])
    return full_text


def bench_clear(who: str, seat: SeatMemory, own: Sequence[Line], full_text: sqlite3.Connection, n: int) -> None:
    """Times keyword search for one person, a substring scan, and an index that knows no seats."""
    rng = random.Random(1)
    words = [split_words(line.text) for line in own]
    df = Counter(word for line in words for word in set(line))
    telling = [[word for word in line if df[word] <= 0.05 * len(own)] for line in words]
    telling = [line for line in telling if line]
    texts = [line.text.lower() for line in own]
    for what, pool, n_words in (("one word", telling, 1), ("three words", telling, 3), ("common word", words, 1)):
        queries = [[rng.choice(rng.choice(pool)) for _ in range(n_words)] for _ in range(n)]
        scanned = time_calls(lambda query: [text for text in texts if any(word in text for word in query)], queries)
        timed = time_calls(seat.clear, queries)
        plain = time_calls(lambda query: full_text.execute(PLAIN, (" OR ".join(query),)).fetchall(), queries)
        matches = statistics.median(seat.clear(query).n_matches for query in queries)
        goal = None if pool is words else "clear"
        show(f"clear: {who}, {what}", timed, goal, scanned, f"{len(own):,} lines, {matches:g} matches")
        show("  substring scan of their texts", scanned)
        show("  full-text index of all lines, 30 best, no seat", plain)


def bench_fuzzy(who: str, memory: SharedMemory, name: str, embedder: Embedder, own: Sequence[Line], n: int) -> None:
    """Times embedding search for one person, and the float32 scan over the same vectors; checks recall."""
    rng = random.Random(2)
    seat = memory.seat(name)
    texts = [" ".join(rng.choices(split_words(rng.choice(own).text), k=5)) for _ in range(n)]
    vectors = stored_vectors(memory, name)

    def scan(query: np.ndarray) -> np.ndarray:
        scores = vectors @ query
        best = np.argpartition(scores, -10)[-10:]
        return best[np.argsort(-scores[best])]

    with asyncio.Runner() as runner:
        queries = runner.run(embedder.embed(texts))
        timed, found = runner.run(time_fuzzy(seat, texts))
    exact = vectors.astype(np.float64)
    tenth = [float(np.sort(exact @ query.astype(np.float64))[-10]) for query in queries]
    recalls = [sum(hit.score >= least - 1e-12 for hit in hits) / 10 for hits, least in zip(found, tenth, strict=True)]
    note = f"{vectors.shape[0]:,} x {vectors.shape[1]}, recall {statistics.mean(recalls):g} (least {min(recalls):g})"
    base = time_calls(scan, queries)
    show(f"fuzzy: {who}", timed, "fuzzy", base, note)
    show(f"  float32 scan: {who}", base)


async def time_fuzzy(seat: SeatMemory, texts: Sequence[str]) -> tuple[Timed, list[tuple[FuzzyHit, ...]]]:
    """Returns the time of a search, the embedding of the query included, and what every search found."""
    found, walls, cpus = [], [], []
    for text in texts:
        wall, cpu = time.perf_counter(), time.process_time()
        found.append(await seat.fuzzy(text, top_k=10))
        cpus.append(1e3 * (time.process_time() - cpu))
        walls.append(1e3 * (time.perf_counter() - wall))
    return Timed(statistics.median(walls), statistics.median(cpus), sorted(walls)[int(0.95 * len(walls))]), found


def stored_vectors(memory: SharedMemory, name: str) -> np.ndarray:
    """Returns the vectors of one person's session parts, float32 `[n_parts, dim]`, oldest first."""
    assert memory._fuzzy is not None
    kept = memory._fuzzy._seats[name]
    return kept.vectors.of(sorted(kept.parts, key=lambda key: kept.parts[key].first))


def bench_long_scan(lines: Sequence[Line], embedder: Embedder, n: int) -> None:
    """Times embedding search for one who heard everything, each message a part of its own."""
    heard = [replace(line, hearers=(*line.hearers, LISTENER)) for line in lines]
    seats = sorted({seat for line in heard for seat in line.audience})
    with SharedMemory(seats, max_lines=len(lines), embedder=embedder, cut=SessionCut(max_lines=1)) as memory:
        memory.extend(heard)
        seat = memory.seat(LISTENER)
        asyncio.run(seat.fuzzy("index everything first"))
        bench_fuzzy("heard all, every line a part", memory, LISTENER, embedder, heard, n)


def bench_add(lines: Sequence[Line], seats: Sequence[str], n: int) -> None:
    """Times one more message: with room, with every place taken, and in a file."""
    later = [replace(line, id=f"later-{line.id}", time=line.time + lines[-1].time) for line in lines[: n * 10]]
    with tempfile.TemporaryDirectory() as folder:
        for what, max_lines, path in (
            ("in memory", len(lines) * 2, None),
            ("in memory, all places taken", 300, None),
            ("in a file", len(lines) * 2, Path(folder) / "index.sqlite"),
        ):
            with SharedMemory(seats, max_lines=max_lines, path=path) as memory:
                memory.extend(lines)
                show(f"add one message, {what}", time_calls(memory.add, later), "add")


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=N_LINES)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--embedder", choices=("hashing", "wordllama"), default="hashing")
    options = parser.parse_args()
    if os.environ.get("OMP_NUM_THREADS") != "1" and os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        sys.exit("benchmarks/speed/memory.py: found several threads allowed; one core; set OMP_NUM_THREADS=1")
    embedder = HashingEmbedder() if options.embedder == "hashing" else WordLlamaEmbedder()
    lines = town_lines(options.lines)
    seats = sorted({seat for line in lines for seat in line.audience})
    memory = bench_index(lines, seats, embedder)
    print(f"{'':50} {'wall ms':>9} {'CPU ms':>9} {'p95 wall':>9} {'goal':>6} {'to scan':>8}")
    full_text = plain_index(lines)
    held = sorted(seats, key=lambda seat: memory.seat(seat).counts().n_held)
    for who, name in (("ordinary person", held[len(held) // 2]), ("busiest person", held[-1])):
        own = [line for line in lines if name in line.audience]
        bench_clear(who, memory.seat(name), own, full_text, options.queries)
        bench_fuzzy(who, memory, name, embedder, own, options.queries)
    memory.close()
    with SharedMemory([*seats, LISTENER], max_lines=len(lines)) as all_heard:
        all_heard.extend(replace(line, hearers=(*line.hearers, LISTENER)) for line in lines)
        bench_clear("heard all", all_heard.seat(LISTENER), lines, full_text, options.queries)
    full_text.close()
    for longest in (HashingEmbedder(256), HashingEmbedder(384)) if options.embedder == "hashing" else (embedder,):
        bench_long_scan(lines, longest, options.queries)
    bench_add(lines, seats, options.queries)


if __name__ == "__main__":
    main()
