"""A suite's report on a terminal: columns that fit, the rest below, nothing lost."""

import re

import pytest

from tidings.cli.report_text import lay_out

ROW = "no communication, equal calls"
REPORT = f"""# suite

**set**: floor 0.250 (no communication), ceiling 1.000 (full information): distance 0.750, all the suite can show.

| row | score | as 0 | vs full | p (Holm) | questions | missing | what it is |
| --- | --- | --- | --- | --- | --- | --- | --- |
| {ROW} | 0.250 [0.100, 0.400] | 0.250 | -0.750 [-0.900, -0.600] | < 0.001 | 5 | 1 of 15; 1 x unparsable | majority |
| **full** | 1.000 [0.566, 1.000] | 1.000 | - | - | 5 | 0 of 15 | they talk |

Transcripts: [failures.md](failures.md)
"""


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_lines_fit_and_no_word_is_lost(width: int) -> None:
    text = lay_out(REPORT, width)
    assert max(map(len, text.split("\n"))) <= width
    words = set(re.findall(r"[\w.]+", REPORT.replace("---", "")))
    assert words <= set(re.findall(r"[\w.]+", text))


def test_what_does_not_fit_stands_below_behind_its_row() -> None:
    text = lay_out(REPORT, 80)
    assert f"{ROW} - questions: 5; missing: 1 of 15; 1 x" in text
    assert "what it is" not in text.split("\n\n")[2].split("\n")[0]
    assert lay_out(REPORT, 200).split("\n\n")[2].endswith(" they talk")
    assert "**" not in text
    assert "Transcripts: failures.md" in text
