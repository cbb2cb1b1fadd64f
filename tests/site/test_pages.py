"""The site as a whole: its pages, what leads to them, and how docstrings are set."""

import re
from pathlib import Path

from fields import commented
from prose import escaped, restructured

import gridjax
from gridjax.envs import Transition
from gridjax.powerflow import Flow

SITE = Path(__file__).parents[2] / "notebooks" / "site"
PAGES = {
    path.relative_to(SITE).with_suffix("").as_posix(): path.read_text("utf-8") for path in SITE.rglob("*.md")
}
_TOCTREE = re.compile(r"```\{toctree\}\n(.*?)```", re.S)


def listed():
    for text in PAGES.values():
        for tree in _TOCTREE.findall(text):
            yield from (line for line in tree.split() if not line.startswith(":"))


def test_every_page_exists_and_is_listed():
    entries = {entry for entry in listed() if "/" in entry or entry == "tours"}
    assert {entry for entry in entries if "*" not in entry} <= set(PAGES)
    written = {page for page in PAGES if not page.startswith("tours/")}
    assert written - {"index"} <= entries


def test_every_package_has_a_reference_page():
    for room in ("gridjax", *gridjax._ROOMS):
        text = PAGES[f"reference/{room}"]
        name = room if room == "gridjax" else f"gridjax.{room}"
        assert f".. automodule:: {name}\n" in text


def test_every_command_is_on_the_page_of_the_experiments():
    commands = {
        path.stem
        for path in (SITE.parents[1] / "experiments").glob("*.py")
        if '__name__ == "__main__"' in path.read_text("utf-8")
    }
    assert set(re.findall(r"^## `experiments\.(\w+)`$", PAGES["reference/experiments"], re.M)) == commands


def test_docstrings_keep_what_would_be_markup():
    assert escaped("`|v|` times |q| at 2 * x of `n`s") == r"``|v|`` times \|q\| at 2 \* x of ``n``\ s"
    assert restructured(["Of x:", "    l1: |x|", "    l2: x*x", "", "- one", "  more", "After."]) == [
        *("Of x:", "", "::", "", "    l1: |x|", "    l2: x*x", "", "- one", "  more", "After."),
    ]
    assert restructured(["Args:", "    power: |p| in kW."]) == ["Args:", r"    power: \|p\| in kW."]


def test_comments_of_fields_are_read():
    assert commented(Transition)["terminated"] == ("jax.Array", "[], bool: the grid failed")
    assert commented(Flow)["slack_power"][1].startswith("[..., n_slack + n_backup], what each source injects")
