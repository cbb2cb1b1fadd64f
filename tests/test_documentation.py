"""Docstrings of every public name.

Public is what does not begin with an underscore, in modules that do not either.

- Every module, class, function, method and property has a docstring; a method that overrides one need not.
- Its first paragraph is a summary: a sentence, or a noun with what it is.

Of what the reference site shows, moreover:

- who takes or returns arrays says of which shape: `[n_bus]`, `[...]`, or in words (scalar, elementwise);
- who speaks of a physical quantity or money says in which unit, or that it has none;
- fields of dataclasses and named tuples that are arrays have a comment with both.

A function may leave shapes and units to its class or module, where they are the same for all of it.
"""

import importlib
import importlib.util
import inspect
import pkgutil
import re
import sys
from pathlib import Path

import pytest

import gridjax

SITE = Path(__file__).parents[1] / "notebooks" / "site"
sys.path.insert(0, str(SITE / "extensions"))
commented = importlib.import_module("fields").commented

# of libraries that exclude the JAX of newer Pythons
OPTIONAL = {"gridjax.interop.gymnax": "gymnax", "gridjax.interop.jaxmarl": "jaxmarl"}
REFERENCE = sorted(
    module
    for page in (SITE / "reference").glob("*.md")
    for module in re.findall(r"^\.\. automodule:: (\S+)$", page.read_text(encoding="utf-8"), re.M)
)
SHAPE = re.compile(
    r"\[(\]|\.\.\.|\*?[A-Za-z_]\w*( [a-z]\w*)?[],+* ]|[1-9]\d*( \w+)?[],])|scalar|elementwise|any shape"
)
ARRAY = re.compile(r"\bArray\b|ndarray|PerGroup")
QUANTITY = re.compile(
    r"\b(powers?(?! flow)|energy|voltages?|angles?|frequency|temperature|prices?|demand|currents?|losses"
    r"|irradiance|fuel|injections?|wind|gust)\b",
    re.I,
)
# not the s of a genitive
UNIT = re.compile(
    r"p\.u\.|W/m2|m/s|dimensionless|(?<!')\b(kW|MW|W|kVAr|MVAr|kVA|MVA|kWh|MWh|EUR|Hz|rad|deg|degrees|h|s|K|kg|kA|l"
    r"|[Kk]elvin|pure number|[Ss]hares?|[Ff]actors?|per-unit)\b"
)


def modules():
    for found in pkgutil.walk_packages(gridjax.__path__, "gridjax."):
        private = any(part.startswith("_") for part in found.name.split("."))
        needs = OPTIONAL.get(found.name)
        if not private and (needs is None or importlib.util.find_spec(needs)):
            yield importlib.import_module(found.name)


def own(module):
    """Public classes and functions that `module` defines."""
    for name, value in vars(module).items():
        here = getattr(value, "__module__", None) == module.__name__
        if here and not name.startswith("_") and (inspect.isclass(value) or inspect.isroutine(value)):
            yield name, value


def members(cls):
    """Public methods and properties that `cls` is the first to define."""
    for name, value in vars(cls).items():
        function = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
        inherited = any(hasattr(base, name) for base in cls.__mro__[1:])
        if inspect.isfunction(function) and not name.startswith("_") and not inherited:
            yield name, function


def everything():
    """Name, object, and what may speak for it, of all that is public."""
    for module in modules():
        yield module.__name__, module, ()
        for name, value in own(module):
            yield f"{module.__name__}.{name}", value, (module,)
            if inspect.isclass(value):
                for method, function in members(value):
                    yield f"{module.__name__}.{name}.{method}", function, (value, module)


PUBLIC = list(everything())


def written(value):
    """Its own docstring, not what dataclasses and named tuples make up."""
    text = vars(value).get("__doc__") if inspect.isclass(value) else value.__doc__
    made_up = inspect.isclass(value) and text and text.startswith(f"{value.__name__}(")
    return None if not text or made_up else inspect.cleandoc(text)


def on_the_site():
    """Of those, what the reference pages show."""
    seen = set()
    for name in REFERENCE:
        if name in OPTIONAL and importlib.util.find_spec(OPTIONAL[name]) is None:
            continue
        module = importlib.import_module(name)
        chosen = getattr(module, "__all__", None)
        values = (
            [getattr(module, name) for name in chosen] if chosen is not None else [v for _, v in own(module)]
        )
        seen |= {id(value) for value in values}
        seen |= {id(f) for value in values if inspect.isclass(value) for _, f in members(value)}
    return [entry for entry in PUBLIC if id(entry[1]) in seen]


SHOWN = on_the_site()


def missing(entries, needed, pattern):
    """Functions for which `needed` holds, while nobody who speaks for them says what `pattern` finds."""
    found = []
    for name, value, speakers in entries:
        if inspect.isfunction(value) and needed(value):
            said = " ".join(filter(None, map(written, (value, *speakers))))
            if not pattern.search(said):
                found.append(name)
    return found


def handles_arrays(function):
    hints = inspect.get_annotations(function)
    # a random key is opaque
    return any(ARRAY.search(str(hint)) for name, hint in hints.items() if name != "key")


def test_every_public_name_has_a_docstring():
    assert not [name for name, value, _ in PUBLIC if not written(value)]


def test_docstrings_begin_with_a_summary():
    texts = {name: written(value) or "" for name, value, _ in PUBLIC}
    assert not [name for name, text in texts.items() if not re.search(r"[.:]$", text.split("\n\n")[0])]


def test_functions_of_arrays_say_shapes():
    assert not missing(SHOWN, handles_arrays, SHAPE)


def test_functions_of_quantities_say_units():
    def measures(function):
        return handles_arrays(function) and QUANTITY.search(written(function) or "")

    assert not missing(SHOWN, measures, UNIT)


def test_array_fields_say_shapes():
    bare = []
    for name, value, _ in SHOWN:
        if inspect.isclass(value):
            for field, (annotation, comment) in commented(value).items():
                if ARRAY.search(annotation) and not SHAPE.search(comment + (written(value) or "")):
                    bare.append(f"{name}.{field}")
    assert not bare


def test_the_rules_see_the_surface():
    assert len(PUBLIC) > 1000
    names = {name for name, _, _ in SHOWN}
    assert {"gridjax.powerflow.solve.solve", "gridjax.envs.environment.Environment.step"} <= names


@pytest.mark.parametrize(
    "text", ["of `[n_bus]`", "[...], p.u.", "`[2 n_bus]`", "[n_stage + 1, 3]", "[2], h", "a scalar"]
)
def test_what_counts_as_a_shape(text):
    assert SHAPE.search(text)


@pytest.mark.parametrize("text", ["in [-1, 1]", "in [0, 24)", "in [0.95, 1.05]"])
def test_what_does_not(text):
    assert not SHAPE.search(text)
