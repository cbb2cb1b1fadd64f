import datetime
import logging
import sys

import numpy as np
import pandas as pd
import pytest

from gridjax.scenarios.reading import read_table


def table(start="2023-01-02", periods=3 * 96, freq="15min", **columns):
    """A frame with naive times, and columns that are functions of the row."""
    times = pd.date_range(start, periods=periods, freq=freq)
    frame = pd.DataFrame({"time": times.strftime("%Y-%m-%d %H:%M")})
    for name, value in (columns or {"house [kW]": np.arange}).items():
        frame[name] = value(periods) if callable(value) else value
    return frame


def read(frame, **options):
    return read_table(frame, **{"loads": ["house [kW]"], "timezone": "UTC", **options})


def written(tmp_path, text):
    path = tmp_path / "data.csv"
    path.write_text(text)
    return path


def test_a_csv_with_every_kind(tmp_path):
    frame = table(**{"a_kW": 1.0, "b [MW]": 0.002, "a_kvar": 0.5, "b [Mvar]": 0.001, "roof (Wh)": 100.0})
    frame["market [EUR/MWh]"] = -50.0
    path = tmp_path / "data.csv"
    frame.to_csv(path, index=False)
    pack = read_table(
        path,
        loads=["a_kW", "b [MW]"],
        reactive=["a_kvar", "b [Mvar]"],
        generation=["roof (Wh)"],
        prices=["market [EUR/MWh]"],
        timezone="UTC",
    )
    np.testing.assert_allclose(pack.load[5], [1.0, 2.0])
    np.testing.assert_allclose(pack.reactive[5], [0.5, 1.0])
    np.testing.assert_allclose(pack.generation[5], [0.4])  # 100 Wh in a quarter of an hour
    np.testing.assert_allclose(pack.price[5], [-0.05])
    assert (pack.n_days, pack.start, pack.notes) == (3, datetime.datetime(2023, 1, 2), ())
    assert pack.load.dtype == np.float32
    assert not pack.load.flags.writeable


def test_parquet_equals_csv(tmp_path):
    pytest.importorskip("pyarrow")
    frame = table()
    frame.to_csv(tmp_path / "data.csv", index=False)
    frame.assign(time=pd.to_datetime(frame["time"])).to_parquet(tmp_path / "data.parquet")
    one, other = read(tmp_path / "data.csv"), read(tmp_path / "data.parquet")
    np.testing.assert_array_equal(one.load, other.load)
    assert one.start == other.start


def test_units_may_be_given_and_come_before_the_name():
    frame = table(house=3.0, **{"other [kW]": 2.0})
    pack = read_table(frame, loads=["house", "other [kW]"], units={"house": "MW"}, timezone="UTC")
    np.testing.assert_allclose(pack.load[0], [3000.0, 2.0])
    pack = read_table(frame, loads=["house"], units={"load": "W"}, timezone="UTC")
    np.testing.assert_allclose(pack.load[0], [0.003])


@pytest.mark.parametrize(
    ("name", "units", "message"),
    [
        ("house", {}, "column 'house' .load. has no unit.*W, kW, MW"),
        ("house [hp]", {}, "column 'house .hp.' .load. is in 'hp', expected one of W, kW"),
        ("house [mW]", {}, "is in 'mW'"),  # milliwatts are not megawatts
        ("house", {"load": "furlong"}, "is in 'furlong'"),
        ("house", {"hous": "kW"}, "units names .'hous'."),
    ],
)
def test_units_that_are_unknown(name, units, message):
    with pytest.raises(ValueError, match=message):
        read_table(table(**{name: 1.0}), loads=[name], units=units, timezone="UTC")


def test_unknown_columns_name_the_nearest(tmp_path):
    with pytest.raises(ValueError, match=r"no column 'hause \[kW\]'; did you mean 'house \[kW\]'"):
        read(table(), loads=["hause [kW]"])
    with pytest.raises(ValueError, match="no column is named time or timestamp"):
        read(table().rename(columns={"time": "when"}))
    with pytest.raises(ValueError, match="give separator"):
        read(written(tmp_path, "time;house [kW]\n2023-01-01 00:00;1\n"), time="time")


