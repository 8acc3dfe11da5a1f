"""A causal language model in this process: batches of prompts in, texts or log-probabilities out.

Prompts of a batch are padded on the left. In float32 a row's log-probabilities differ by less than 1e-4 from those it
has alone, and its text is the same; in bfloat16 neither holds (0.5 nats were seen), so that is for explicit choice.
"""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tidings.core import MissingPartError, ModelRequest, RequestError
from tidings.core.seeds import MASK
from tidings.models.transformers.continuous import ContinuousGenerator
from tidings.models.transformers.packing import pack_linears
from tidings.models.transformers.prompts import PromptWriter
from tidings.models.transformers.sampling import RowSampler
from tidings.models.transformers.stopping import RowStops
from tidings.models.transformers.weights import Weights, convert

if TYPE_CHECKING:
    import torch

__all__ = ["Engine", "Generated"]

_TAIL_TOKENS = 1024
"""Continuation tokens that are scored at once: their logits over the vocabulary are what takes memory."""


@dataclass(frozen=True)
class Generated:
    """One generated answer.

    Attributes:
        text: The text before the first stop text or end mark.
        n_tokens: Tokens made, the end mark included.
        finish: `stop`, or `length` if the token limit ended it.
    """

    text: str
    n_tokens: int
    finish: Literal["stop", "length"]


