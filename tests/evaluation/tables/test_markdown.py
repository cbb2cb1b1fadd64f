from gridjax.evaluation.tables.markdown import interval, percent, table


def test_table_is_aligned():
    assert table([["a", "bb"], ["ccc", "1"]]) == "| a   | bb |\n| --- | -: |\n| ccc |  1 |"


def test_numbers_with_intervals():
    assert interval([-0.25, 1.0], 1) == "-0.2 to 1.0"
    assert percent(0.5, (0.25, 0.75)) == "50.0 (25.0 to 75.0)"
