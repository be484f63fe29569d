"""The soak, for a minute. `make soak` runs it for longer."""

import os

import pytest

from soak import soak


@pytest.mark.slow
def test_mixed_load_fails_nothing_and_memory_does_not_grow(tmp_path):
    requests, failures, growth, within = soak(float(os.environ.get("SOAK_MINUTES", "1")), tmp_path / "gatehouse")
    assert requests > 1000
    assert failures == []
    assert within, f"{growth / 1e6:.1f} MB more after {requests} requests"
