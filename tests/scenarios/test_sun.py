import jax.numpy as jnp
import numpy as np

from gridjax.scenarios.sun import clear_sky_irradiance, declination, plane_irradiance


def test_haurwitz_against_hand_worked_values():
    # 1098 exp(-0.059) at the zenith; 1098 / 2 exp(-0.118) at sixty degrees
    got = clear_sky_irradiance(jnp.array([1.0, 0.5, 0.0, -0.3]))
    np.testing.assert_allclose(got, [1035.094, 487.890, 0.0, 0.0], rtol=1e-5)


def test_declination_at_solstices_and_equinox():
    degrees = np.rad2deg(declination(jnp.array([171, 354, 80])))
    np.testing.assert_allclose(degrees, [23.45, -23.45, 0.0], atol=0.5)


def test_a_flat_plane_under_a_clear_sky_is_the_horizontal_irradiance():
    sun = {"latitude": 51.3, "azimuth": 0.0, "solar_noon": 12.0, "beam_fraction": 0.8}
    hour, day = jnp.array([9.0, 12.0, 15.0]), jnp.array(171.0)
    flat = plane_irradiance(jnp.array(1.0), day, hour, tilt=0.0, **sun)
    cosine = np.cos(np.deg2rad(51.3) - declination(day))
    np.testing.assert_allclose(flat[1], clear_sky_irradiance(cosine), rtol=1e-5)
    np.testing.assert_allclose(flat[0], flat[2], rtol=1e-5)
    # tilted to the south gains in winter, tilted west moves to the afternoon
    winter = jnp.array(354.0)
    tilted = plane_irradiance(jnp.array(1.0), winter, hour, tilt=40.0, **sun)
    assert tilted[1] > 1.5 * plane_irradiance(jnp.array(1.0), winter, hour, tilt=0.0, **sun)[1]
    west = plane_irradiance(jnp.array(1.0), day, hour, tilt=40.0, **{**sun, "azimuth": 60.0})
    assert west[2] > west[0]
