"""The OpenAI-compatible provider against a loopback server whose answers are all decided here."""

import asyncio
import json
import math

import pytest
from asked import ask
from stub_server import CUT, HANG, StubServer, error, ok

from tidings.core import MissingPartError, ModelError, PromptMessage
from tidings.log.calls import CallStore
from tidings.models.guard import GuardedModel, GuardParams
from tidings.models.openai_compatible import OpenAICompatibleModel, OpenAICompatibleParams
from tidings.spec.errors import validate

pytestmark = pytest.mark.real_model
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


def connect(server, **params):
    given = {"base_url": server if isinstance(server, str) else server.base_url} | params
    return OpenAICompatibleModel.build(validate(OpenAICompatibleParams, given), "stub")


async def asked_of(decide, request, **params):
    """Returns the answer to one request and the bodies the server got."""
    async with StubServer(decide) as server:
        model = connect(server, **params)
        try:
            return await model.respond(request), server
        finally:
            await model.close()


async def failure_of(decide, request=None, **params):
    with pytest.raises(ModelError) as caught:
        await asked_of(decide, request or ask(), **params)
    return caught.value


async def test_a_request_goes_out_whole_and_the_answer_comes_back():
    request = ask("Hi?", temperature=0.5, top_p=0.9, max_tokens=7, stop=("x", "y"), seed=2**63 + 5)
    answer, server = await asked_of(lambda body, n: ok("Hello"), request)
    assert (answer.text, answer.model, answer.tokens_in, answer.tokens_out, answer.finish) == (
        "Hello",
        "stub-1",
        7,
        3,
        "stop",
    )
    (body,) = server.requests
    assert body == {
        "model": "stub",
        "messages": [{"role": "user", "content": "Hi?"}],
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 7,
        "stop": ["x", "y"],
        "seed": 5,
    }


async def test_a_server_of_another_taste_gets_what_it_wants():
    params = {"model": "other", "omit": ["temperature", "seed"], "max_tokens_field": "max_completion_tokens"}
    _, server = await asked_of(lambda body, n: ok(), ask(), **params, extra_body={"cache_prompt": False})
    (body,) = server.requests
    assert body["model"] == "other"
    assert body["cache_prompt"] is False
    assert body["max_completion_tokens"] == 256
    assert not {"temperature", "seed", "max_tokens"} & set(body)


async def test_an_answer_cut_by_its_limit_says_so_and_missing_usage_is_marked():
    answer, _ = await asked_of(lambda body, n: ok("Hel", finish_reason="length", usage=None), ask())
    assert answer.finish == "length"
    assert answer.extra["tokens_unknown"] is True


async def test_several_addresses_are_asked_in_turn():
    async with StubServer(lambda body, n: ok("one")) as one, StubServer(lambda body, n: ok("two")) as two:
        model = connect(one, base_url=[one.base_url, two.base_url])
        assert [(await model.respond(ask(step=step))).text for step in range(4)] == ["one", "two", "one", "two"]
        await model.close()


# Keys


async def test_the_key_comes_from_the_named_variable(monkeypatch):
    monkeypatch.setenv("EXAMPLE_KEY", "sk-secret")
    _, server = await asked_of(lambda body, n: ok(), ask(), api_key_env="EXAMPLE_KEY")
    assert server.headers[0]["authorization"] == "Bearer sk-secret"


