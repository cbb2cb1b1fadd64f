"""The Jacobian of the power flow equations in log-polar coordinates.

With V = exp(lambda + j phi) and T_ij = conj(V_i) Y_ij V_j the equations are conj(S_i) = sum_j T_ij, and

    d conj(S_i) = sum_j T_ij ((d lambda_i + d lambda_j) + j (d phi_j - d phi_i)).

Unknown are phi at all buses but the slack's and lambda at PQ buses; known are active powers at the former
and reactive powers at the latter. The matrix is the same for polar coordinates up to a scaling of its
columns (MATPOWER technical note 2).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gridjax.network import Network

Array = Any


def unknown_buses(network: Network) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the buses whose angle is unknown (PV, then PQ) and of those whose magnitude is (PQ)."""
    pv = np.array(network.pv_buses, dtype=int)
    pq = np.setdiff1d(network.free_buses, pv)
    return np.concatenate([pv, pq]), pq


def log_polar_jacobian(product: Array, slope: Array, angles: Array, magnitudes: Array, xp: Any) -> Array:
    """Real matrix of (d phi, d lambda) -> (d P, -d Q), rows and columns at `angles`, then `magnitudes`.

    `product` is T, complex p.u. `[n_bus, n_bus]`, a dense array of the namespace `xp` or a `scipy.sparse`
    matrix; the result is of the same kind. `slope`, complex `[n_bus]`, is the derivative in lambda of
    conj(S) that the buses inject themselves: conj(C) |V| + 2 conj(Z) |V|^2 for constant currents C and
    constant impedances Z.
    """
    if isinstance(product, np.ndarray) or xp is not np:
        total = product.sum(axis=1)
        phi, lam = 1j * (product - xp.diag(total)), product + xp.diag(total - slope)
        top = xp.concatenate([phi.real[np.ix_(angles, angles)], lam.real[np.ix_(angles, magnitudes)]], 1)
        bottom = xp.concatenate(
            [phi.imag[np.ix_(magnitudes, angles)], lam.imag[np.ix_(magnitudes, magnitudes)]], 1
        )
        return xp.concatenate([top, bottom])
    import scipy.sparse as sparse

    total = np.asarray(product.sum(axis=1)).ravel()
    phi = (1j * (product - sparse.diags(total))).tocsr()
    lam = (product + sparse.diags(total - slope)).tocsr()
    rows = [[block.real[angles], block.imag[magnitudes]] for block in (phi, lam)]
    blocks = [[rows[0][k][:, angles], rows[1][k][:, magnitudes]] for k in (0, 1)]
    return sparse.bmat(blocks, format="csc")
