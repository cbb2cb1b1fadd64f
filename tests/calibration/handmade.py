"""Hand-made pandapower networks that hold every supported element."""

import itertools

import numpy as np
import pandapower as pp


def everything(seed: int):
    """A meshed three-level network with every supported element and random numbers."""
    random = np.random.default_rng(seed)
    u = random.uniform
    net = pp.create_empty_network(sn_mva=float(random.choice([1.0, 10.0, 100.0])), f_hz=50.0)
    high = [pp.create_bus(net, 110.0, index=5, geodata=(0.0, 0.0)), pp.create_bus(net, 110.0, index=9)]
    middle = [pp.create_bus(net, 20.0, index=20 + k, geodata=(1.0, float(k))) for k in range(6)]
    low = [pp.create_bus(net, 10.0, index=40), pp.create_bus(net, 10.0, index=41)]
    pp.create_ext_grid(net, high[0], vm_pu=1.02, va_degree=3.0)

    def line(a, b, **more):
        keywords = {
            "length_km": u(0.5, 4),
            "r_ohm_per_km": u(0.1, 0.4),
            "x_ohm_per_km": u(0.1, 0.4),
            "c_nf_per_km": u(5, 250),
            "g_us_per_km": u(0, 2),
            "max_i_ka": u(0.2, 0.5),
            "parallel": int(random.integers(1, 3)),
            "df": u(0.7, 1.0),
        }
        return pp.create_line_from_parameters(net, a, b, **{**keywords, **more})

    line(*high)
    line(*high, max_i_ka=np.nan)
    for a, b in itertools.pairwise(middle):
        line(a, b)
    line(middle[-1], middle[1])
    for k, side in enumerate(("hv", "lv")):
        pp.create_transformer_from_parameters(
            net,
            high[1],
            middle[0],
            sn_mva=u(20, 60),
            vn_hv_kv=u(105, 115),
            vn_lv_kv=u(19.5, 21),
            vkr_percent=u(0.2, 0.8),
            vk_percent=u(8, 14),
            pfe_kw=u(0, 30),
            i0_percent=u(0.05, 0.5),
            shift_degree=150.0,
            tap_side=side,
            tap_neutral=0,
            tap_min=-9,
            tap_max=9,
            tap_pos=int(random.integers(-2, 3)),
            tap_step_percent=1.5,
            tap_step_degree=(0.0, 20.0)[k],
            tap_changer_type="Ratio",
            parallel=k + 1,
            df=0.9,
        )
    # the two are parallel: equal ratios keep the circulating current in bounds
    net.trafo["vn_hv_kv"], net.trafo["vn_lv_kv"] = net.trafo.vn_hv_kv[0], net.trafo.vn_lv_kv[0]
    pp.create_transformer3w_from_parameters(
        net,
        high[0],
        middle[3],
        low[0],
        vn_hv_kv=u(108, 112),
        vn_mv_kv=20.5,
        vn_lv_kv=10.2,
        sn_hv_mva=40.0,
        sn_mv_mva=25.0,
        sn_lv_mva=15.0,
        vk_hv_percent=u(9, 12),
        vk_mv_percent=u(9, 12),
        vk_lv_percent=u(9, 12),
        vkr_hv_percent=0.4,
        vkr_mv_percent=0.4,
        vkr_lv_percent=0.4,
        pfe_kw=u(5, 30),
        i0_percent=u(0.05, 0.3),
        shift_mv_degree=150.0,
        shift_lv_degree=30.0,
        tap_side="hv",
        tap_neutral=0,
        tap_pos=1,
        tap_min=-5,
        tap_max=5,
        tap_step_percent=1.2,
        tap_changer_type="Ratio",
    )
    pp.create_impedance(
        net, *low, rft_pu=0.01, xft_pu=0.03, sn_mva=20.0, gf_pu=0.002, bf_pu=0.01, gt_pu=0.001, bt_pu=0.02
    )
    for bus in (*middle, low[1]):
        pp.create_load(net, bus, p_mw=u(0.5, 2.0), q_mvar=u(0.1, 0.8), scaling=u(0.6, 1.0))
    pp.create_load(net, high[0], p_mw=3.0, q_mvar=1.0)  # at the source
    pp.create_load(net, middle[2], p_mw=50.0, in_service=False)
    pp.create_sgen(net, middle[4], p_mw=u(0.5, 2.0), q_mvar=0.3, scaling=0.8, max_q_mvar=0.1, min_q_mvar=-0.1)
    pp.create_storage(net, middle[2], p_mw=0.4, q_mvar=-0.1, max_e_mwh=1.0)
    pp.create_shunt(net, middle[1], p_mw=0.05, q_mvar=-0.6, vn_kv=21.0, step=2, max_step=3)
    pp.create_ward(net, middle[5], ps_mw=0.2, qs_mvar=0.1, pz_mw=0.3, qz_mvar=-0.2)
    return net