async def test_no_key_and_no_account_goes_to_a_host_that_the_scenario_did_not_name_it_for(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-secret")
    _, server = await asked_of(lambda body, n: ok(), ask())
    assert "secret" not in str(server.headers)


def test_a_missing_key_is_one_clear_line_before_anything_runs(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(MissingPartError, match=r"OPENAI_API_KEY is empty; api\.openai\.com needs a key; export"):
        OpenAICompatibleModel.build(OpenAICompatibleParams(), "x")
    with pytest.raises(MissingPartError, match="MY_KEY is empty"):
        connect("https://example.org/v1", api_key_env="MY_KEY")
    with pytest.raises(MissingPartError, match="base_url is empty"):
        connect("x", base_url=[])


async def test_the_key_is_in_no_message_and_no_record(monkeypatch, tmp_path):
    monkeypatch.setenv("EXAMPLE_KEY", "sk-secret-123")
    async with StubServer(lambda body, n: error(401, "bad key sk-secret-123")) as server:
        guarded = GuardedModel(connect(server, api_key_env="EXAMPLE_KEY"), calls=CallStore(tmp_path))
        with pytest.raises(ModelError) as caught:
            await guarded.respond(ask())
        await guarded.close()
    assert "sk-secret-123" not in repr(caught.value) + caught.value.detail + caught.value.message
    text = (tmp_path / "00000000.jsonl").read_text()
    assert "bad key ***" in text
    assert "sk-secret-123" not in text


async def test_a_proxy_of_the_environment_is_not_used_for_loopback(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    answer, _ = await asked_of(lambda body, n: ok("direct"), ask())
    assert answer.text == "direct"


# Failures


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(429, "slow down", {"retry-after": "3"}), "rate_limit"),
        (error(500), "server"),
        (error(503, "Loading model"), "server"),
        (error(400, "maximum context length is 10"), "context_length"),
        (error(401), "request"),
        (error(404), "request"),
        ((200, {}, b"<html>gateway</html>"), "server"),
        ((200, {}, b"{}"), "server"),
        ((200, {}, b'{"choices": []}'), "server"),
        ((200, {}, b'{"choices": [{}]}'), "server"),
        ((200, {}, b'{"choices": [{"message": {"content": 5}}]}'), "server"),
        ((200, {}, b'{"choices": 5}'), "server"),
        ((200, {}, b"[1, 2]"), "server"),
        ((200, {}, b'"x"'), "server"),
        ((200, {}, b"\xff\xfe"), "server"),
        ((200, {}, b'{"choices": [{"mess'), "server"),
        ((200, {}, b""), "server"),
        (ok(""), "empty"),
        (ok(None), "empty"),
        (ok(" \n"), "empty"),
        (ok("", finish_reason="length"), "empty"),
        (ok(None, finish_reason="content_filter"), "refusal"),
        (ok(None, message={"role": "assistant", "refusal": "I will not"}), "refusal"),
        (CUT, "connection"),
    ],
)
async def test_everything_a_server_may_do_has_a_kind(answer, kind):
    found = await failure_of(lambda body, n: answer)
    assert found.kind == kind
    assert getattr(found, "retry_after_s", None) == (3.0 if kind == "rate_limit" else None)


async def test_nobody_at_the_address_is_a_connection_failure():
    with pytest.raises(ModelError, match="connection"):
        await connect("http://127.0.0.1:9/v1").respond(ask())


async def test_the_client_itself_never_tries_again():
    async with StubServer(lambda body, n: error(500)) as server:
        model = connect(server)
        with pytest.raises(ModelError):
            await model.respond(ask())
        assert len(server.requests) == 1
        await model.close()


async def test_the_guard_bridges_a_server_that_fails_in_every_way():
    acts = [error(429, headers={"retry-after-ms": "10"}), error(500), (200, {}, b"<html>"), CUT, HANG, ok("at last")]
    async with StubServer(lambda body, n: acts[n - 1]) as server:
        model = GuardedModel(connect(server), GuardParams(timeout_s=0.3), sleep=lambda seconds: asyncio.sleep(0))
        assert (await model.respond(ask())).text == "at last"
        assert len(server.requests) == 6
        await model.close()


async def test_no_answer_at_all_ends_as_a_timeout():
    async with StubServer(lambda body, n: HANG) as server:
        model = GuardedModel(connect(server), GuardParams(timeout_s=0.2, retries=0))
        with pytest.raises(ModelError, match="timeout"):
            await model.respond(ask())
        await model.close()


def test_a_model_lives_through_several_event_loops():
    async def once(model, seen):
        async with StubServer(lambda body, n: ok("fine")) as server:
            model._urls = (server.base_url,)
            seen.append((await model.respond(ask())).text)

    model, seen = connect("http://127.0.0.1:1/v1"), []
    for _ in range(2):
        asyncio.run(once(model, seen))
    assert seen == ["fine", "fine"]


# Structured answers


async def test_json_asks_by_schema():
    _, server = await asked_of(lambda body, n: ok('{"a": 1}'), ask(kind="json", schema=SCHEMA))
    wanted = server.requests[0]["response_format"]
    assert wanted["type"] == "json_schema"
    assert wanted["json_schema"]["schema"] == SCHEMA
    assert wanted["json_schema"]["strict"] is True


def knows_only(*types):
    def decide(body, n):
        asked_type = body.get("response_format", {}).get("type", "none")
        return ok('{"a": 1}') if asked_type in types else error(400, f"response_format {asked_type} is not supported")

    return decide


@pytest.mark.parametrize(("types", "mode", "n"), [(["json_object", "none"], "json_object", 2), (["none"], "plain", 3)])
async def test_a_server_without_schemas_is_asked_another_way_and_that_is_remembered(types, mode, n):
    async with StubServer(knows_only(*types)) as server:
        model = connect(server)
        request = ask(kind="json", schema=SCHEMA)
        assert (await model.respond(request)).extra["json_mode"] == mode
        assert len(server.requests) == n
        assert (await model.respond(request)).extra["json_mode"] == mode
        assert len(server.requests) == n + 1
        first = server.requests[-1]["messages"][0]
        assert first["role"] == "system"
        assert json.dumps(SCHEMA) in first["content"]
        await model.close()


