"""What turns texts into vectors, as a scenario says it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tidings.spec.base import Params
from tidings.spec.describe import Phrase

__all__ = ["EmbedderChoice", "ServedEmbedder"]


class ServedEmbedder(Params):
    """Vectors from an OpenAI-compatible address. They are kept on disk: a text is sent once."""

    use: Annotated[str, Phrase("openai/MODEL"), Field(pattern=r"^openai/.*\S$")]
    """`openai/` and the server's name of the model."""
    dim: Annotated[int, Field(ge=1)]
    """Length of its vectors."""
    base_url: str | None = None
    """Address; api.openai.com by default."""
    api_key_env: str | None = None
    """Environment variable that holds the key. Only api.openai.com has a default: OPENAI_API_KEY."""
    batch: Annotated[int, Field(ge=1)] = 256
    """Texts of one call, at most."""


EmbedderChoice = Literal["hashing", "wordllama"] | ServedEmbedder
"""`hashing` needs nothing and knows no meaning, `wordllama` needs that package, an object names a server."""
