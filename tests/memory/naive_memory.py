"""Slow second paths: what one seat may find, computed from a plain list of the lines it holds and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

from tidings.memory import Line
from tidings.memory.words import split_words


def held_by(seat: str, lines: Sequence[Line], max_lines: int) -> list[Line]:
    return [line for line in lines if seat in (line.speaker, *line.hearers)][-max_lines:]


def occurrences(keyword: str, line: Line) -> int:
    wanted, words = split_words(keyword), split_words(line.text)
    n = len(wanted)
    found = 0
    for i in range(len(words) - n + 1):
        here = words[i : i + n]
        if keyword.endswith("*"):
            found += here[:-1] == wanted[:-1] and here[-1].startswith(wanted[-1])
        else:
            found += here == wanted
    return found


def naive_clear(
    held: Sequence[Line], keywords: Sequence[str], window: int, limit: int
) -> tuple[list[Line], list[tuple[str, float]], int]:
    keywords = [keyword for keyword in dict.fromkeys(keywords) if split_words(keyword)]
    scores = [0.0] * len(held)
    lengths = [len(split_words(line.text)) for line in held]
    for keyword in keywords:
        counts = [occurrences(keyword, line) for line in held]
        df = sum(count > 0 for count in counts)
        for i, tf in enumerate(counts):
            if tf:
                relative = lengths[i] / (sum(lengths) / len(held))
                scores[i] += (
                    log(1 + (len(held) - df + 0.5) / (df + 0.5)) * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * relative))
                )
    ranked = sorted(
        (i for i in range(len(held)) if scores[i]), key=lambda i: (-round(scores[i], 9), held[i].time, held[i].id)
    )
    chosen: list[int] = []
    for i in ranked:
        talk = [j for j in range(len(held)) if held[j].session == held[i].session]
        at = talk.index(i)
        near = [i]
        for d in range(1, window + 1):
            near += [talk[at + step] for step in (-d, d) if 0 <= at + step < len(talk)]
        chosen += [j for j in dict.fromkeys(near) if j not in chosen]
    chosen = sorted(chosen[:limit])
    hits = [(held[i].id, scores[i]) for i in ranked if i in chosen]
    return [held[i] for i in chosen], hits, len(ranked)
