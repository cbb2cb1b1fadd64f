"""Where the sun stands and what it gives a tilted surface under a sky of given clearness."""

from __future__ import annotations

import jax
import jax.numpy as jnp


def declination(day: jax.Array) -> jax.Array:
    """Solar declination in rad on day 0..365: Cooper (1969), 23.45 deg sin(360 (284 + n) / 365), n from 1."""
    return jnp.deg2rad(23.45) * jnp.sin(2 * jnp.pi * (285 + day) / 365)


def clear_sky_irradiance(cos_zenith: jax.Array) -> jax.Array:
    """Global horizontal irradiance of a clear sky in W/m2; 0 when the sun is down.

    Haurwitz (1945), J. Meteorology 2, 154-166, with the constants of Reno, Hansen and Stein (2012),
    SAND2012-2389: 1098 cos z exp(-0.059 / cos z).
    """
    up = cos_zenith > 0
    # a safe divisor keeps the gradient finite at night, where the result is not used
    cosine = jnp.where(up, cos_zenith, 1.0)
    return jnp.where(up, 1098.0 * cosine * jnp.exp(-0.059 / cosine), 0.0)


def plane_irradiance(
    clearness: jax.Array,
    day: jax.Array,
    hour: jax.Array,
    *,
    latitude: jax.Array | float,
    tilt: jax.Array | float,
    azimuth: jax.Array | float,
    solar_noon: jax.Array | float,
    beam_fraction: jax.Array | float,
) -> jax.Array:
    """Irradiance on a tilted plane in W/m2, `[...]`, all arguments broadcast together.

    Args:
        clearness: irradiance over that of a clear sky.
        day: 0..365.
        hour: h on the clock of the data.
        latitude, tilt, azimuth: deg, azimuth west positive, 0 is south.
        solar_noon: h on the same clock.
        beam_fraction: share of beam under a clear sky; it falls in proportion to clearness.

    Angle of incidence and isotropic sky: Duffie and Beckman, Solar Engineering of Thermal Processes,
    eqs. 1.6.2 and 2.15.1 without reflection from the ground.
    """
    phi, beta, gamma = jnp.deg2rad(latitude), jnp.deg2rad(tilt), jnp.deg2rad(azimuth)
    delta, omega = declination(day), jnp.deg2rad(15.0) * (hour - solar_noon)
    cos_zenith = jnp.sin(phi) * jnp.sin(delta) + jnp.cos(phi) * jnp.cos(delta) * jnp.cos(omega)
    south = jnp.sin(phi) * jnp.cos(delta) * jnp.cos(omega) - jnp.cos(phi) * jnp.sin(delta)
    west = jnp.cos(delta) * jnp.sin(omega)
    cos_incidence = cos_zenith * jnp.cos(beta) + jnp.sin(beta) * (
        south * jnp.cos(gamma) + west * jnp.sin(gamma)
    )
    # below five degrees of elevation the ratio of beams diverges while the beam itself vanishes
    beam_ratio = jnp.maximum(cos_incidence, 0.0) / jnp.maximum(cos_zenith, 0.087)
    beam = jnp.clip(beam_fraction * clearness, 0.0, 1.0)
    diffuse_ratio = (1 + jnp.cos(beta)) / 2
    shape = diffuse_ratio + beam * (beam_ratio - diffuse_ratio)
    return clearness * clear_sky_irradiance(cos_zenith) * shape
