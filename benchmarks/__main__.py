"""All figures, one after the other: `python -m benchmarks` (as `make bench` does)."""

from benchmarks import (
    cluster_start,
    driver,
    fault_accuracy,
    million_requests,
    outage_edges,
    plugin_import,
    recording,
    report_million,
)


def main() -> None:
    """Measure and print; one heavy thing at a time."""
    for title, measure in (
        ("cost of the plugin for an unrelated pytest run", plugin_import.main),
        ("cluster start", cluster_start.main),
        ("load driver", driver.main),
        ("a million requests", million_requests.main),
        ("cost of recording, ten minutes of load", recording.main),
        ("the report of a million requests", report_million.main),
        ("outages of known length", outage_edges.main),
        ("accuracy of network faults", fault_accuracy.main),
    ):
        print(f"\n== {title}")
        measure()


if __name__ == "__main__":
    main()
