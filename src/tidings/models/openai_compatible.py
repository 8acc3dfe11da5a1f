"""`openai/...`: any server with an OpenAI-compatible address, hosted or your own.

    models:
      hosted: {use: openai/some-model, rpm: 500, price_in: 0.15, price_out: 0.6}       # key from OPENAI_API_KEY
      other: {use: openai/some-model, base_url: https://example.org/v1, api_key_env: EXAMPLE_KEY}
      mine: {use: openai/my-model, base_url: [http://127.0.0.1:8000/v1, http://127.0.0.1:8001/v1]}

`choice` reads the log-probabilities of the first token (see `tidings.models.first_tokens`); `score` needs a server that
gives log-probabilities of prompts (vLLM does) and `prompt_logprobs: true`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from tidings.core import MissingPartError, ModelError, ModelRequest, ModelResponse
from tidings.core.calls import RequestKind
from tidings.models.failures import AttemptError, check_real_calls_allowed
from tidings.models.first_tokens import choose_by_first_token
from tidings.models.guard import GuardParams
from tidings.models.openai_client import OFFICIAL_URL, Clients, attempt, find_key
from tidings.models.served_answers import Completion, read_completion
from tidings.models.url_rotation import UrlRotation
from tidings.spec.describe import Phrase

__all__ = ["OpenAICompatibleModel", "OpenAICompatibleParams"]

_Mode = Literal["json_schema", "json_object", "plain"]
_MODES: tuple[_Mode, ...] = ("json_schema", "json_object", "plain")
_UNSUPPORTED = frozenset({400, 404, 415, 422, 501})


_Address = Annotated[str, Phrase("an address like http://host:8000/v1"), Field(pattern=r"^https?://[^\s/]+")]


class OpenAICompatibleParams(GuardParams):
    """Parameters of a model behind an OpenAI-compatible address."""

    base_url: _Address | tuple[_Address, ...] = OFFICIAL_URL
    """Address, or several that are asked in turn; one that does not answer is passed over for a while."""
    api_key_env: str | None = None
    """Environment variable that holds the key. Only api.openai.com has a default: OPENAI_API_KEY."""
    model: str | None = None
    """The server's name of the model; what follows `openai/` by default."""
    top_logprobs: Annotated[int, Field(ge=1)] = 20
    """How many first tokens a choice asks for; most servers give at most 20."""
    prompt_logprobs: bool = False
    """Whether the server gives log-probabilities of prompts, as vLLM does: allows `score` requests."""
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """What the server calls the longest answer."""
    omit: tuple[Literal["temperature", "top_p", "seed", "stop"], ...] = ()
    """Fields that this model does not take."""
    extra_body: dict[str, Any] = Field(default_factory=dict)
    """Further fields of every request, as the server wants them."""


