import numpy as np
import pytest

from gridjax.network import check_network


def test_a_sound_network_is_returned_unchanged(small):
    assert check_network(small) is small


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"shunt": np.zeros(2)}, r"shunt has shape \(2,\), expected \(3,\)"),
        ({"reactance": np.zeros(3)}, r"reactance has shape \(3,\), expected \(2,\)"),
        ({"resistance": np.array([np.nan, 0.1])}, r"resistance is not finite at rows \[0\]"),
        (
            {"nominal_injection": np.array([0, 0, np.inf * 1j])},
            r"nominal_injection is not finite at rows \[2\]",
        ),
        ({"rating_to": np.array([1.0, np.nan])}, r"rating_to is not finite at rows \[1\]"),
        ({"rating_from": np.array([0.0, 1.0])}, "rating_from must be positive, is 0.0 at row 0"),
        ({"base_kv": np.array([20.0, -20.0, 0.4])}, "base_kv must be positive, is -20.0 at row 1"),
        ({"base_mva": np.asarray(0.0)}, "base_mva must be positive, is 0.0"),
        ({"tap_ratio": np.array([1.0, 0.0])}, "tap_ratio must be positive, is 0.0 at row 1"),
        ({"slack_buses": ()}, "slack_buses is empty, expected at least one source"),
        ({"slack_buses": (7,)}, r"slack_buses must be distinct rows in \[0, 3\), got \[7\]"),
        ({"slack_buses": (0, 0)}, r"slack_buses must be distinct rows in \[0, 3\), got \[0, 0\]"),
        ({"slack_voltage": np.ones(2)}, r"slack_voltage must be one finite number per slack bus \(1\)"),
        ({"pv_buses": (3,)}, r"pv_buses must be distinct ascending rows in \[0, 3\), got \[3\]"),
        ({"pv_buses": (2, 1)}, r"pv_buses must be distinct ascending rows .* got \[2, 1\]"),
        ({"pv_buses": (1, 1)}, r"pv_buses must be distinct ascending rows .* got \[1, 1\]"),
        ({"pv_buses": (0,)}, r"pv_buses and slack_buses share the rows \[0\]"),
        ({"pv_voltage": np.ones(2)}, r"pv_voltage has shape \(2,\), expected \(1,\)"),
        ({"reactive_min": np.zeros(0)}, r"reactive_min has shape \(0,\), expected \(1,\)"),
        ({"pv_voltage": np.zeros(1)}, "pv_voltage must be positive and finite, is 0.0 at 0"),
        ({"pv_voltage": np.array([np.nan])}, "pv_voltage must be positive and finite, is nan at 0"),
        (
            {"reactive_min": np.array([0.3])},
            "reactive_min must not exceed reactive_max, got 0.3 and 0.2 at 0",
        ),
        ({"reactive_max": np.array([np.nan])}, "reactive_min must not exceed reactive_max, got -inf and nan"),
        ({"reactive_max": np.array([-np.inf])}, "reactive_min must not exceed reactive_max"),
        ({"constant_current": np.zeros(2)}, r"constant_current has shape \(2,\), expected \(3,\)"),
        (
            {"constant_impedance": np.array([np.inf, 0, 0])},
            r"constant_impedance is not finite at rows \[0\]",
        ),
        ({"coordinates": np.zeros((3, 3))}, r"coordinates has shape \(3, 3\), expected \(3, 2\)"),
        ({"branch_labels": ("a",)}, "branch_labels has 1 entries, expected 2"),
        (
            {"resistance": np.array([0.01, 0.0]), "reactance": np.array([0.02, 0.0])},
            r"branch 1 \(trafo 0\) has zero series impedance",
        ),
        ({"to_bus": np.array([1, 3])}, r"to_bus must lie in \[0, 3\), got \[1, 3\]"),
        ({"to_bus": np.array([1, 1])}, r"1 buses are an island with no source: rows \[2\]"),
    ],
)
def test_the_field_at_fault_is_named(changed, fields, message):
    with pytest.raises(ValueError, match=f"network 'small': .*{message}"):
        check_network(changed(**fields))


def test_unrated_branches_and_unknown_coordinates_are_fine(changed):
    check_network(changed(rating_from=np.full(2, np.inf), coordinates=np.full((3, 2), np.nan)))


def test_a_single_bus_is_a_network(small, changed):
    empty = {
        field: getattr(small, field)[:0]
        for field in (
            *("from_bus", "to_bus", "resistance", "reactance", "charging_from", "charging_to"),
            *("tap_ratio", "phase_shift", "rating_from", "rating_to", "branch_labels"),
        )
    }
    per_bus = (
        "base_kv",
        "shunt",
        "nominal_injection",
        "constant_current",
        "constant_impedance",
        "coordinates",
    )
    first = {field: getattr(small, field)[:1] for field in per_bus}
    no_pv = {field: getattr(small, field)[:0] for field in ("pv_voltage", "reactive_min", "reactive_max")}
    assert check_network(changed(**empty, **first, **no_pv, pv_buses=())).n_branch == 0
