"""The viewer in a real browser: open, step, click, filter, search, compare, keys, and texts that mean harm."""

import json
import os
import threading
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from viewer_runs import gossip, write_run

from tidings.analysis.viewer import Library, ViewerServer
from tidings.core import Event
from tidings.log.store import ENDED, EventStore

pytestmark = pytest.mark.slow


def go(page: Any, where: str) -> None:
    page.evaluate("where => { location.hash = where; }", where)
    page.wait_for_function("() => document.querySelector('main')")


def open_rollout(page: Any, run: str, rollout: int = 0, query: str = "") -> None:
    go(page, f"#/run/{run}/{rollout}{query}")
    page.wait_for_selector(".stage-canvas")
    page.wait_for_function("() => document.querySelector('.where').textContent.includes('step')")


def step(page: Any) -> int:
    return int(page.locator(".where b").inner_text().removeprefix("step ").replace(",", ""))


def test_the_table_tells_every_run_as_it_is_and_can_be_searched_and_sorted(page: Any, ids: dict[str, str]) -> None:
    def row(label: str) -> str:
        return page.locator(f"tr[data-run='{ids[label]}']").inner_text()

    assert page.locator("tr[data-run]").count() == len(ids)
    assert "3 failed" in row("failing-001")
    assert "no value" in row("failing-001")
    assert "interrupted" in row("torn")
    assert "0/0" in row("empty")
    assert "300/300" in row("rows-001")
    page.fill(".search", "social herd")
    assert page.locator("tr[data-run]").count() == 1
    assert "1 of" in page.locator(".bar").inner_text()
    page.fill(".search", "no such run")
    assert "No run matches" in page.inner_text("main")
    page.fill(".search", "")
    page.click("th >> text=run")
    names = page.locator("td.name").all_inner_texts()
    assert names == sorted(names)


def test_the_token_leaves_the_address_and_no_script_can_read_the_cookie(page: Any, viewer: ViewerServer) -> None:
    assert viewer.token not in page.url
    assert page.evaluate("document.cookie") == ""
    page.reload()
    page.wait_for_selector("tr[data-run]")


def test_stepping_by_buttons_keys_and_timeline(page: Any, ids: dict[str, str]) -> None:
    open_rollout(page, ids["gossip"])
    assert step(page) == 0
    page.click("button[title^='one step on']")
    assert step(page) == 1
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert step(page) == 2
    page.keyboard.press("End")
    assert step(page) == 8
    page.keyboard.press("Home")
    assert step(page) == 0
    box = page.locator(".timeline-canvas").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.55, box["y"] + 20)
    assert step(page) == 4
    assert "step=4" in page.url
    page.keyboard.press("Home")
    page.keyboard.press(" ")
    page.wait_for_function("() => document.querySelector('.where').textContent.includes('step 2')")
    page.keyboard.press(" ")
    assert step(page) >= 2


def test_clicking_the_stage_opens_a_message_and_a_seat(page: Any, ids: dict[str, str]) -> None:
    open_rollout(page, ids["gossip"], query="?step=1")
    page.wait_for_timeout(900)
    box = page.locator(".stage-canvas").bounding_box()
    found = set()
    for y in range(60, int(box["height"]) - 20, 9):
        for x in range(60, int(box["width"]) - 20, 9):
            page.mouse.move(box["x"] + x, box["y"] + y)
            if page.evaluate("document.querySelector('.stage-canvas').style.cursor") != "pointer":
                continue
            page.mouse.click(box["x"] + x, box["y"] + y)
            found.add(page.locator(".tab.on").get_attribute("data-tab"))
            if found == {"event", "seat"}:
                break
        if found == {"event", "seat"}:
            break
    assert found == {"event", "seat"}
    page.keyboard.press("2")
    page.wait_for_selector(".kind-tag")
    text = page.inner_text(".side-body")
    assert "Who may know" in text
    assert "3 seats of 8" in text
    assert "Facts it carried" in text


