"""Every model call of a run on disk: append-only JSON lines, with an index of offsets in memory.

A line is a `CallRecord`. It answers the same request again when a run is resumed (cache) or replayed. The index holds
16 bytes of digest and an offset for each call, never whole records.

One process writes; many may read. A record is one `write`, so a killed process loses at most the call in flight; an
unfinished last line is left out by readers and cut off by the next writer.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tidings.core import DataError, ModelError, ModelRequest, ModelResponse, RecordError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["SEGMENT_BYTES", "CallError", "CallRecord", "CallStore", "call_id"]

SEGMENT_BYTES = 64 * 1024 * 1024
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)


class CallError(msgspec.Struct, omit_defaults=True):
    """Why a call failed for good.

    Attributes:
        kind: Kind of the `ModelError`.
        message: Its text.
        detail: What the server said; beside the events, never in them.
    """

    kind: str
    message: str
    detail: str = ""


class CallRecord(msgspec.Struct, omit_defaults=True):
    """One call: what was asked, what came back, what it cost.

    Attributes:
        id: Digest of model and request (see `call_id`).
        model: Name of the model that was asked, for example `transformers/smollm2`.
        request: The request, its key included.
        response: The answer; None if the call failed.
        error: Why it failed; None if it was answered.
        tokens_in: Prompt tokens of the attempt that was answered; where the server did not count (`tokens_unknown` in
            the response's `extra`), what the account took them at.
        tokens_out: Answer tokens; likewise.
        cost_or_none: Price in US dollars, `cost_usd` in the file; None (null) if a price is not known.
        latency_s: From asking to the end, waiting and retries included, in seconds.
        attempts: Attempts made.
        started: Wall-clock time of the start, in seconds since 1970.
    """

    id: str
    model: str
    request: ModelRequest
    response: ModelResponse | None = None
    error: CallError | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    cost_or_none: float | None = msgspec.field(default=None, name="cost_usd")
    latency_s: float = 0.0
    attempts: int = 1
    started: float = 0.0

    @property
    def cost_usd(self) -> float:
        """Price in US dollars; NaN if a price is not known."""
        return math.nan if self.cost_or_none is None else self.cost_or_none


class _Id(msgspec.Struct):
    id: str


_encoder = msgspec.json.Encoder()
_canonical = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder(CallRecord)
_id_decoder = msgspec.json.Decoder(_Id)


def call_id(request: ModelRequest, model: str) -> str:
    """Returns the digest of a call: 32 hexadecimal digits over model name, key and everything in the request."""
    return blake2b(_canonical.encode((model, request)), digest_size=16).hexdigest()


class CallStore:
    """The recorded calls of one run.

    Attributes:
        folder: The `calls` folder of the run.
    """

    def __init__(self, folder: Path | str, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Reads the index of what is there; writes nothing until the first `record`.

        Args:
            folder: Made at the first `record` if missing.
            segment_bytes: A new file begins once the last one is larger.

        Raises:
            DataError: If a line that is not the unfinished end cannot be read.
        """
        self.folder, self._segment_bytes = Path(folder), segment_bytes
        self._places: dict[bytes, tuple[int, int, int]] = {}
        self._paths = _segments(self.folder)
        self._writer: int | None = None
        self._size = 0
        for number, path in enumerate(self._paths):
            self._size = self._index(number, path)

    def __len__(self) -> int:
        return len(self._places)

    def find(self, request: ModelRequest, model: str) -> CallRecord | None:
        """Returns the last record of this very call to this model, answered or failed; None if there is none."""
        place = self._places.get(bytes.fromhex(call_id(request, model)))
        return None if place is None else _decoder.decode(self._read(*place))

    def lookup(self, request: ModelRequest, model: str) -> ModelResponse | None:
        """Returns the recorded answer to this very call; None if it was never made or failed."""
        record = self.find(request, model)
        return None if record is None else record.response

    def record(
        self,
        request: ModelRequest,
        model: str,
        outcome: ModelResponse | ModelError,
        *,
        tokens: tuple[int, int] | None = None,
        cost_usd: float = math.nan,
        latency_s: float = 0.0,
        attempts: int = 1,
        started: float = 0.0,
    ) -> CallRecord:
        """Appends one call and returns its record.

        Args:
            request: What was asked.
            model: Name of the model that was asked.
            outcome: The answer, or the error that ended the call.
            tokens: In and out, as the account takes them; those of the answer by default.
            cost_usd: Price; NaN if it is not known.
            latency_s: Seconds from asking to the end.
            attempts: Attempts made.
            started: Wall-clock time of the start, in seconds since 1970.

        Raises:
            RecordError: If the disk is full or gone; the file is left as it was.
        """
        identity = call_id(request, model)
        record = CallRecord(identity, model, request, latency_s=latency_s, attempts=attempts, started=started)
        record.cost_or_none = None if math.isnan(cost_usd) else cost_usd
        if isinstance(outcome, ModelError):
            record.error = CallError(outcome.kind, outcome.message, getattr(outcome, "detail", ""))
        else:
            record.response = outcome
            record.tokens_in, record.tokens_out = tokens or (outcome.tokens_in, outcome.tokens_out)
        line = _encoder.encode(record) + b"\n"
        try:
            offset = self._append(line)
        except OSError as error:
            raise RecordError(*error.args) from error
        self._places[bytes.fromhex(identity)] = (len(self._paths) - 1, offset, len(line))
        return record

    def records(self) -> Iterator[CallRecord]:
        """Yields all records in the order in which they were written, repeated calls included."""
        for path in _segments(self.folder):
            for _, line in _lines(path):
                yield _decode(line, path)

    def close(self) -> None:
        """Closes the file that is written to."""
        if self._writer is not None:
            os.close(self._writer)
        self._writer = None

    @staticmethod
    def frame(folder: Path | str) -> pl.DataFrame:
        """Returns one row a recorded call, without prompts and answers; empty if there are none."""
        import polars as pl

        rows = [_row(record) for record in CallStore(folder).records()]
        return pl.DataFrame(rows, schema=_COLUMNS, orient="row")

    def _index(self, number: int, path: Path) -> int:
        """Adds the records of one file to the index and returns the length of its whole lines, in bytes."""
        end = 0
        for offset, line in _lines(path):
            identity = _decode_id(line, path)
            self._places[bytes.fromhex(identity)] = (number, offset, len(line))
            end = offset + len(line)
        return end

    def _read(self, number: int, offset: int, length: int) -> bytes:
        with self._paths[number].open("rb", buffering=0) as file:
            file.seek(offset)
            return file.read(length)

    def _append(self, line: bytes) -> int:
        descriptor = self._open_writer()
        offset = self._size
        try:
            written = os.write(descriptor, line)
            if written < len(line):
                raise OSError(f"{self._paths[-1].name}: only {written} of {len(line)} bytes written; is the disk full?")
        except OSError:
            os.ftruncate(descriptor, offset)
            raise
        self._size += len(line)
        return offset

    def _open_writer(self) -> int:
        """Returns the file to append to: cut behind its last whole line, or a new one if it is large enough."""
        if self._writer is not None and self._size < self._segment_bytes:
            return self._writer
        if self._writer is not None:
            os.close(self._writer)
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self._paths or self._size >= self._segment_bytes:
            self._paths.append(self.folder / f"{len(self._paths):08d}.jsonl")
            self._size = 0
        self._writer = os.open(self._paths[-1], _APPEND, 0o644)
        os.ftruncate(self._writer, self._size)
        return self._writer


_COLUMNS: dict[str, Any] = {
    "rollout": int,
    "step": int,
    "seat": str,
    "draw": int,
    "model": str,
    "kind": str,
    "status": str,
    "finish": str,
    "tokens_in": int,
    "tokens_out": int,
    "cost_usd": float,
    "latency_s": float,
    "attempts": int,
    "started": float,
    "id": str,
}


def _row(record: CallRecord) -> tuple[Any, ...]:
    key, error = record.request.key, record.error
    return (
        key.rollout,
        key.step,
        key.seat,
        key.draw,
        record.model,
        record.request.kind,
        "answered" if error is None else error.kind,
        record.response.finish if record.response else None,
        record.tokens_in,
        record.tokens_out,
        record.cost_usd,
        record.latency_s,
        record.attempts,
        record.started,
        record.id,
    )


def _segments(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.jsonl") if path.stem.isdigit())


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yields offset and bytes of every whole line; an unfinished last one is left out."""
    offset = 0
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield offset, line
            offset += len(line)


def _decode_id(line: bytes, path: Path) -> str:
    try:
        return _id_decoder.decode(line).id
    except msgspec.MsgspecError as error:
        raise _unreadable(path, error) from None


def _decode(line: bytes, path: Path) -> CallRecord:
    try:
        return _decoder.decode(line)
    except msgspec.MsgspecError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> DataError:
    fix = "the file was changed or the disk failed; restore it from a copy, or move it away and pay for its calls again"
    return DataError(str(path), f"unreadable line ({error})", "one call a line", fix)
