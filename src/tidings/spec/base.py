"""The base of every parameter model: frozen, strict, unknown keys refused."""

from pydantic import BaseModel, ConfigDict

__all__ = ["Params"]


class Params(BaseModel):
    """Parameters of one component. Fields have a one-line description each; it becomes the schema's text."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)
