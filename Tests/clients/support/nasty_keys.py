"""Keys that gateways get wrong: the corpus that the Swift tests use too. Each must come back byte for byte."""

import json
from pathlib import Path

_CORPUS = Path(__file__).resolve().parents[2] / "Corpus" / "nasty-keys.txt"

NASTY_KEYS = [json.loads(line) for line in _CORPUS.read_text(encoding="utf-8").splitlines() if line.startswith('"')]
assert len(NASTY_KEYS) > 50, "the corpus is gone"


def seaweedfs_keeps(key):
    """Whether SeaweedFS has this key as it is.

    It stores a backslash as `/`, makes folders without a body of trailing slashes, and refuses empty segments and
    segments longer than 255 bytes.
    """
    path = "nasty/" + key
    short = all(len(segment.encode()) <= 255 for segment in path.split("/"))
    return short and "//" not in path and "\\" not in path and not path.endswith("/")
