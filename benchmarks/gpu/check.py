"""Checks local models on a CUDA machine without a network, and measures them. Skips politely where there is no CUDA.

    python benchmarks/gpu/check.py [--weights FOLDER] [--batch 64] [--tokens 128] [--out result.json]

Everything it needs is carried or made here: without `--weights` it makes a model of its own with random weights (its
words mean nothing, its speed is that of any model of this shape). What it does:

1. **batched = single**: texts of a batch against the same requests one by one, float32 and bfloat16;
2. **engine against the raw library**: tokens per second through the engine actor of a Ray cluster (requests one by
   one, as rollouts send them; dynamic and continuous batching) against one `generate` call on the same prompts, and
   against `generate_batch`; GPU utilisation meanwhile;
3. **rollouts per second** of a scenario whose seats speak to that engine.

`--device cpu --tiny` goes through the same steps at toy size, to test the script itself.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean
from typing import Any

from tidings.core import CallKey, ModelRequest, PromptMessage

TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

SCENARIO = """
name: gpu
graph: {{kind: complete, n: 4}}
models: {{m: {{use: transformers/check, path: "{path}", dtype: {dtype}, device: {device}, batching: {batching}}}}}
agents: [{{kind: llm, count: 4, model: m, max_tokens: {tokens}, temperature: 0.8}}]
environment: {{kind: talk, rounds: 2}}
rollouts: {{count: {count}, seed: 1, concurrency: 16}}
runner: {{kind: ray, workers: 2, num_gpus: {gpus}}}
"""


def make_weights(folder: Path, *, is_tiny: bool) -> Path:
    """Makes a causal model with random weights, and a byte-level tokenizer with a chat template, from nothing."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: i for i, letter in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<|im_start|>", eos_token="<|im_end|>", pad_token="<|im_end|>"
    )
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)
    size = (64, 128, 2, 4, 2) if is_tiny else (2048, 5632, 22, 32, 4)
    width, inner, layers, heads, kv_heads = size
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=len(fast),
        hidden_size=width,
        intermediate_size=inner,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        max_position_embeddings=4096,
        bos_token_id=fast.bos_token_id,
        eos_token_id=fast.eos_token_id,
        pad_token_id=fast.pad_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def questions(n: int, n_tokens: int, temperature: float = 0.8) -> list[ModelRequest]:
    return [
        ModelRequest(
            CallKey(i, "a0", 0, 0),
            (PromptMessage("user", f"Tell a story about a traveller who meets {i + 2} strangers."),),
            max_tokens=n_tokens,
            temperature=temperature,
            seed=i,
        )
        for i in range(n)
    ]


def count_equal(path: Path, dtype: str, device: str, asked: list[ModelRequest]) -> int:
    """Returns how many texts of a batch equal those of the same requests one by one."""
    from tidings.models.transformers.model import TransformersModel, TransformersParams

    async def both() -> int:
        model = TransformersModel.build(TransformersParams(path=str(path), dtype=dtype, device=device), "check")
        together = await asyncio.gather(*[model.respond(request) for request in asked])
        alone = [await model.respond(request) for request in asked]
        await model.close()
        return sum(a.text == b.text for a, b in zip(together, alone, strict=True))

    return asyncio.run(both())


def raw_speed(path: Path, dtype: str, device: str, asked: list[ModelRequest]) -> dict[str, float]:
    """Returns tokens per second of the library itself: one padded `generate`, and `generate_batch` on CUDA."""
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(path, padding_side="left", local_files_only=True)
    model = transformers.AutoModelForCausalLM.from_pretrained(path, dtype=getattr(torch, dtype), local_files_only=True)
    model = model.eval().to(device)
    chats = [[{"role": m.role, "content": m.content} for m in request.messages] for request in asked]
    texts = [tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False) for chat in chats]
    batch = tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False).to(device)
    settings = transformers.GenerationConfig(
        do_sample=True,
        temperature=0.8,
        max_new_tokens=asked[0].max_tokens,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )

    def generate() -> int:
        with torch.inference_mode():
            out = model.generate(**batch, generation_config=settings)
        made = out[:, batch["input_ids"].shape[1] :]
        return int((made != tokenizer.pad_token_id).sum())

    def generate_batch() -> int:
        prompts = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
        found = model.generate_batch(prompts, generation_config=settings, progress_bar=False)
        return sum(len(output.generated_tokens) for output in found.values())

    speeds = {"generate": tokens_per_second(generate)}
    if device.startswith("cuda"):
        speeds["generate_batch"] = tokens_per_second(generate_batch)
    return speeds