def test_what_is_no_number(tmp_path):
    text = "time;house [kW]\n2023-01-01 00:00;1,5\n2023-01-01 12:00;2,5\n"
    with pytest.raises(
        ValueError, match=r"column 'house \[kW\]' holds '1,5' at 2023-01-01 00:00.*decimal=','"
    ):
        read(written(tmp_path, text), separator=";")
    np.testing.assert_allclose(
        read(written(tmp_path, text), separator=";", decimal=",").load[[0, -1], 0], [1.5, 2.5]
    )
    frame = table(**{"house [kW]": 1.0})
    frame.loc[7, "house [kW]"] = np.inf
    with pytest.raises(ValueError, match="infinite at 2023-01-02 01:45"):
        read(frame)


def test_negative_loads_raise_or_are_clipped_and_noted(caplog):
    frame = table(**{"house [kW]": lambda n: np.where(np.arange(n) == 4, -2.5, 1.0)})
    with pytest.raises(ValueError, match=r"negative 1 times, first -2.5 at 2023-01-02 01:00"):
        read(frame)
    with caplog.at_level(logging.WARNING):
        pack = read(frame, negative="clip")
    assert pack.load.min() == 0
    assert pack.notes == ("column 'house [kW]': 1 negative values, down to -2.5, set to zero",)
    assert pack.notes[0] in caplog.text
    with pytest.raises(ValueError, match="negative is 'ignore', expected one of error, clip"):
        read(frame, negative="ignore")


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.csv does not exist"):
        read(tmp_path / "nothing.csv")
    (tmp_path / "data.xlsx").write_text("")
    with pytest.raises(ValueError, match="of kind 'xlsx', expected csv"):
        read(tmp_path / "data.xlsx")
    with pytest.raises(ValueError, match="cannot be read as CSV"):
        read(written(tmp_path, ""))
    with pytest.raises(ValueError, match="has 0 rows"):
        read(written(tmp_path, "time,house [kW]\n"))
    (tmp_path / "data.parquet").write_text("no")
    pytest.importorskip("pyarrow")
    with pytest.raises(ValueError, match="cannot be read as Parquet"):
        read(tmp_path / "data.parquet")


@pytest.mark.parametrize(("lacking", "file"), [("pandas", "data.csv"), ("pyarrow", "data.parquet")])
def test_what_must_be_installed_is_named(tmp_path, monkeypatch, lacking, file):
    (tmp_path / file).write_text("time,house [kW]")
    monkeypatch.setitem(sys.modules, lacking, None)
    with pytest.raises(ImportError, match=rf"needs {lacking}: install the extra gridjax\[data\]"):
        read_table(tmp_path / file, loads=["house [kW]"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loads": []}, "no column is named"),
        ({"loads": "house [kW]"}, "expected a list"),
        ({"loads": ["house [kW]"] * 2}, "named twice"),
        ({"reactive": ["a", "b"]}, "reactive names 2 columns, expected one for each of 1"),
        ({"step_hours": 0.7}, "step_hours is 0.7"),
        ({"step_hours": 0}, "step_hours is 0"),
        ({"longest_gap": -1}, "longest_gap is -1"),
        ({"long_gaps": "zero"}, "long_gaps is 'zero'"),
        ({"label": "middle"}, "label is 'middle'"),
        ({"timezone": "Middle/Earth"}, "timezone is 'Middle/Earth'"),
    ],
)
def test_options_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        read(table(), **options)


def test_labels_at_the_end_of_a_step():
    frame = table(periods=96)
    frame["time"] = (pd.to_datetime(frame["time"]) + pd.Timedelta("15min")).astype(str)
    pack = read(frame, label="end")
    assert pack.start == datetime.datetime(2023, 1, 2)
    np.testing.assert_array_equal(pack.load[:, 0], np.arange(96))