def test_events_are_filtered_by_kind_and_seat_and_searched_on_the_server(page: Any, ids: dict[str, str]) -> None:
    open_rollout(page, ids["gossip"])
    shown = page.locator("[data-shown]")
    assert shown.get_attribute("data-shown") == "109"
    page.click(".chip[data-kind='reply']")
    without = int(shown.get_attribute("data-shown"))
    page.dblclick(".chip[data-kind='message']")
    messages = int(shown.get_attribute("data-shown"))
    assert 0 < messages < without < 109
    page.select_option(".events select", "2")
    assert int(shown.get_attribute("data-shown")) == 7
    page.select_option(".events select", "-2")
    page.fill(".events .search", "SOMETHING else")
    page.wait_for_function("() => document.querySelector('[data-shown]').dataset.shown === '1'")
    page.click(".row[data-event]")
    assert step(page) == 2
    page.keyboard.press("2")
    page.wait_for_selector(".kind-tag")
    assert "something else" in page.inner_text(".side-body")


def test_a_seat_s_view_shows_what_it_could_see_and_hides_the_rest(page: Any, ids: dict[str, str]) -> None:
    open_rollout(page, ids["gossip"], query="?step=1&seat=5&tab=seat")
    page.wait_for_selector(".barrier .row")
    assert page.locator(".barrier .row.seen").count() == 0
    assert page.locator(".barrier .row.unseen").all_inner_texts() == ["0\n16 events"]
    assert "f0" not in page.inner_text(".barrier")
    page.keyboard.press("End")
    page.wait_for_function("() => document.querySelector('.side-body').textContent.includes('this seat may know 2')")
    page.keyboard.press("v")
    page.wait_for_selector(".as-seat")
    assert "as a5 sees it" in page.inner_text(".legend")
    page.keyboard.press("Escape")
    page.wait_for_selector(".as-seat", state="detached")


def test_a_fact_s_way_is_told_step_by_step(page: Any, ids: dict[str, str]) -> None:
    open_rollout(page, ids["gossip"], rollout=1, query="?tab=facts")
    page.click(".fact-row[data-fact='0']")
    page.wait_for_selector(".uplot")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "() => document.querySelector('.side-body').textContent.includes('step 1: 3 of 8 seats met it')"
    )
    assert "1 claim with another value" in page.inner_text(".side-body")
    page.keyboard.press("Escape")
    page.wait_for_selector(".fact-row")


def test_the_planner_s_panel_tells_belief_precision_and_cost(page: Any, ids: dict[str, str]) -> None:
    open_rollout(page, ids["herd-001"], query="?tab=planner")
    page.wait_for_selector(".uplot")
    text = page.inner_text(".side-body")
    assert "Set 9 precisions, paid 0.45 in all." in text
    assert "altruistic" in text


def test_the_planner_s_graphs_are_drawn_round_by_round(page: Any, ids: dict[str, str]) -> None:
    open_rollout(page, ids["rounds"], query="?tab=planner")
    page.wait_for_selector(".dag")
    assert page.locator(".dag").count() == 2
    text = page.inner_text(".side-body")
    for words in ("round 1 · step 1 · 3 edges", "round 2 · step 3 · 1 edge", "stop · step 4", "no_cue", "1 failed"):
        assert words in text
    before = page.locator(".stage-canvas").screenshot()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(900)
    assert page.locator(".stage-canvas").screenshot() != before


def test_prompt_and_reply_of_a_turn_are_shown_exactly(page: Any, ids: dict[str, str], viewer: ViewerServer) -> None:
    calls = viewer.library.get(f"run/{ids['asked-001']}/0/calls")
    call = viewer.library.get(f"run/{ids['asked-001']}/0/call/0")
    open_rollout(page, ids["asked-001"], query=f"?step={calls[0]['step']}")
    page.dblclick(".chip[data-kind='action']")
    page.click(".row[data-event]")
    page.keyboard.press("2")
    page.wait_for_selector(".bubble")
    shown = page.locator(".bubble .text").all_text_contents()
    for _, content in call["request"]["messages"]:
        assert content in shown
    assert int(call["request"]["seed"]) > 2**53
    assert f"seed {call['request']['seed']}" in page.inner_text(".call")
    page.keyboard.press("6")
    page.click(".call-row[data-call='0']")
    page.wait_for_selector(".bubble.system")
    assert "← all calls" in page.inner_text(".side-body")


