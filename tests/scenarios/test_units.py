import pytest

from gridjax.scenarios.units import factor, unit_of


@pytest.mark.parametrize(
    ("column", "kind", "unit"),
    [
        ("house [kW]", "load", "kW"),
        ("house (MW)", "load", "MW"),
        ("house_kw", "load", "kW"),
        ("total house KWh", "generation", "kWh"),
        ("q [kVAr]", "reactive", "kvar"),
        ("day_ahead [EUR/MWh]", "price", "EUR/MWh"),
        ("day ahead ct/kWh", "price", "ct/kWh"),
    ],
)
def test_names_that_tell_their_unit(column, kind, unit):
    assert unit_of(column, kind, {}) == unit


def test_a_name_that_ends_in_no_unit_takes_that_of_its_kind():
    assert unit_of("house_west", "load", {"load": "MW"}) == "MW"
    assert unit_of("house_kW", "load", {"load": "MW"}) == "kW"
    assert unit_of("house_kW", "load", {"house_kW": "W"}) == "W"


@pytest.mark.parametrize(
    ("column", "kind"), [("house [mW]", "load"), ("p [kW]", "price"), ("p [USD/MWh]", "price")]
)
def test_units_of_another_kind_are_unknown(column, kind):
    with pytest.raises(ValueError, match="expected one of"):
        unit_of(column, kind, {})


def test_factors():
    assert factor("load", "MW", 0.25) == 1e3
    assert factor("load", "kWh", 0.25) == 4.0
    assert factor("price", "EUR/MWh", 0.25) == 1e-3
