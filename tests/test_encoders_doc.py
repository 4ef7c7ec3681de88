"""The page of encoders says what the table of families says."""

import importlib.util
from pathlib import Path

from mm_core.encoders.families import FAMILIES

ROOT = Path(__file__).absolute().parents[1]


def maker():
    path = ROOT / "scripts" / "make_encoders_doc.py"
    spec = importlib.util.spec_from_file_location("make_encoders_doc", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_encoders_is_up_to_date():
    said = (ROOT / "docs" / "encoders.md").read_text(encoding="utf-8")
    assert said == maker().document(), "run python scripts/make_encoders_doc.py"


def test_every_family_has_its_line():
    said = maker().document()
    assert all(f"| {family.name} | " in said for family in FAMILIES)