def controlled(seed: int):
    """`everything` with voltage control and with loads that depend on voltage or differ by phase."""
    random = np.random.default_rng(seed + 100)
    net = everything(seed)
    high, middle, low = 9, range(20, 26), 41
    pp.create_gen(net, high, p_mw=12.0, vm_pu=1.01, min_q_mvar=-8.0, max_q_mvar=9.0)
    pp.create_gen(net, high, p_mw=5.0, vm_pu=1.01, min_q_mvar=-2.0, max_q_mvar=3.0, scaling=0.7)
    pp.create_gen(net, high, p_mw=500.0, vm_pu=1.3, in_service=False)
    pp.create_gen(net, middle[4], p_mw=3.0, vm_pu=1.0, max_q_mvar=2.0)  # no lower limit
    pp.create_gen(net, 5, p_mw=7.0, vm_pu=1.02)  # at the source
    pp.create_bus(net, 110.0, index=60)
    pp.create_bus(net, 110.0, index=61)
    pp.create_gen(net, 60, p_mw=2.0, vm_pu=1.015, slack=True)
    line = {"length_km": 3.0, "r_ohm_per_km": 0.1, "x_ohm_per_km": 0.4, "c_nf_per_km": 9.0, "max_i_ka": 0.6}
    pp.create_line_from_parameters(net, high, 60, **line)
    pp.create_line_from_parameters(net, 60, 61, **line)
    pp.create_load(net, 61, p_mw=4.0, q_mvar=1.0)
    pp.create_dcline(
        net, high, 61, p_mw=5.0, loss_percent=2.0, loss_mw=0.1, vm_from_pu=1.01, vm_to_pu=1.005,
        min_q_from_mvar=-3.0, max_q_from_mvar=4.0, min_q_to_mvar=-1.0, max_q_to_mvar=1.0,
    )  # fmt: skip
    pp.create_xward(net, low, ps_mw=0.3, qs_mvar=0.1, pz_mw=0.2, qz_mvar=0.1, r_ohm=1.0, x_ohm=4.0, vm_pu=1.0)
    for bus in middle[1:4]:
        z_p, i_p, z_q, i_q = random.uniform(0.0, 50.0, 4)
        pp.create_load(
            net, bus, p_mw=1.2, q_mvar=0.5,
            const_z_p_percent=z_p, const_i_p_percent=i_p, const_z_q_percent=z_q, const_i_q_percent=i_q,
        )  # fmt: skip
    pp.create_asymmetric_load(
        net,
        middle[5],
        p_a_mw=0.1,
        p_b_mw=0.2,
        p_c_mw=0.4,
        q_a_mvar=0.05,
        q_b_mvar=0.0,
        q_c_mvar=0.1,
        scaling=0.9,
    )
    pp.create_asymmetric_sgen(net, middle[5], p_a_mw=0.3, p_b_mw=0.0, p_c_mw=0.1, q_b_mvar=0.02)
    return net


def switched():
    """Two sources, fused buses, switches of every kind, buses out of service or without supply."""
    net = pp.create_empty_network(sn_mva=1.0)
    for k in range(10):
        pp.create_bus(net, 0.4 if k == 9 else 20.0, index=100 + k, geodata=(float(k), 0.0))
    parameters = {"r_ohm_per_km": 0.3, "x_ohm_per_km": 0.2, "c_nf_per_km": 200.0, "max_i_ka": 0.2}

    def line(a, b):
        return pp.create_line_from_parameters(net, 100 + a, 100 + b, length_km=2.0, **parameters)

    pp.create_ext_grid(net, 100, vm_pu=1.01, va_degree=2.0)
    pp.create_ext_grid(net, 103, vm_pu=0.99, va_degree=0.0)
    pp.create_ext_grid(net, 103, vm_pu=0.99, va_degree=0.0)
    line(0, 1)
    pp.create_switch(net, 101, 102, et="b", closed=True)  # fuses 101 and 102
    line(2, 3)
    stub = line(2, 4)
    pp.create_switch(net, 104, stub, et="l", closed=False)  # a row for the open end at 104
    pp.create_switch(net, 103, 104, et="b", closed=True, z_ohm=0.05)  # a branch of its own
    pp.create_switch(net, 104, 105, et="b", closed=False)  # 105 has neither supply nor load
    line(3, 6)
    net.bus.loc[107, "in_service"] = False
    line(6, 7)  # ends at a bus out of service
    line(6, 8)
    pp.create_transformer(net, 108, 109, std_type="0.4 MVA 20/0.4 kV")
    for bus, p in ((102, 1.0), (104, 0.5), (108, 0.7), (109, 0.2), (103, 0.3)):
        pp.create_load(net, bus, p_mw=p, q_mvar=0.3 * p)
    pp.create_load(net, 107, p_mw=9.0)  # at the bus out of service: no load at all
    return net
