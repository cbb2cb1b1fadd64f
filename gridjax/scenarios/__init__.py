"""What happens to a grid: demand and sun, from a real year (SimBench, 2016) or sampled from a key."""

from gridjax.scenarios.moments import moments
from gridjax.scenarios.profiles import HOUSEHOLDS, Profiles, load_simbench
from gridjax.scenarios.split import SPLITS, days, held_out_days
from gridjax.scenarios.synthetic import Day, SyntheticParams, sample_day, sample_year

__all__ = [
    "HOUSEHOLDS",
    "SPLITS",
    "Day",
    "Profiles",
    "SyntheticParams",
    "days",
    "held_out_days",
    "load_simbench",
    "moments",
    "sample_day",
    "sample_year",
]
