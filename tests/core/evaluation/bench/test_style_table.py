"""A line for each point, and no lead where there is none."""

from mm_core.evaluation.bench.style_table import style

POINT = {
    "curve": "one CFG, CFG 3", "weight": 0.5, "rows": 2.0, "text": 91.25, "frechet": 93.4,
    "text_interval": (89.0, 93.06), "style": 87.5, "style_interval": (79.0, 95.0),
    "style_palette_mae": 0.0412, "palette_interval": (0.038, 0.045),
}  # fmt: skip
OURS = {**POINT, "curve": "leave_one_out, text 3", "weight": 2.5, "rows": 3.0,
        "lead_same": (1.04, (-3.0, 5.25)), "lead_best": (-4.2, (-9.0, -1.0))}  # fmt: skip
FOUND = {"scenes": 96, "groups": 24, "steps": 16, "oracle_sha256": "47f7a3c288ad99",
         "points": [OURS, POINT]}  # fmt: skip


def test_figures_and_leads_stand_with_their_intervals():
    lines = style(FOUND).splitlines()
    shared = "91.2 (89.0 to 93.1) | 87.5 (79.0 to 95.0) | 0.041 (0.038 to 0.045)"
    leads = "+1.0 (-3.0 to +5.2) | -4.2 (-9.0 to -1.0)"
    assert lines[-2] == f"| leave_one_out, text 3 | 2.5 | {shared} | 3 | 93 | {leads} |"
    assert lines[-1] == f"| one CFG, CFG 3 | 0.5 | {shared} | 2 | 93 |  |  |"
    assert "96 held-out scenes in 24 groups" in lines[0]
    assert "`47f7a3c288ad`" in lines[0]


def test_a_way_without_a_partner_has_one_lead_only():
    alone = style({**FOUND, "points": [{**OURS, "lead_same": None}]})
    assert alone.splitlines()[-1].endswith("| 93 |  | -4.2 (-9.0 to -1.0) |")
