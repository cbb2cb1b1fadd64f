"""pandapower's answer for random states of a network: what `gridjax.powerflow` is measured against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pandapower.auxiliary import pandapowerNet

from gridjax.calibration.conversion import bus_powers
from gridjax.calibration.states import Draw, prepare_draw
from gridjax.calibration.tables import Tables, internal_tables
from gridjax.calibration.truth import Solution, Truth
from gridjax.network import Network

_TRIAL = 16  # states drawn to see whether the network bears such states
_BEARABLE = 0.25  # share of the trial that must have a solution
_MAX_DRAWS = 8  # times the number of states asked for
_OPERABLE = 0.4  # p.u.; below this Newton has found a low-voltage solution
_KEPT_FAILURES = 64


@dataclass
class Reference:
    """Solved states, leading axis `[n_states]`, in p.u."""

    injection: np.ndarray  # [n_states, n_bus], complex, constant power
    constant_current: np.ndarray  # [n_states, n_bus], complex, at 1 p.u. voltage
    constant_impedance: np.ndarray  # [n_states, n_bus], complex, at 1 p.u. voltage
    voltage: np.ndarray  # [n_states, n_bus], complex
    power: np.ndarray  # [n_states, n_branch, 2], complex, from and to end
    current: np.ndarray  # [n_states, n_branch, 2], magnitude
    loading: np.ndarray  # [n_states, n_branch], share of the rating, 0 where unrated
    losses: np.ndarray  # [n_states], active
    slack_power: np.ndarray  # [n_states, n_slack], complex, beyond the bus's own injection
    generator_reactive: np.ndarray  # [n_states, n_pv], beyond the bus's own injection
    failed: np.ndarray  # [n_failed, n_bus], injections without an operable solution, at most 64
    failures: int  # how many states were drawn in vain
    balanced: bool  # whether generation was scaled to follow the load
    depth: float  # share of the way from nominal to the random state; 1 where the network bears that
    last_step: float  # largest change of voltage in the last refinement of any state


def random_reference(network: Network, net: pandapowerNet, n_states: int, seed: int) -> Reference:
    """`n_states` random states of `net` (`Draw.sample`) with pandapower's solution (`Truth`).

    Powers are rounded to float32 first, so that a solver in either precision is given the same.
    States without an operable solution are drawn again and counted. Where fewer than a quarter of the
    states have one, generation is scaled to follow the load; where that does not help, all states are
    drawn half way to nominal, and so on. Raises `ValueError` where pandapower
    does not solve the nominal state, or hardly any other.
    """
    random = np.random.default_rng(seed)
    net, ppci = internal_tables(net)
    truth = Truth(ppci)
    if truth.nominal is None:
        raise ValueError(f"pandapower does not converge on the nominal state of network {network.name!r}")
    draw = prepare_draw(net, ppci, random)
    depth, balanced = _bearable(network, truth, draw, ppci, random)
    solutions, powers, failed = [], [], []
    while len(solutions) < n_states:
        state = draw.sample(ppci, random, depth, balanced)
        given = tuple(power.astype(np.complex64).astype(complex) for power in bus_powers(state))
        solution = truth.solve(state, powers=given)
        if operable(solution):
            solutions.append(solution)
            powers.append(given)
        else:
            failed.append(bus_powers(state)[0])
            if len(failed) > _MAX_DRAWS * n_states:
                raise ValueError(f"pandapower solves hardly any random state of network {network.name!r}")
    reference = collect(network, solutions, powers)
    reference.failed = np.array(failed[:_KEPT_FAILURES]).reshape(-1, network.n_bus)
    reference.failures, reference.depth, reference.balanced = len(failed), depth, balanced
    return reference


def operable(solution: Solution | None) -> bool:
    """Whether there is a solution with every voltage above 0.4 p.u."""
    return solution is not None and float(np.abs(solution.voltage).min()) > _OPERABLE


def collect(network: Network, solutions: list[Solution], powers: list[tuple]) -> Reference:
    """Stack solved states with their `bus_powers`."""
    injection, current, impedance = (np.stack(part) for part in zip(*powers))
    voltage = np.stack([s.voltage for s in solutions])
    magnitude = np.abs(voltage)
    given = injection + current * magnitude + impedance * magnitude**2
    beyond = np.stack([s.drawn for s in solutions]) - given
    ends = np.stack([s.current for s in solutions])
    rated = np.stack([network.rating_from, network.rating_to], axis=-1)
    return Reference(
        injection=injection,
        constant_current=current,
        constant_impedance=impedance,
        voltage=voltage,
        power=np.stack([s.power for s in solutions]),
        current=ends,
        loading=(ends / rated).max(axis=-1),
        losses=np.array([s.losses for s in solutions]),
        slack_power=beyond[:, list(network.slack_buses)],
        generator_reactive=np.imag(beyond[:, list(network.pv_buses)]),
        failed=np.zeros((0, network.n_bus), complex),
        failures=0,
        balanced=False,
        depth=1.0,
        last_step=max(s.last_step for s in solutions),
    )


def _bearable(
    network: Network, truth: Truth, draw: Draw, ppci: Tables, random: np.random.Generator
) -> tuple[float, bool]:
    """Depth and balance at which at least a quarter of the states have an operable solution."""
    ways = [(1.0, False)]
    if draw.generators.size:
        ways += [(0.5**k, True) for k in range(7)]
    else:
        ways += [(0.5**k, False) for k in range(1, 7)]
    for depth, balanced in ways:
        states = (draw.sample(ppci, random, depth, balanced) for _ in range(_TRIAL))
        if np.mean([operable(truth.solve(state)) for state in states]) >= _BEARABLE:
            return depth, balanced
    raise ValueError(f"pandapower solves hardly any random state of network {network.name!r}")
