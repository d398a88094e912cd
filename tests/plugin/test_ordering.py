"""How tests are ordered for workers that share a cluster."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.plugin.ordering import for_workers
from tests.corpus.examples import examples

counts = st.integers(min_value=0, max_value=60)


def pieces(order: list[str], workers: int) -> list[list[str]]:
    """As xdist cuts them."""
    cut, rest = [], order
    for left in range(workers, 0, -1):
        size = len(rest) // left
        cut.append(rest[:size])
        rest = rest[size:]
    return cut


@given(sharing=counts, quiet=counts, alone=counts, workers=st.integers(min_value=1, max_value=5))
@examples(200)
def test_nothing_is_lost_and_whoever_needs_it_alone_comes_last(
    sharing: int, quiet: int, alone: int, workers: int
) -> None:
    named = {"s": sharing, "q": quiet, "a": alone}
    given_items = [f"{kind}{number}" for kind, count in named.items() for number in range(count)]
    of_kind = {kind: [it for it in given_items if it[0] == kind] for kind in named}
    order = for_workers(of_kind["s"], of_kind["q"], of_kind["a"], workers)
    assert sorted(order) == sorted(given_items)
    assert [it for it in order if it[0] == "a"] == order[len(order) - alone :]


@given(sharing=counts, alone=counts, workers=st.integers(min_value=1, max_value=5), more=counts)
@examples(200)
def test_with_enough_in_between_all_share_it_at_first(
    sharing: int, alone: int, workers: int, more: int
) -> None:
    quiet = workers * (sharing + alone) + more
    order = for_workers(["s"] * sharing, ["q"] * quiet, ["a"] * alone, workers)
    shares = []
    for piece in pieces(order, workers):
        kinds = [kind for kind, _ in itertools.groupby(piece)]
        assert kinds in (["s", "q"], ["q"], ["s", "q", "a"], ["q", "a"], ["s"], []), kinds
        shares.append(piece.count("s"))
    assert max(shares) - min(shares) <= 1
    assert "a" not in "".join(itertools.chain(*pieces(order, workers)[:-1]))


def test_workers_of_a_real_run_begin_with_what_shares_the_cluster(
    pytester: pytest.Pytester,
) -> None:
    """A fixture called `cluster`, as of the plugin, makes a test one that shares it."""
    pytester.makepyfile(
        """
        import time
        import pytest

        @pytest.fixture
        def cluster():
            time.sleep(0.05)

        @pytest.mark.alone
        @pytest.mark.parametrize("number", range(4))
        def test_alone(cluster, number): pass

        @pytest.mark.parametrize("number", range(4))
        def test_sharing(cluster, number): pass

        @pytest.mark.parametrize("number", range(40))
        def test_quiet(number): time.sleep(0.01)
        """
    )
    result = pytester.runpytest_subprocess(
        "-p", "no:locust", "-n", "2", "--dist", "worksteal", "-v"
    )
    result.assert_outcomes(passed=48)
    began = [line.split() for line in result.outlines if line.startswith("[gw")]
    kinds = {
        worker: [
            words[-1].partition("::")[2].partition("[")[0] for words in began if words[0] == worker
        ]
        for worker in ("[gw0]", "[gw1]")
    }
    assert kinds["[gw0]"][:2] == kinds["[gw1]"][:2] == ["test_sharing", "test_sharing"]
    assert "test_alone" in {kinds["[gw0]"][-1], kinds["[gw1]"][-1]}
