"""The time axis: moments to pixels, ticks and buckets that stay few."""

from hypothesis import given
from hypothesis import strategies as st

from chaoskit.report.axis import axis_over, clock_label


@given(st.lists(st.integers(0, 10**18), max_size=5))
def test_every_moment_lies_on_the_axis_and_buckets_stay_few(times_ns: list[int]) -> None:
    axis = axis_over(times_ns, left_px=200, width_px=1000)
    assert all(200 <= axis.x(time_ns) <= 1200 for time_ns in times_ns)
    assert len(axis.ticks()) <= 16
    assert axis.span_s / axis.bucket_s <= 401


def test_a_minute_is_counted_by_the_second() -> None:
    axis = axis_over([0, 60_000_000_000], left_px=0, width_px=600)
    assert axis.bucket_s == 1
    assert axis.x(30_000_000_000) == 300
    assert [tick.label for tick in axis.ticks()][:3] == ["0 s", "5 s", "10 s"]
    assert axis.ticks()[-1].label == "1:00"


def test_a_day_is_counted_in_wider_buckets() -> None:
    axis = axis_over([0, 86_400_000_000_000], left_px=0, width_px=600)
    assert axis.bucket_s == 300


def test_labels_of_moments() -> None:
    assert [clock_label(s) for s in (0.2, 59, 60, 3599, 3661)] == [
        "0.2 s",
        "59 s",
        "1:00",
        "59:59",
        "1:01:01",
    ]
