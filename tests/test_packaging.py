"""What the registry publishes: .comfyignore has the form of .gitignore, and leaves out no more
than it says."""

from pathlib import Path

import pytest

from mm_core.encoders.examples import PICTURES, SCENES

PACK = Path(__file__).absolute().parents[1]
PATTERNS = (PACK / ".comfyignore").read_text().split()


def left_out(path):
    """Whether a pattern takes path away: without a slash at its start, in any folder."""
    parts = path.split("/")
    for pattern in PATTERNS:
        name = pattern.strip("/")
        places = parts[:1] if pattern.startswith("/") else parts
        if name in places:
            return True
    return False


def needed():
    yield from ("__init__.py", "pyproject.toml", "LICENSE", "README.md")
    yield from ("nodes/guide.py", "nodes/host/guider.py", "mm_core/types.py")
    yield "mm_core/embedded/weights/embedded.safetensors"
    for folder in ("web/docs", "example_workflows", "example_workflows/assets"):
        yield from (str(p.relative_to(PACK)) for p in (PACK / folder).iterdir() if p.is_file())


def test_patterns_are_plain_names():
    assert [p for p in PATTERNS if set(p) & set("*?![]")] == []


@pytest.mark.parametrize("path", list(needed()))
def test_what_a_user_needs_is_published(path):
    assert (PACK / path).is_file()
    assert not left_out(path)


@pytest.mark.parametrize("path", ["tests/conftest.py", "docs/flow.md", "scripts/check", "Makefile"])
def test_what_only_developers_need_is_not(path):
    assert left_out(path)


def test_every_scene_has_all_its_files():
    ends = [f"{name}.png" for name in PICTURES] + ["sound.wav", "pose.json"]
    wanted = {f"{scene.prefix}_{end}" for scene in SCENES.values() for end in ends}
    assert {p.name for p in (PACK / "example_workflows" / "assets").iterdir()} == wanted
