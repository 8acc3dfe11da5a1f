"""From what a scenario says of an embedder to the embedder."""

from __future__ import annotations

from tidings.core import Embedder
from tidings.core.folders import cache_folder
from tidings.memory.embeddings import HashingEmbedder, OpenAIEmbedder
from tidings.memory.kept import KeptEmbedder
from tidings.memory.wordllama import WordLlamaEmbedder
from tidings.spec.embedders import EmbedderChoice

__all__ = ["make_embedder"]


def make_embedder(choice: EmbedderChoice) -> Embedder:
    """Returns the embedder that a scenario names. Connects to nothing yet.

    Raises:
        MissingPartError: If its package is not installed, or the environment holds no key for its server.
    """
    if choice == "hashing":
        return HashingEmbedder()
    if choice == "wordllama":
        return WordLlamaEmbedder()
    from tidings.models.openai_client import OFFICIAL_URL
    from tidings.models.openai_embeddings import EmbeddingCalls

    url = choice.base_url or OFFICIAL_URL
    calls = EmbeddingCalls(url, choice.api_key_env, choice.use)
    served = OpenAIEmbedder(calls.create, choice.use.partition("/")[2], choice.dim, batch=choice.batch)
    return KeptEmbedder(served, url, cache_folder() / "embeddings.sqlite")
