"""The figures of `mmc evaluate` as one HTML page: tables, and a plot for each swept weight."""

from html import escape
from typing import Any

from .measures import BETTER, MEASURES

STYLE = (
    "body{font:14px system-ui;margin:2em auto;max-width:80em;color:#222}"
    "table{border-collapse:collapse}td,th{padding:.2em .6em;text-align:right;"
    "border-bottom:1px solid #ddd}td:first-child,th:first-child{text-align:left}"
    "small{color:#777}figure{display:inline-block;margin:1em 2em 1em 0}"
)
OWN = {
    "text": "text_color",
    "style": "style_family",
    "depth": "depth_r",
    "pose": "pose_pck05",
    "segmentation": "segmentation_miou",
    "audio": "audio",
}
"""The measure that each modality is about."""


def html(result: dict[str, Any]) -> str:
    """A page that needs nothing else: no script, no style sheet, no picture file."""
    sections = dict.fromkeys(run["section"] for run in result["runs"])
    parts = [
        "<!doctype html><meta charset=utf-8><title>Adherence</title>",
        f"<style>{STYLE}</style><h1>Adherence of the embedded model</h1>",
        f"<p>{result['scenes']} held-out scenes, {result['steps']} steps of "
        f"{escape(result['sampler'])}. After each value, half of its 95 % interval. "
        f"Oracle <code>{result['oracle_sha256'][:12]}</code>.</p>",
    ]
    for section in sections:
        runs = [run for run in result["runs"] if run["section"] == section]
        parts += [f"<h2>{escape(section)}</h2>", _table(result, runs)]
        if section == "sweep":
            parts += [_plot(name, runs) for name in OWN]
    return "\n".join(parts) + "\n"


def _table(result: dict[str, Any], runs: list[dict[str, Any]]) -> str:
    head = "".join(f"<th>{m}{' &darr;' if BETTER[m] == 'lower' else ''}</th>" for m in MEASURES)
    rows = [f"<tr><th>run</th>{head}<th>rows</th><th>Frechet</th></tr>"]
    for label in ("ceiling", "chance"):
        cells = "".join(_cell(result[label][m]) for m in MEASURES)
        rows.append(f"<tr><td><i>{label}</i></td>{cells}<td></td><td></td></tr>")
    for run in runs:
        cells = "".join(_cell(run["measures"][m]) for m in MEASURES)
        rows.append(
            f"<tr><td>{escape(run['name'])}</td>{cells}"
            f"<td>{run['rows_per_evaluation']:g}</td><td>{run['frechet']:g}</td></tr>"
        )
    return "<table>" + "".join(rows) + "</table>"


def _cell(m: dict[str, Any]) -> str:
    if m["value"] is None:
        return "<td>-</td>"
    spread = f" <small>&plusmn;{m['interval']:.3f}</small>" if m["interval"] is not None else ""
    return f"<td>{m['value']:.3f}{spread}</td>"


def _plot(name: str, runs: list[dict[str, Any]]) -> str:
    """The modality's own measure against its weight, 0..1 upwards, as inline SVG."""
    found = [
        (run["weights"].get(name, 0.0), run["measures"][OWN[name]]["value"])
        for run in runs
        if run["name"].startswith(f"{name} ")
    ]
    points = [(w, v) for w, v in found if v is not None]
    if not points:
        return ""
    top = max(w for w, _ in points) or 1.0
    xy = [(40 + 240 * w / top, 150 - 130 * v) for w, v in points]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in xy)
    marks = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/><text x="{x:.1f}" y="{y - 7:.1f}" '
        f'font-size="10" text-anchor="middle">{v:.2f}</text>'
        f'<text x="{x:.1f}" y="165" font-size="10" text-anchor="middle">{w:g}</text>'
        for (x, y), (w, v) in zip(xy, points, strict=True)
    )
    return (
        f'<figure><svg width="300" height="180"><path d="M40 20V150H285" fill="none" '
        f'stroke="#999"/><polyline points="{line}" fill="none" stroke="#36c"/>{marks}</svg>'
        f"<figcaption>{escape(OWN[name])} against the weight of {escape(name)}</figcaption>"
        "</figure>"
    )