class Engine:
    """Weights, tokenizer and the two things they do: `generate` and `score`. Used from one thread.

    Attributes:
        id: What the model calls itself: name and number format.
        prompts: Turns requests into tokens.
        max_context: Longest prompt and answer together, in tokens.
    """

    def __init__(
        self, weights: Weights, dtype: Literal["float32", "bfloat16"], device: str, n_threads: int | None
    ) -> None:
        """Loads the weights.

        Args:
            weights: Where they are.
            dtype: Number format of the weights and all that is computed from them.
            device: `cpu`, `cuda`, `cuda:1`, `mps`; `auto` takes a GPU if there is one.
            n_threads: CPU threads of torch, for the whole process; as torch chooses by default.
        """
        # A waiting OpenMP thread that spins takes up to six times the CPU on a busy machine.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        import torch
        import transformers

        self._aborted = threading.Event()
        if n_threads is not None:
            torch.set_num_threads(n_threads)
        self._device = torch.device(_choose_device() if device == "auto" else device)
        with _quiet():
            place = convert(weights) if weights.is_gguf else weights.location
            source: dict[str, Any] = {"local_files_only": weights.is_local}
            try:
                tokenizer = transformers.AutoTokenizer.from_pretrained(place, **source)
                kind = transformers.AutoModelForCausalLM
                model: Any = kind.from_pretrained(place, dtype=getattr(torch, dtype), **source)
            except (OSError, ValueError) as error:
                raise MissingPartError(
                    f"transformers/{weights.name}",
                    f"cannot load the weights ({str(error).splitlines()[0]})",
                    "need a folder with config.json, a .gguf file, or a hub id that can be reached",
                ) from error
        self._model: Any = model.eval().to(self._device)
        pack_linears(self._model)
        self.id = f"{weights.name} {dtype}"
        self.max_context: int = getattr(model.config, "max_position_embeddings", 1 << 30)
        self._end_ids = _end_ids(model, tokenizer)
        self.prompts = PromptWriter(tokenizer, weights.name)
        # The checkpoint's own sampling settings (a repetition penalty, say) would act on greedy decoding too.
        self._model.generation_config = transformers.GenerationConfig(
            do_sample=False, eos_token_id=sorted(self._end_ids), pad_token_id=min(self._end_ids), use_cache=True
        )

    def generate(self, requests: Sequence[ModelRequest], prompts: Sequence[Sequence[int]]) -> list[Generated]:
        """Returns the text of each request.

        Args:
            requests: Their seeds, temperatures, nucleus masses, token limits and stop texts.
            prompts: Tokens of each prompt, `[n_rows][n_tokens]`.

        Raises:
            RuntimeError: If it was aborted.
        """
        import torch

        ids, mask = self._pad_left(prompts)
        sampler = RowSampler(
            [request.seed & MASK for request in requests],
            [request.temperature for request in requests],
            [request.top_p for request in requests],
            ids.shape[1],
        )
        stops = RowStops(requests, self._end_ids, ids.shape[1], self.prompts.decode, self._aborted.is_set)
        with torch.inference_mode():
            out: Any = self._model.generate(
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=max(request.max_tokens for request in requests),
                logits_processor=[sampler],
                stopping_criteria=[stops],
                disable_compile=True,
            )
        if self._aborted.is_set():
            raise RuntimeError("the model was closed while it answered")
        made = out[:, ids.shape[1] :].tolist()
        return [self._finished(tokens, row, stops) for row, tokens in enumerate(made)]

    def continuous(self, max_batch_tokens: int) -> ContinuousGenerator:
        """Returns a generator of this model that batches token by token."""
        return ContinuousGenerator(self._model, self._end_ids, max_batch_tokens)

    def read(self, tokens: Sequence[int], request: ModelRequest) -> Generated:
        """Returns the text of an answer's tokens, cut at its first stop text."""
        has_end = bool(tokens) and tokens[-1] in self._end_ids
        text = self.prompts.decode(tokens[:-1] if has_end else tokens)
        ends = [end for stop in request.stop if (end := text.find(stop)) >= 0]
        return Generated(text[: min(ends)] if ends else text, len(tokens), "stop" if has_end or ends else "length")

    def abort(self) -> None:
        """Ends the generation in flight at its next token; may be called from any thread."""
        self._aborted.set()

    def score(
        self, prompts: Sequence[Sequence[int]], continuations: Sequence[Sequence[Sequence[int]]]
    ) -> list[list[list[float]]]:
        """Returns the natural-log probability of every token of every continuation of every prompt.

        Each prompt is read once; its continuations share its keys and values.

        Args:
            prompts: Tokens of each prompt, `[n_rows][n_tokens]`.
            continuations: Tokens of each row's continuations, `[n_rows][n_continuations][n_tokens]`.
        """
        import torch

        with torch.inference_mode():
            ids, mask = self._pad_left(prompts)
            positions = (mask.cumsum(-1) - 1).clamp(min=0)
            first: Any = self._model(
                input_ids=ids, attention_mask=mask, position_ids=positions, use_cache=True, logits_to_keep=1
            )
            opening = first.logits[:, -1].float().log_softmax(-1)
            scores = [[[float(opening[row, tokens[0]])] for tokens in group] for row, group in enumerate(continuations)]
            tails = [
                (row, number)
                for row, group in enumerate(continuations)
                for number, tokens in enumerate(group)
                if len(tokens) > 1
            ]
            for chunk in _chunks(tails, [len(continuations[row][number]) - 1 for row, number in tails]):
                rows = [row for row, _ in chunk]
                tokens = [continuations[row][number] for row, number in chunk]
                found = self._score_tails(first.past_key_values, mask[rows], positions[rows, -1], rows, tokens)
                for (row, number), logprobs in zip(chunk, found, strict=True):
                    scores[row][number] += logprobs
        return scores

    def _score_tails(
        self, cache: Any, mask: torch.Tensor, last: torch.Tensor, rows: list[int], tokens: list[Sequence[int]]
    ) -> list[list[float]]:
        """Returns the log-probabilities of each sequence's tokens after its first, given that first one."""
        import torch

        n = max(len(sequence) for sequence in tokens) - 1
        pad = min(self._end_ids)
        ids = self._tensor([[*sequence[:-1], *[pad] * (n + 1 - len(sequence))] for sequence in tokens])
        targets = self._tensor([[*sequence[1:], *[pad] * (n + 1 - len(sequence))] for sequence in tokens])
        # Padding on the right needs no mask: no earlier token looks at a later one.
        steps = torch.arange(1, n + 1, device=self._device)
        own = copy.deepcopy(cache)
        own.batch_select_indices(torch.tensor(rows, device=self._device))
        out: Any = self._model(
            input_ids=ids,
            attention_mask=torch.cat([mask, torch.ones_like(ids)], 1),
            position_ids=last[:, None] + steps,
            past_key_values=own,
            use_cache=True,
        )
        logits = out.logits.float()
        logprobs = logits.gather(-1, targets[..., None])[..., 0] - logits.logsumexp(-1)
        return [row[: len(sequence) - 1] for row, sequence in zip(logprobs.tolist(), tokens, strict=True)]

    def _finished(self, tokens: list[int], row: int, stops: RowStops) -> Generated:
        made = tokens[: stops.length(row, len(tokens))]
        has_end = bool(made) and made[-1] in self._end_ids
        text, is_stopped = stops.cut(row, self.prompts.decode(made[:-1] if has_end else made))
        return Generated(text, len(made), "stop" if has_end or is_stopped else "length")

    def _pad_left(self, prompts: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns tokens and mask, both `[n_rows, n_tokens]`."""
        n, pad = max(map(len, prompts)), min(self._end_ids)
        ids = self._tensor([[pad] * (n - len(prompt)) + list(prompt) for prompt in prompts])
        return ids, self._tensor([[0] * (n - len(prompt)) + [1] * len(prompt) for prompt in prompts])

    def _tensor(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        import torch

        return torch.tensor(rows, dtype=torch.long, device=self._device)


def _choose_device() -> str:
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _end_ids(model: Any, tokenizer: Any) -> frozenset[int]:
    """Returns the tokens that end an answer: those of the checkpoint and of the tokenizer."""
    named = model.generation_config.eos_token_id
    ids = set(named if isinstance(named, list) else [named]) | {tokenizer.eos_token_id}
    ids.discard(None)
    if not ids:
        raise RequestError("transformers", "the checkpoint names no token that ends an answer", "need eos_token_id")
    return frozenset(ids)


def _chunks(tails: list[tuple[int, int]], lengths: list[int]) -> Iterator[list[tuple[int, int]]]:
    """Yields runs of tails whose padded size stays within what is scored at once, at least one tail each."""
    chunk: list[tuple[int, int]] = []
    longest = 0
    for tail, length in zip(tails, lengths, strict=True):
        if chunk and max(longest, length) * (len(chunk) + 1) > _TAIL_TOKENS:
            yield chunk
            chunk, longest = [], 0
        chunk.append(tail)
        longest = max(longest, length)
    if chunk:
        yield chunk


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps progress bars and advice of the library off the terminal while weights load."""
    from transformers.utils import logging

    verbosity, has_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if has_bars:
            logging.enable_progress_bar()
