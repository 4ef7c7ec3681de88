"""Under which samplers a speed may be trusted, as measured.

Rows that are kept are off by a little, and some samplers make much of it: those that take the
noise of a step from the difference of two rows, jump to the end at every step, or fit a high order
through few steps. Until the planner knows them, a speed that ends far from exact there runs exact.

Source: benchmarks/sampler_speeds.py on the embedded model, held-out scenes with text, style and
depth at their default weights, the schedule normal. It writes the table.
"""

from collections.abc import Mapping

NEAR = 30.0  # dB to exact from which `balanced` is what it says
BETTER = 2.0  # dB by which `fast` must be nearer to exact than no guidance is
FEWEST, ENOUGH = 6, 25  # steps: the fewest that were measured, and from where more are no worse

Measured = Mapping[str, Mapping[int, tuple[float, float, float]]]

# fmt: off
MEASURED: Measured = {
    "euler": {6: (42.2, 28.4, 25.1), 10: (41.6, 29.7, 22.6), 25: (39.9, 33.2, 21.1)},
    "euler_cfg_pp": {6: (36.5, 22.2, 25.5), 10: (33.2, 12.4, 20.4)},
    "euler_ancestral": {6: (39.9, 26.0, 24.4), 10: (37.6, 25.8, 23.7)},
    "euler_ancestral_cfg_pp": {6: (37.1, 23.4, 23.2), 10: (33.8, 15.0, 23.1)},
    "heun": {6: (35.1, 26.9, 24.7), 10: (44.1, 33.3, 19.5)},
    "heunpp2": {6: (53.9, 35.1, 26.2), 10: (58.1, 34.5, 19.3)},
    "exp_heun_2_x0": {6: (34.1, 25.3, 24.9), 10: (44.9, 33.5, 19.4)},
    "exp_heun_2_x0_sde": {6: (30.7, 21.8, 23.9)},
    "dpm_2": {6: (42.2, 26.5, 19.3)},
    "dpm_2_ancestral": {6: (32.7, 17.0, 23.5)},
    "lms": {6: (32.1, 16.6, 16.6)},
    "dpm_fast": {6: (15.4, 16.1, 16.6)},
    "dpm_adaptive": {6: (38.0, 34.7, 19.0)},
    "dpmpp_2s_ancestral": {6: (31.7, 21.9, 24.6)},
    "dpmpp_2s_ancestral_cfg_pp": {6: (24.7, 10.0, 10.7)},
    "dpmpp_sde": {6: (29.4, 22.2, 24.7)},
    "dpmpp_2m": {6: (29.1, 10.4, 20.7), 10: (33.6, 19.9, 20.7)},
    "dpmpp_2m_cfg_pp": {6: (24.0, 6.2, 9.6)},
    "dpmpp_2m_sde": {6: (29.0, 11.6, 20.1)},
    "dpmpp_2m_sde_heun": {6: (24.1, 8.0, 15.4)},
    "dpmpp_3m_sde": {6: (16.1, 3.7, 7.4), 10: (17.9, 6.7, 12.2)},
    "ddpm": {6: (40.6, 24.0, 20.8)},
    "lcm": {6: (37.5, 23.9, 23.3)},
    "ipndm": {6: (32.1, 16.6, 16.6)},
    "ipndm_v": {6: (31.5, 15.6, 15.9)},
    "deis": {6: (32.1, 19.8, 18.7)},
    "res_multistep": {6: (25.1, 7.8, 17.4)},
    "res_multistep_cfg_pp": {6: (26.8, 8.3, 8.6)},
    "res_multistep_ancestral": {6: (26.0, 7.1, 12.1)},
    "res_multistep_ancestral_cfg_pp": {6: (35.9, 15.0, 12.0)},
    "gradient_estimation": {6: (34.7, 21.1, 22.6)},
    "gradient_estimation_cfg_pp": {6: (38.0, 15.3, 16.5)},
    "er_sde": {6: (37.6, 25.6, 24.1)},
    "seeds_2": {6: (32.5, 22.1, 24.9)},
    "seeds_3": {6: (30.8, 23.5, 21.6)},
    "sa_solver": {6: (33.1, 18.7, 22.1)},
    "sa_solver_pece": {6: (28.3, 15.4, 24.7)},
    "uni_pc": {6: (29.0, 14.4, 17.2), 25: (37.3, 33.0, 19.0)},
    "uni_pc_bh2": {6: (29.2, 15.9, 17.3), 25: (37.4, 33.0, 19.0)},
}
# fmt: on
"""By sampler and steps: dB to exact of balanced, of fast, and of no guidance at all."""


def speed_under(speed: str, sampler: str, steps: int) -> tuple[str, str]:
    """The speed to run, and a sentence where it is not the one asked for.

    sampler: as KSampler names it; empty, or not in the table: none that was measured.
    """
    safe = speed not in RULES or is_safe(speed, sampler, steps)
    if safe:
        return speed, ""
    where = f"under {sampler} at {steps} steps" if sampler in MEASURED else "under this sampler"
    why = "was not measured" if safe is None else "was measured to end too far from exact"
    return "exact", (
        f"the speed {speed} {why} {where}, so exact was run; choose exact to say so, or the "
        f"sampler euler at {FEWEST} steps or more"
    )


def is_safe(speed: str, sampler: str, steps: int, measured: Measured | None = None) -> bool | None:
    """None where it is not known. Between two numbers of steps that were measured, both must be
    safe; beyond ENOUGH, that one is."""
    table = (MEASURED if measured is None else measured).get(sampler, {})
    near = {max((c for c in table if c <= steps), default=None)}
    if steps < ENOUGH or not near & {ENOUGH}:
        near.add(min((c for c in table if c >= steps), default=None))
    found = [RULES[speed](*table[count]) for count in near if count is not None]
    if False in found:
        return False
    return None if None in near else True


RULES = {
    "balanced": lambda balanced, fast, none: balanced >= NEAR,
    "fast": lambda balanced, fast, none: fast >= none + BETTER,
}
