from gridjax.evaluation.tables.forecasts import forecasts_table


def estimate(value):
    return {"value": value, "low": value - 0.1, "high": value + 0.1}


def test_errors_by_horizon_and_the_gain():
    errors = {"1": estimate(0.25), "24": estimate(0.5), "all": estimate(0.4)}
    report = {
        "source": "house.csv",
        "columns": 3,
        "windows": 1200,
        "days": 40,
        "split": "test",
        "seeds": 5,
        "unit": "standard deviations",
        "methods": [
            {"name": "forecaster", "mae": errors, "rmse": {"all": estimate(0.8)}},
            {"name": "last value", "mae": errors, "rmse": {"all": estimate(0.9)}},
        ],
        "mae_against": {"last value": estimate(-0.25)},
    }
    lines = forecasts_table(report).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[:4]]
    assert cells[0] == ["forecast", "MAE, 1 h ahead", "MAE, 24 h ahead", "MAE, whole day", "RMSE, whole day"]
    assert cells[2] == ["forecaster", "0.250", "0.500", "0.400 [0.300, 0.500]", "0.800 [0.700, 0.900]"]
    assert "house.csv: 3 columns, 1,200 windows of 40 test days" in lines[-1]
    assert lines[-1].endswith("-25.0 % [-35.0, -15.0] against the last value.")