def test_two_runs_are_compared(page: Any, ids: dict[str, str]) -> None:
    page.click(f"tr[data-run='{ids['herd-001']}'] input")
    page.click(f"tr[data-run='{ids['asked-001']}'] input")
    page.click("button.primary")
    page.wait_for_selector(".compare")
    text = page.inner_text(".compare")
    assert "planner.kind" in text
    assert "paired by seed" in text
    assert "p_correct" in text or "correct" in text


def test_the_keyboard_alone_leads_everywhere(page: Any, ids: dict[str, str]) -> None:
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]")
    assert "next run" in page.inner_text("dialog")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("gossip")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.wait_for_selector("tr[data-rollout]")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector(".stage-canvas")
    assert f"{ids['gossip']}/1" in page.url
    for number, tab in enumerate(("events", "event", "seat", "facts", "planner", "calls"), 1):
        page.keyboard.press(str(number))
        assert page.locator(".tab.on").get_attribute("data-tab") == tab
    page.keyboard.press("p")
    page.wait_for_function("() => location.hash.includes('/0?')")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.wait_for_selector("tr[data-run]")
    before = page.evaluate("document.documentElement.dataset.theme")
    page.keyboard.press("t")
    assert page.evaluate("document.documentElement.dataset.theme") != before


def test_a_transcript_that_means_harm_does_nothing(page: Any, ids: dict[str, str]) -> None:
    open_rollout(page, ids["evil<b>"], query="?step=1")
    for key in "123456":
        page.keyboard.press(key)
        page.wait_for_timeout(120)
    page.keyboard.press("1")
    for event in range(6):
        page.click(f".row[data-event='{event}']")
        page.keyboard.press("2")
        page.wait_for_function(f"() => document.querySelector('.event-head')?.textContent.includes('event {event}')")
        page.keyboard.press("1")
    assert page.evaluate("window.hacked") is None
    assert page.locator("main img, main script, main a[href^='javascript']").count() == 0
    page.click(".row[data-event='4']")
    page.keyboard.press("2")
    page.wait_for_selector(".said .hidden-char")
    text = page.inner_text(".said")
    assert "<script>window.hacked = 1</script>" in text
    assert "\u202e" not in text
    assert "\u001b" not in text
    assert "202E" in text
    page.keyboard.press("1")
    page.click(".row[data-event='5']")
    page.keyboard.press("2")
    page.wait_for_selector(".said .fold")
    assert len(page.inner_text(".said")) < 7000
    page.click(".said .fold")
    assert len(page.locator(".said").text_content()) == 200_000


def test_runs_without_events_say_so(page: Any, ids: dict[str, str]) -> None:
    go(page, f"#/run/{ids['rows-001']}")
    page.wait_for_function("() => document.body.textContent.includes('page 1 of 2')")
    assert "one row a rollout" in page.inner_text("main")
    page.click("text=→")
    page.wait_for_function("() => document.body.textContent.includes('page 2 of 2')")
    go(page, f"#/run/{ids['empty']}")
    page.wait_for_function("() => document.body.textContent.includes('No rollout has begun')")
    go(page, f"#/run/{ids['failing-001']}")
    page.wait_for_function("() => document.body.textContent.includes('3 rollouts failed')")


def test_failed_rollouts_can_be_shown_alone_and_the_failure_stands_where_it_happened(
    page: Any, ids: dict[str, str]
) -> None:
    go(page, f"#/run/{ids['mixed']}")
    page.wait_for_selector("tr[data-rollout]")
    assert page.locator("tr[data-rollout]").count() == 3
    page.keyboard.press("f")
    page.wait_for_function("() => document.querySelectorAll('tr[data-rollout]').length === 1")
    page.click("tr[data-rollout='1']")
    page.wait_for_selector(".stage-canvas")
    page.dblclick(".chip[data-kind='failure']")
    page.click(".row.g-fail")
    page.keyboard.press("2")
    page.wait_for_selector(".kind-tag.g-fail")
    text = page.inner_text(".side-body")
    assert "the server hung up" in text
    assert "Nobody: only the analyst sees this." in text


