import numpy as np

from gridjax.evaluation.comparison import bound_check, order_check, share_of_way, summarise
from gridjax.evaluation.statistics import iqm


def rewards(**means):
    noise = np.random.default_rng(0).normal(0.0, 0.01, size=(1, 40))
    return {name: value + noise for name, value in means.items()}


def test_share_of_way():
    shares = share_of_way(rewards(bad=-4.0, better=-1.0, best=0.0), "bad", "best")
    assert np.isclose(shares["better"]["value"], 0.75)
    np.testing.assert_allclose(shares["better"]["over_days"], [0.75, 0.75])


def test_no_share_where_there_is_no_way():
    assert share_of_way(rewards(bad=1.0, best=1.0), "bad", "best") == {}


def test_order_holds_only_with_its_interval():
    found = rewards(a=0.0, b=1.0, c=0.5, d=0.5)
    checks = order_check(found, ["a", "b", "c", "d"])
    assert [check["holds"] for check in checks] == [True, False, True]
    assert [check["claim"] for check in checks] == ["a < b", "b < c", "c <= d"]
    strict = order_check(found, ["a", "b", "c", "d"], last_may_tie=False)
    assert not strict[-1]["holds"]


def test_order_may_be_of_the_interquartile_mean():
    # better on every day but one, which costs more than all the others gain
    worse, better = np.zeros((1, 40)), np.ones((1, 40))
    better[0, 7] = -100.0
    found = {"worse": worse, "better": better, "best": better + 1.0}
    assert not order_check(found, list(found))[0]["holds"]
    typical = order_check(found, list(found), statistic=iqm)
    assert [(check["difference"], check["holds"]) for check in typical] == [(1.0, True), (1.0, True)]


def test_summary_holds_both_centres():
    scores = np.array([[0.0, 1.0, 1.0, 100.0]])
    summary = summarise({"reward": scores})["reward"]
    assert summary["iqm"] == 1.0
    assert summary["mean"] == 25.5
    assert summary["over_seeds"] == [1.0, 1.0]


def test_a_bound_holds_with_its_whole_interval():
    costs = {"cost_peak": np.array([[0.0, 1.0, 2.0, 3.0] * 10, [1.0, 2.0, 3.0, 4.0] * 10])}
    (check,) = bound_check(costs, {"peak": 3.0})
    assert check["mean"] == 2.0
    assert check["over_days"][0] < 2.0 < check["over_days"][1] < 3.0
    assert check["holds"]
    (tight,) = bound_check(costs, {"peak": 2.05})
    assert not tight["holds"]
    assert bound_check(costs, {}) == []