def tokens_per_second(make: Any, rounds: int = 3) -> float:
    make()
    began = time.perf_counter()
    n_tokens = sum(make() for _ in range(rounds))
    return n_tokens / (time.perf_counter() - began)


def engine_speed(path: Path, dtype: str, device: str, batching: str, asked: list[ModelRequest], gpus: float) -> float:
    """Returns tokens per second through an engine actor, each request sent alone."""
    from tidings.runner.parcels import EngineJob
    from tidings.runner.ray_seam import RayCluster
    from tidings.spec.io import check_scenario
    from tidings.spec.yaml_source import load_yaml

    text = SCENARIO.format(path=path, dtype=dtype, device=device, batching=batching, tokens=8, count=1, gpus=gpus)
    scenario = check_scenario(load_yaml(text))
    cluster = RayCluster(scenario.runner, 1)
    engine = cluster.start_engine(EngineJob(scenario, "m", cluster.process))

    async def ask() -> int:
        answers = await asyncio.gather(*[engine.respond(request) for request in asked])
        return sum(getattr(answer, "tokens_out", 0) for answer in answers)

    async def measure() -> float:
        await ask()
        began = time.perf_counter()
        n_tokens = sum([await ask() for _ in range(3)])
        return n_tokens / (time.perf_counter() - began)

    try:
        return asyncio.run(measure())
    finally:
        cluster.close()


def rollouts_per_second(folder: Path, **values: Any) -> float:
    import tidings

    path = folder / "gpu.yaml"
    path.write_text(SCENARIO.format(**values))
    began = time.perf_counter()
    run = tidings.run(path, out=folder)
    assert run.status["done"] == values["count"], run.status
    return values["count"] / (time.perf_counter() - began)


@contextmanager
def utilisation() -> Iterator[list[float]]:
    """Gives the GPU's utilisation in percent, twice a second, while the block runs; nothing without nvidia-smi."""
    seen: list[float] = []
    is_over = threading.Event()
    query = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]

    def look() -> None:
        while shutil.which("nvidia-smi") and not is_over.wait(0.5):
            said = subprocess.run(query, capture_output=True, text=True, check=False).stdout
            seen.extend(float(line) for line in said.splitlines()[:1] if line.strip().isdigit())

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        is_over.set()
        watcher.join()


def check(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Goes through all steps and returns what was found."""
    from tidings.runner.ray_seam import connected
    from tidings.spec.scenario import RunnerSpec

    path = Path(given.weights) if given.weights else make_weights(folder / "check", is_tiny=given.tiny)
    asked = questions(given.batch, given.tokens)
    is_cuda = given.device.startswith("cuda")
    gpus = 1.0 if is_cuda else 0.0
    found: dict[str, Any] = {"device": device_name(given.device), "batch": given.batch, "tokens": given.tokens}
    found["equal_texts"] = {dtype: count_equal(path, dtype, given.device, asked) for dtype in ("float32", "bfloat16")}
    found["tokens_per_s"] = raw_speed(path, "bfloat16", given.device, asked)
    with connected(RunnerSpec(kind="ray", workers=2, num_gpus=gpus), 1):
        for batching in ("dynamic", *(["continuous"] if is_cuda else [])):
            with utilisation() as seen:
                speed = engine_speed(path, "bfloat16", given.device, batching, asked, gpus)
            found["tokens_per_s"][f"engine, {batching}"] = speed
            found[f"gpu_percent, {batching}"] = fmean(seen) if seen else None
        values = {"path": path, "dtype": "bfloat16", "device": given.device, "batching": "dynamic", "gpus": gpus}
        found["rollouts_per_s"] = rollouts_per_second(folder, **values, tokens=given.tokens // 4, count=given.rollouts)
    return found


def device_name(device: str) -> str:
    import torch

    return torch.cuda.get_device_name(torch.device(device)) if device.startswith("cuda") else device


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", help="folder of a model in Hugging Face format; one is made by default")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--rollouts", type=int, default=64)
    parser.add_argument("--tiny", action="store_true", help="a toy model")
    parser.add_argument("--out", type=Path, help="where the result goes, as JSON")
    given = parser.parse_args()
    try:
        import torch
    except ImportError:
        print("skipped: torch is not installed (pip install 'tidings[local,ray]')")
        return
    if given.device.startswith("cuda") and not torch.cuda.is_available():
        print("skipped: no CUDA device on this machine; --device cpu --tiny goes through the same steps at toy size")
        return
    with tempfile.TemporaryDirectory() as folder:
        found = check(given, Path(folder))
    text = json.dumps(found, indent=2)
    print(text)
    if given.out:
        given.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
