"""Who is whose neighbour, by electrical distance, and what a kilowatt costs in losses: host-side tables."""

from __future__ import annotations

import numpy as np

from gridjax.network import Network


def impedances(network: Network, buses: np.ndarray) -> np.ndarray:
    """Columns of the bus impedance matrix, complex p.u. `[n_bus, len(buses)]`, slack buses grounded.

    The inverse of the admittance matrix without slack rows (Grainger and Stevenson, Power System Analysis,
    1994, section 8.1); rows and columns of slack buses are zero.
    """
    from scipy.sparse.linalg import splu

    from gridjax.powerflow.nominal import sparse_admittance

    free, buses = network.free_buses, np.asarray(buses)
    matrix = sparse_admittance(network)[free][:, free].tocsc()
    unit = np.zeros((network.n_bus, buses.size), complex)
    unit[buses, np.arange(buses.size)] = 1.0
    columns = np.zeros_like(unit)
    columns[free] = splu(matrix).solve(unit[free])
    return columns


def electrical_distance(columns: np.ndarray, buses: np.ndarray) -> np.ndarray:
    """|Z_ii + Z_jj - Z_ij - Z_ji|, p.u. `[n, n]`: the impedance between the buses (Thevenin)."""
    z = columns[np.asarray(buses)]
    own = np.diag(z)
    return np.abs(own[:, None] + own[None, :] - z - z.T)


def neighbour_slots(distance: np.ndarray, n_slot: int) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours and reverse slots, int32 `[n, n_slot]`; padding has neighbour -1.

    Pairs are made from the nearest on while both sides have a slot free, so that neighbourhood is mutual:
    `neighbour[neighbour[i, k], reverse[i, k]] == i`.
    """
    n = distance.shape[0]
    first, second = np.triu_indices(n, 1)
    neighbour = np.full((n, n_slot), -1, np.int32)
    reverse = np.zeros((n, n_slot), np.int32)
    used = np.zeros(n, int)
    # of pairs equally far apart, those of near numbers first: it keeps crowded buses connected to others
    for pair in np.lexsort((second - first, np.round(distance[first, second], 12))):
        i, j = first[pair], second[pair]
        if used[i] < n_slot and used[j] < n_slot:
            neighbour[i, used[i]], neighbour[j, used[j]] = j, i
            reverse[i, used[i]], reverse[j, used[j]] = used[j], used[i]
            used[i] += 1
            used[j] += 1
    return neighbour, reverse


def loss_matrix(columns: np.ndarray) -> np.ndarray:
    """Matrix B `[n, n_bus]` of dLoss/dP = B p, p.u., at the buses of `columns`, p the active injections.

    Kron's loss formula at flat voltage, loss = p' R p + q' R q with R = Re Z (Grainger and Stevenson, section
    13.3), so B = 2 R: exact to first order in the voltage drops.
    """
    return 2.0 * np.real(columns).T