def test_a_number_that_a_browser_cannot_hold_is_shown_digit_for_digit(page: Any, ids: dict[str, str]) -> None:
    open_rollout(page, ids["mixed"], 0, "?event=0&tab=event")
    page.wait_for_selector(".json")
    assert "9007199254740993" in page.inner_text(".json")
    assert "9007199254740993" in page.inner_text(".said")


def test_a_run_in_progress_is_followed(browser: Any, tmp_path: Path) -> None:
    steps = gossip()
    folder = write_run(tmp_path / "growing", nx.cycle_graph(8), [steps[:3]], status="running", ended=False)
    status = json.loads((folder / "status.json").read_text())
    (folder / "status.json").write_text(json.dumps(status | {"pid": os.getpid()}))
    server = ViewerServer(Library([folder]))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    page = browser.new_page()
    page.set_default_timeout(60_000)
    page.goto(server.address)
    page.wait_for_selector(".s-running")
    page.click("tr[data-run]")
    page.wait_for_function("() => document.body.textContent.includes('Running: the page follows')")
    page.click("tr[data-rollout='0']")
    page.wait_for_selector(".stage-canvas")
    page.keyboard.press("End")
    assert step(page) == 2
    assert "unfinished" in page.inner_text(".where")
    store = EventStore(folder / "events")
    index = sum(map(len, steps[:3]))
    for number, events in enumerate(steps[3:6], 3):
        store.append(0, [e._replace(step=number, index=index + i) for i, e in enumerate(events)])
        index += len(events)
    page.wait_for_function("() => document.querySelector('.where').textContent.includes('step 5 of 5')")
    store.append(0, [Event(ENDED, (), {"status": "ok"}, None, 6, index)])
    store.finish(0)
    store.close()
    page.wait_for_function("() => !document.querySelector('.where').textContent.includes('unfinished')")
    assert page.locator("[data-shown]").get_attribute("data-shown") == str(index + 1)
    page.close()
    server.shutdown()
    server.server_close()


def test_an_address_that_leads_nowhere_is_told(browser: Any, viewer: ViewerServer, ids: dict[str, str]) -> None:
    page = browser.new_page()
    page.set_default_timeout(60_000)
    page.goto(viewer.address)
    for where in ("#/run/nobody", f"#/run/{ids['gossip']}/99", "#/compare/a/b"):
        go(page, where)
        page.wait_for_selector(".problem")
    page.close()


def test_on_a_phone_the_legend_hides_no_seat_and_every_colour_is_told(
    browser: Any, viewer: ViewerServer, ids: dict[str, str]
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(viewer.address)
    page.wait_for_selector("tr[data-run]")
    assert page.evaluate("document.querySelector('.runs-table').getBoundingClientRect().right <= innerWidth")
    go(page, f"#/run/{ids['herd-001']}")
    page.wait_for_selector(".metrics")
    assert page.evaluate("document.querySelector('.metrics').getBoundingClientRect().right <= innerWidth")
    open_rollout(page, ids["herd-001"], query="?step=3")
    page.wait_for_timeout(900)
    assert page.locator(".timeline-key").is_visible()
    top, stage = page.locator(".stage-top").bounding_box(), page.locator(".stage-canvas").bounding_box()
    assert top["height"] > 40  # the legend takes a line of its own here
    legend = range(round(page.locator(".stage-top .legend").bounding_box()["y"]), round(top["y"] + top["height"]), 4)
    under = []
    for y in legend:
        for x in range(4, round(stage["width"]), 8):
            page.mouse.move(x, y)
            under.append(page.evaluate("document.querySelector('.stage-canvas').style.cursor"))
    assert "pointer" not in under
    context.close()