class OpenAICompatibleModel:
    """A model behind an OpenAI-compatible address. Makes one attempt a call: the guard repeats."""

    Params = OpenAICompatibleParams

    def __init__(self, name: str, params: OpenAICompatibleParams) -> None:
        """Keeps what is needed to connect; see `build`."""
        self._name, self._params = f"openai/{name}", params
        self._model = params.model or name
        self._urls = (params.base_url,) if isinstance(params.base_url, str) else params.base_url
        self._clients = Clients()
        self._rotation = UrlRotation(len(self._urls))
        self._modes: dict[str, int] = {}

    @classmethod
    def build(cls, params: OpenAICompatibleParams, name: str) -> OpenAICompatibleModel:
        """Returns the model of these parameters; `name` is what follows `openai/`. Connects to nothing yet.

        Raises:
            MissingPartError: If no address is given, or the environment holds no key where one is needed.
        """
        model = cls(name, params)
        if not model._urls:
            raise MissingPartError(f"models: {model.name}", "base_url is empty", "need at least one address")
        for url in model._urls:
            model._key(url)
        return model

    @property
    def name(self) -> str:
        """Id with provider."""
        return self._name

    @property
    def kinds(self) -> frozenset[RequestKind]:
        """`text`, `json` and `choice`; `score` if the server gives log-probabilities of prompts."""
        kinds: tuple[RequestKind, ...] = ("text", "json", "choice")
        return frozenset((*kinds, "score") if self._params.prompt_logprobs else kinds)

    async def respond(self, request: ModelRequest) -> ModelResponse:
        """Returns the server's answer to one attempt.

        Raises:
            ModelError: Of every kind; `retry_after_s` is set if the server asks to wait.
            RuntimeError: If real model calls are forbidden (see `tidings.models.failures`).
        """
        check_real_calls_allowed(self._name)
        if request.kind not in self.kinds:
            raise ModelError("request", f"{self._name} cannot answer {request.kind!r}, only {sorted(self.kinds)}")
        answer = {"text": self._text, "json": self._json, "choice": self._choice, "score": self._score}[request.kind]
        return await answer(request)

    async def close(self) -> None:
        """Closes the connections; a later request opens new ones."""
        await self._clients.close()

    async def _text(self, request: ModelRequest) -> ModelResponse:
        return self._read_text(await self._create(request, self._sampling(request)))

    async def _json(self, request: ModelRequest) -> ModelResponse:
        """Asks for JSON in the best way that this server takes for this schema, and remembers which that is."""
        schema = request.schema or {"type": "object"}
        identity = json.dumps(schema, sort_keys=True)
        first = self._modes.get(identity, 0)
        for number in range(first, len(_MODES)):
            try:
                completion = await self._create(*_ask_json(request, schema, _MODES[number], self._sampling(request)))
            except AttemptError as error:
                if number + 1 < len(_MODES) and _may_be_unsupported(error):
                    continue
                raise
            self._modes[identity] = max(number, self._modes.get(identity, 0))
            return self._read_text(completion, {"json_mode": _MODES[number]})
        raise AssertionError("the last mode returns or raises")

    async def _choice(self, request: ModelRequest) -> ModelResponse:
        """Asks for one token and reads the probabilities of all its alternatives.

        Temperature and nucleus are 1, so that it does not matter whether a server reports probabilities before or after
        them; the token that was drawn is not used.
        """
        wanted = {"logprobs": True, "top_logprobs": self._params.top_logprobs, "temperature": 1.0, "top_p": 1.0}
        wanted |= {self._params.max_tokens_field: 1, "seed": request.seed & 0x7FFFFFFF}
        completion = await self._create(request, self._without_omitted(wanted))
        logprobs = completion.choices[0].logprobs
        positions = logprobs.content if logprobs else None
        if not positions or not positions[0].top_logprobs:
            raise ModelError("request", "the server gave no log-probabilities; choices need a server that does")
        top = [(item.token, item.logprob) for item in positions[0].top_logprobs]
        probabilities, mass, open_ends = choose_by_first_token(request.options, top)
        best = request.options[probabilities.index(max(probabilities))]
        tokens_in, tokens_out, extra = self._usage(completion)
        return ModelResponse(
            best,
            completion.model or self._model,
            tokens_in,
            tokens_out,
            "stop",
            probabilities,
            mass,
            extra={**extra, **open_ends},
        )

    async def _score(self, request: ModelRequest) -> ModelResponse:
        """Reads the log-probabilities of the continuation as the end of a prompt that the server reads.

        Two requests: the prompt alone tells how many tokens it has, the prompt with the continuation gives the
        log-probabilities of those behind it.
        """
        one_token = {self._params.max_tokens_field: 1, "temperature": 1.0}
        alone = await self._create(request, one_token)
        body = {"prompt_logprobs": 0, "add_generation_prompt": False, "continue_final_message": True}
        messages = [*_messages(request), {"role": "assistant", "content": request.continuation}]
        whole = await self._create(request, {**one_token, "extra_body": {**self._params.extra_body, **body}}, messages)
        if alone.usage is None or whole.prompt_logprobs is None:
            raise ModelError(
                "request", "the server gave no log-probabilities of the prompt; set prompt_logprobs: false"
            )
        n_prompt = alone.usage.prompt_tokens
        logprobs = tuple(_only_logprob(position) for position in whole.prompt_logprobs[n_prompt:])
        if not logprobs:
            raise ModelError("request", f"{request.continuation!r} has no token of its own behind this prompt")
        return ModelResponse("", whole.model or self._model, n_prompt + len(logprobs), len(logprobs), logprobs=logprobs)

    def _sampling(self, request: ModelRequest) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "temperature": request.temperature,
            "top_p": request.top_p,
            "seed": request.seed & 0x7FFFFFFF,
            self._params.max_tokens_field: request.max_tokens,
        }
        if request.stop:
            fields["stop"] = list(request.stop)
        return self._without_omitted(fields)

    def _without_omitted(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in fields.items() if name not in self._params.omit}

    async def _create(
        self, request: ModelRequest, fields: dict[str, Any], messages: list[dict[str, str]] | None = None
    ) -> Completion:
        """Makes one request and returns the completion.

        Raises:
            AttemptError: If there is none.
        """
        number = self._rotation.next()
        url = self._urls[number]
        key = self._key(url)
        create = self._clients.of(url, key).chat.completions.with_raw_response.create
        sent: Any = messages or _messages(request)
        if self._params.extra_body and "extra_body" not in fields:
            fields = {**fields, "extra_body": self._params.extra_body}

        def note(has_answered: bool) -> None:
            (self._rotation.answered if has_answered else self._rotation.failed)(number)

        return read_completion(await attempt(lambda: create(model=self._model, messages=sent, **fields), key, note))

    def _key(self, url: str) -> str:
        return find_key(url, self._params.api_key_env, f"models: {self._name}")

    def _read_text(self, completion: Completion, extra: Mapping[str, Any] | None = None) -> ModelResponse:
        choice = completion.choices[0]
        message = choice.message
        if message.refusal or choice.finish_reason == "content_filter":
            raise AttemptError("refusal", "the model refused to answer", detail=str(message.refusal or ""))
        if message.content is None or not message.content.strip():
            raise AttemptError("empty", "the answer holds no text", detail=f"finish_reason {choice.finish_reason}")
        finish = "length" if choice.finish_reason == "length" else "stop"
        tokens_in, tokens_out, counted = self._usage(completion)
        more = {**counted, **(extra or {})}
        return ModelResponse(
            message.content, completion.model or self._model, tokens_in, tokens_out, finish, extra=more
        )

    def _usage(self, completion: Completion) -> tuple[int, int, dict[str, Any]]:
        """Returns tokens in and out, and what else the server said."""
        extra: dict[str, Any] = {}
        if completion.system_fingerprint:
            extra["system_fingerprint"] = completion.system_fingerprint
        if completion.usage is None:
            return 0, 0, {**extra, "tokens_unknown": True}
        return completion.usage.prompt_tokens, completion.usage.completion_tokens, extra


