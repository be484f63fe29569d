"""The gateway is killed while slots are issued, used and completed: see slot_crash.py, which takes any number of them."""

from slot_crash import holds, run


def test_nothing_acknowledged_is_lost_or_doubled(tmp_path, north):
    result = run(north, tmp_path / "gate", slots=200, workers=16)
    assert holds(result), result
