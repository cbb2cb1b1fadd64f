import dataclasses
import json

import jax
import numpy as np
import pytest

from gridjax.archive import digest
from gridjax.network import load_network, save_network


def test_round_trip_keeps_every_bit(small, tmp_path):
    sheet = save_network(small, tmp_path / "new", {"source": "by hand"})
    again = load_network(sheet)
    for field in dataclasses.fields(small):
        value, expected = getattr(again, field.name), getattr(small, field.name)
        if field.metadata.get("static"):
            assert value == expected
        else:
            assert value.dtype == expected.dtype
            np.testing.assert_array_equal(value, expected)
    assert jax.tree.structure(again) == jax.tree.structure(small)
    assert json.loads(sheet.read_text())["source"] == "by hand"
    assert sorted(path.name for path in sheet.parent.iterdir()) == ["small.json", "small.npz"]


def test_the_archive_is_an_address_too(small, tmp_path):
    sheet = save_network(small, tmp_path, {})
    assert load_network(str(sheet.with_suffix(".npz"))).name == "small"


def test_tampered_numbers_are_noticed(small, changed, tmp_path):
    sheet = save_network(small, tmp_path / "a", {})
    other = save_network(changed(resistance=small.resistance * (1 + 1e-15)), tmp_path / "b", {})
    sheet.with_suffix(".npz").write_bytes(other.with_suffix(".npz").read_bytes())
    with pytest.raises(ValueError, match=r"small\.npz does not match the checksum in small\.json"):
        load_network(sheet)


def test_missing_parts_are_named(small, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.json does not exist"):
        load_network(tmp_path / "none.json")
    sheet = save_network(small, tmp_path, {})
    with np.load(sheet.with_suffix(".npz")) as stored:
        arrays = {name: stored[name] for name in stored.files if name != "shunt"}
    np.savez(sheet.with_suffix(".npz"), **arrays)
    sheet.write_text(json.dumps(json.loads(sheet.read_text()) | {"sha256": digest(arrays)}))
    with pytest.raises(ValueError, match=r"lacks the arrays \['shunt'\]"):
        load_network(sheet)
    sheet.with_suffix(".npz").unlink()
    with pytest.raises(FileNotFoundError, match=r"small\.npz does not exist"):
        load_network(sheet)


def test_an_artefact_of_constant_power_only_loads_with_empty_fields(small, tmp_path):
    sheet = save_network(small, tmp_path, {})
    later = ("pv_voltage", "reactive_min", "reactive_max", "constant_current", "constant_impedance")
    with np.load(sheet.with_suffix(".npz")) as stored:
        arrays = {name: stored[name] for name in stored.files if name not in later}
    np.savez(sheet.with_suffix(".npz"), **arrays)
    record = json.loads(sheet.read_text())
    del record["pv_buses"]
    sheet.write_text(json.dumps(record | {"sha256": digest(arrays)}))
    old = load_network(sheet)
    assert old.pv_buses == ()
    assert old.pv_voltage.shape == old.reactive_min.shape == old.reactive_max.shape == (0,)
    for field in ("constant_current", "constant_impedance"):
        np.testing.assert_array_equal(getattr(old, field), np.zeros(3, complex))


class Killed(BaseException):
    pass


@pytest.mark.parametrize("moment", ["numpy.savez_compressed", "json.dumps", "os.replace"])
def test_a_killed_write_leaves_the_old_file(small, changed, tmp_path, monkeypatch, moment):
    sheet = save_network(small, tmp_path, {"version": 1})

    def kill(*args, **kwargs):
        if hasattr(args[0], "write"):
            args[0].write(b"half of an archive")
        raise Killed

    monkeypatch.setattr(moment, kill)
    with pytest.raises(Killed):
        save_network(changed(resistance=2 * small.resistance), tmp_path, {"version": 2})
    monkeypatch.undo()
    np.testing.assert_array_equal(load_network(sheet).resistance, small.resistance)
    assert json.loads(sheet.read_text())["version"] == 1
    assert [path.stem for path in tmp_path.glob("*.npz")] == ["small"]


def test_an_unsound_network_is_not_written(changed, tmp_path):
    with pytest.raises(ValueError, match="shunt has shape"):
        save_network(changed(shunt=np.zeros(1)), tmp_path / "new", {})
    assert not (tmp_path / "new").exists()


def test_a_description_without_numbers_is_not_written(small, tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        save_network(small, tmp_path, {"error": float("nan")})
    assert not list(tmp_path.glob("*.json"))