def _messages(request: ModelRequest) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in request.messages]


def _ask_json(
    request: ModelRequest, schema: dict[str, Any], mode: _Mode, fields: dict[str, Any]
) -> tuple[ModelRequest, dict[str, Any], list[dict[str, str]]]:
    """Returns what to send so that the answer is JSON; without schema support the prompt has to name the schema."""
    messages = _messages(request)
    if mode == "json_schema":
        wanted = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}
        return request, {**fields, "response_format": wanted}, messages
    words = f"Answer with one JSON object and nothing else. It must fit this JSON Schema: {json.dumps(schema)}"
    messages.insert(sum(message["role"] == "system" for message in messages[:1]), {"role": "system", "content": words})
    if mode == "json_object":
        return request, {**fields, "response_format": {"type": "json_object"}}, messages
    return request, fields, messages


def _may_be_unsupported(error: AttemptError) -> bool:
    """Returns whether the server may have refused the way of asking, not the question."""
    return error.kind == "request" and any(f"(status {status})" in error.message for status in _UNSUPPORTED)


def _only_logprob(position: Mapping[str, Any] | None) -> float:
    """Returns the log-probability of the prompt's own token at one position."""
    if not position:
        raise ModelError("request", "the server gave no log-probability for a token of the continuation")
    first = next(iter(position.values()))
    logprob = first.get("logprob") if isinstance(first, dict) else first
    if isinstance(logprob, bool) or not isinstance(logprob, int | float):
        raise AttemptError("server", "a log-probability of the prompt is no number", detail=repr(first)[:200])
    return float(logprob)
