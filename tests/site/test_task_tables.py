"""Tables of the site's task pages against what the environments declare."""

import functools
import re
from pathlib import Path

import pytest
import task_tables

import gridjax
from gridjax import controllers

TASKS = Path(__file__).parents[2] / "notebooks" / "site" / "tasks"
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in TASKS.glob("*.md")}
TABLES = ("observations", "actions", "costs", "metrics", "numbers")


@functools.cache
def task(name):
    return gridjax.make(name)


def page_of(name):
    return next(text for text in PAGES.values() if text.startswith(f"# {name}\n"))


def test_every_task_has_a_page():
    assert sorted(text.split("\n")[0] for text in PAGES.values()) == [f"# {name}" for name in gridjax.tasks()]


@pytest.mark.parametrize("name", gridjax.tasks())
@pytest.mark.parametrize("table", TABLES)
def test_pages_have_all_tables_of_their_task(name, table):
    assert f"```{{{table}}} {name}\n" in page_of(name)


@pytest.mark.parametrize("name", gridjax.tasks())
@pytest.mark.parametrize("kind", ["observation", "action"])
def test_every_entry_is_in_one_row(name, kind):
    env, params = task(name)
    written = getattr(task_tables, f"{kind}s")(env, params)
    for labels in getattr(env, f"{kind}_labels")(params).values():
        rows = task_tables.rows(labels)
        for k, label in enumerate(labels):
            (row,) = (row for row in rows if row.first <= k <= row.last)
            assert row.covers(k, label)
            assert row.what.replace("|", "\\|") in written


@pytest.mark.parametrize("name", gridjax.tasks())
def test_every_metric_and_cost_is_in_its_table(name):
    env, params = task(name)
    for labels, written in (
        (env.metric_labels(params), task_tables.metrics(env, params)),
        (env.cost_labels(params), task_tables.costs(env, params)),
    ):
        cells = [tuple(cell.strip() for cell in line.split(" | ")) for line in written.splitlines()]
        assert {f"| `{metric}`" for metric in labels} <= {row[0] for row in cells}


def test_numbers_are_those_of_params():
    env, params = task("SmartGrid-v0")
    written = task_tables.numbers(env, params)
    assert "| `weights.cooperation` | 0.02 |" in written
    assert "| `unserved_price` | 10 | [], EUR/kWh" in written


def test_several_that_differ_in_a_number_are_one_row():
    rows = task_tables.rows(
        ["unit 0: power [kW]", "unit 1: power [kW]", "hour", "in 1 h [kW]", "in 2 h [kW]"]
    )
    assert [row[:2] for row in rows] == [(0, 1), (2, 2), (3, 3), (4, 4)]
    assert rows[0][2:] == ("unit k: power", "kW")
    assert rows[0].covers(1, "unit 1: power [kW]")
    assert not rows[0].covers(1, "unit 1: power [MW]")
    assert not rows[0].covers(2, "unit 2: power [kW]")


def test_what_all_groups_end_with():
    assert task_tables.shared([["a", "b", "c"], ["d", "b", "c"]]) == 2
    assert task_tables.shared([["a", "b"]]) == 0


def test_every_controller_is_on_a_page_of_the_task_it_is_for():
    listed = re.findall(r"^   (\w+)$", "\n".join(PAGES.values()), re.M)
    assert set(controllers.__all__) == set(listed)