async def test_the_schema_stands_behind_a_system_prompt_of_the_seat():
    request = ask(kind="json", schema=SCHEMA)
    request = type(request)(
        request.key, (PromptMessage("system", "Be kind."), *request.messages), "json", schema=SCHEMA
    )
    _, server = await asked_of(knows_only("none"), request)
    assert [m["role"] for m in server.requests[-1]["messages"]] == ["system", "system", "user"]
    assert server.requests[-1]["messages"][0]["content"] == "Be kind."


async def test_one_schema_that_is_refused_does_not_spoil_the_others():
    def decide(body, n):
        schema = body.get("response_format", {}).get("json_schema", {}).get("schema", {})
        return error(400, "maxLength is not supported") if "bad" in str(schema) else ok("{}")

    async with StubServer(decide) as server:
        model = connect(server)
        bad = await model.respond(ask(kind="json", schema={"bad": 1}))
        good = await model.respond(ask(kind="json", schema=SCHEMA))
        assert (bad.extra["json_mode"], good.extra["json_mode"]) == ("json_object", "json_schema")
        await model.close()


async def test_a_question_refused_in_every_way_is_refused_and_nothing_is_remembered():
    async with StubServer(lambda body, n: error(400, "bad model") if n <= 3 else ok("{}")) as server:
        model = connect(server)
        request = ask(kind="json", schema=SCHEMA)
        with pytest.raises(ModelError, match="request"):
            await model.respond(request)
        assert (await model.respond(request)).extra["json_mode"] == "json_schema"
        await model.close()


@pytest.mark.parametrize("answer", [error(429), error(500), error(400, "maximum context length"), error(401)])
async def test_other_failures_do_not_change_the_way_of_asking(answer):
    async with StubServer(lambda body, n: answer) as server:
        model = connect(server)
        with pytest.raises(ModelError):
            await model.respond(ask(kind="json", schema=SCHEMA))
        assert len(server.requests) == 1
        await model.close()


# Choices and scores


def first_tokens(**probabilities):
    top = [{"token": token, "logprob": math.log(p), "bytes": None} for token, p in probabilities.items()]
    return {"content": [{**top[0], "top_logprobs": top}]}


async def test_choice_reads_the_first_token():
    answer, server = await asked_of(
        lambda body, n: ok("Z", logprobs=first_tokens(A=0.1, B=0.3, Z=0.5)), ask(kind="choice", options=("A", "B"))
    )
    assert answer.text == "B"
    assert answer.probabilities == pytest.approx((0.25, 0.75))
    assert answer.mass == pytest.approx(0.4)
    (body,) = server.requests
    assert (body["max_tokens"], body["logprobs"], body["top_logprobs"], body["temperature"], body["top_p"]) == (
        1,
        True,
        20,
        1.0,
        1.0,
    )


@pytest.mark.parametrize("logprobs", [None, {"content": []}, {"content": None}])
async def test_a_server_without_logprobs_cannot_choose(logprobs):
    found = await failure_of(lambda body, n: ok("A", logprobs=logprobs), ask(kind="choice", options=("A", "B")))
    assert found.kind == "request"
    assert "no log-probabilities" in found.message


async def test_a_choice_may_be_empty_text_since_only_its_probabilities_count():
    answer, _ = await asked_of(lambda body, n: ok("", logprobs=first_tokens(A=0.9)), ask(kind="choice", options=("A",)))
    assert answer.probabilities == (1.0,)


def prompt_scores(body, n):
    """Speaks as vLLM does: four tokens of prompt, two more of continuation."""
    if not body.get("continue_final_message"):
        return ok("x", usage={"prompt_tokens": 4, "completion_tokens": 1, "total_tokens": 5})
    position = {"11": {"logprob": -0.5, "rank": 1, "decoded_token": "a"}}
    status, headers, content = ok("x", usage={"prompt_tokens": 6, "completion_tokens": 1, "total_tokens": 7})
    whole = json.loads(content) | {
        "prompt_logprobs": [None, position, position, position, position, {"12": {"logprob": -1.5}}]
    }
    return status, headers, json.dumps(whole).encode()


async def test_score_reads_the_end_of_the_prompt():
    request = ask("Hi", kind="score", continuation="two tokens")
    answer, server = await asked_of(prompt_scores, request, prompt_logprobs=True)
    assert answer.logprobs == (-0.5, -1.5)
    assert server.requests[1]["messages"][-1] == {"role": "assistant", "content": "two tokens"}
    assert server.requests[1]["add_generation_prompt"] is False


async def test_score_without_support_is_not_offered_and_fails_clearly():
    assert "score" not in connect("http://127.0.0.1:1/v1").kinds
    found = await failure_of(lambda body, n: ok(), ask(kind="score", continuation="x"), prompt_logprobs=True)
    assert "no log-probabilities of the prompt" in found.message
    found = await failure_of(lambda body, n: ok(), ask(kind="score", continuation="x"))
    assert "cannot answer 'score'" in found.message
