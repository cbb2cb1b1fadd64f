import numpy as np
import pytest

from gridjax.evaluation.worst_cases import cases_table, rank_cases, usual_costs

COSTS = {"voltage": np.array([1.0, 3.0, 2.0]), "unserved": np.array([40.0, 0.0, 20.0]), "never": np.zeros(3)}
REWARD = np.array([-1.0, -2.0, -3.0])


def test_costs_count_relative_to_what_is_usual():
    ranked = rank_cases(COSTS, REWARD, [10, 20, 30])
    # over 2 and, where it occurs, 30: (0.5 + 4 / 3) / 2, (1 + 2 / 3) / 2, (1.5 + 0) / 2
    assert usual_costs(COSTS) == {"voltage": 2.0, "unserved": 30.0}
    assert [case["row"] for case in ranked] == [10, 30, 20]
    assert [case["relative"] for case in ranked] == pytest.approx([11 / 12, 5 / 6, 3 / 4])
    assert ranked[0]["unserved"] == 40.0


def test_one_cost_may_be_ranked_by():
    assert [case["row"] for case in rank_cases(COSTS, REWARD, [10, 20, 30], "voltage")] == [20, 30, 10]
    with pytest.raises(ValueError, match="rank by 'heat': expected a cost, one of never, unserved, voltage"):
        rank_cases(COSTS, REWARD, [10, 20, 30], "heat")


def test_where_nothing_costs_anything_the_poorest_come_first():
    ranked = rank_cases({"never": np.zeros(2)}, np.array([1.0, 0.5]), [5, 4])
    assert [(case["row"], case["relative"]) for case in ranked] == [(4, 0.0), (5, 0.0)]


def test_table():
    lines = cases_table(rank_cases(COSTS, REWARD, [10, 20, 30]), 2).splitlines()
    assert len(lines) == 4
    assert lines[2] == "| 10 | 0.92 | 1 | 40 | 0 | -1 |"
