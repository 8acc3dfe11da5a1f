"""What holds for every test: no real model answers unless the test says that it wants one."""

import os

import pytest

from tidings.models.failures import FORBID_REAL_MODELS

os.environ[FORBID_REAL_MODELS] = "1"


@pytest.fixture(autouse=True)
def _real_models_only_where_marked(request, monkeypatch):
    if request.node.get_closest_marker("real_model") is not None:
        monkeypatch.delenv(FORBID_REAL_MODELS, raising=False)
