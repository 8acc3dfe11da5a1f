"""Weights laid out once for the CPU's matrix kernels, instead of at every product.

Plain float32 products of few rows go through a library whose kernels are slow on some x86 CPUs. The same products on
weights that oneDNN has laid out beforehand took half the CPU time there (16 rows: 31 instead of 79 ms a token over all
layers of a 135M model, AVX-512, one thread). The operators are those that torch's own compiler uses, without the
compiler. Where they are missing, or give other numbers, the model stays as it is.
"""

from __future__ import annotations

import platform
from typing import Any

__all__ = ["pack_linears"]

_ROWS = 16
_TOLERANCE = 1e-3


def pack_linears(model: Any) -> int:
    """Replaces the linear layers of a float32 model on an x86 CPU by packed ones.

    Args:
        model: A torch module; changed in place.

    Returns:
        How many layers were replaced; 0 if this machine or this torch has no use for it.
    """
    import torch

    if platform.machine().lower() not in ("x86_64", "amd64") or not torch.backends.mkldnn.is_available():
        return 0
    places = [
        (module, name, child)
        for module in model.modules()
        for name, child in module.named_children()
        if type(child) is torch.nn.Linear and child.weight.dtype == torch.float32 and child.weight.device.type == "cpu"
    ]
    if not places or not _is_sound(places[0][2]):
        return 0
    for module, name, linear in places:
        setattr(module, name, _packed(linear))
    return len(places)


def _packed(linear: Any) -> Any:
    import torch

    class PackedLinear(torch.nn.Module):
        """A linear layer on packed weights; `weight` tells shape and type only."""

        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.empty_like(linear.weight, device="meta")
            self.bias = linear.bias
            self._packed = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), _ROWS)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.ops.mkldnn._linear_pointwise(x, self._packed, self.bias, "none", [], "")

    return PackedLinear()


def _is_sound(linear: Any) -> bool:
    """Returns whether the operators exist and give the layer's own numbers, for one row and for many."""
    import torch

    try:
        packed = _packed(linear)
        with torch.inference_mode():
            inputs = [torch.linspace(-1, 1, n * linear.in_features).reshape(1, n, -1) for n in (1, _ROWS, 100)]
            return all(torch.allclose(packed(x), linear(x), atol=_TOLERANCE, rtol=_TOLERANCE) for x in inputs)
    except (AttributeError, NotImplementedError, RuntimeError):
        return False
