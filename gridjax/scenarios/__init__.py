"""What happens to a grid: demand and sun, from a real year (SimBench, 2016), a user's table, or a key."""

from gridjax.scenarios.moments import moments
from gridjax.scenarios.profiles import HOUSEHOLDS, Profiles, load_simbench
from gridjax.scenarios.reading import read_table
from gridjax.scenarios.scenario_pack import ScenarioPack
from gridjax.scenarios.split import SPLITS, days, held_out_days
from gridjax.scenarios.synthetic import Day, SyntheticParams, sample_day, sample_year
from gridjax.scenarios.task_year import task_prices, task_profiles

__all__ = [
    "HOUSEHOLDS",
    "SPLITS",
    "Day",
    "Profiles",
    "ScenarioPack",
    "SyntheticParams",
    "days",
    "held_out_days",
    "load_simbench",
    "moments",
    "read_table",
    "sample_day",
    "sample_year",
    "task_prices",
    "task_profiles",
]
