"""Walls that an import graph cannot see, and tests that each of them bites."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).absolute().parents[1]
CORE = sorted((ROOT / "mm_core").rglob("*.py"))
NODES = sorted((ROOT / "nodes").rglob("*.py"))
HOST = {"comfy", "comfy_extras", "folder_paths", "server", "nodes", "execution"}
UNPICKLER = ROOT / "mm_core" / "cli" / "unpickle.py"  # run alone, by mmc convert
ALLOWED = {"torch", "safetensors", "numpy", "PIL", "jaxtyping"}  # the last in development only


def names(path):
    return path.relative_to(ROOT).as_posix()


def imported(tree):
    """Top-level names of absolute imports, wherever in the file they stand."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split(".")[0]


def strange_imports(source):
    """What a file of mm_core imports beyond the standard library and what comes with the host."""
    return set(imported(ast.parse(source))) - ALLOWED - set(sys.stdlib_module_names)


def foreign_models(source):
    """Where a file imports transformers: the function, or "" where the file itself does."""
    found = set()

    def visit(node, inside):
        if isinstance(node, ast.Import | ast.ImportFrom) and "transformers" in imported(node):
            found.add(inside)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            found.update({inside} if "transformers" in ast.unparse(node).split("'")[1:2] else ())
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inside = node.name
        for child in ast.iter_child_nodes(node):
            visit(child, inside)

    visit(ast.parse(source), "")
    return found


def host_imports(source):
    """What a file of nodes/ imports of the host itself."""
    return set(imported(ast.parse(source))) & (HOST - {"nodes"})


def pickled(source):
    """Calls that read or write pickles."""
    calls = [n.func for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call)]
    spelled = {ast.unparse(f) for f in calls}
    return spelled & {"torch.load", "torch.save", "pickle.load", "pickle.loads", "pickle.dump"}


def unrestricted(source):
    """How many calls of torch.load do not say weights_only=True."""
    calls = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call)]
    loads = [c for c in calls if ast.unparse(c.func) == "torch.load"]
    safe = [c for c in loads if "weights_only=True" in [ast.unparse(k) for k in c.keywords]]
    return len(loads) - len(safe)


def loaded_by(statement):
    """The modules that are loaded after a statement in a fresh interpreter."""
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("path", CORE, ids=names)
def test_the_core_imports_only_what_comes_with_the_host(path):
    encoders = path.is_relative_to(ROOT / "mm_core" / "encoders")
    assert strange_imports(path.read_text()) <= ({"transformers"} if encoders else set())


@pytest.mark.parametrize("path", CORE, ids=names)
def test_foreign_models_are_run_in_encoders_only_and_not_before_they_are_asked_for(path):
    found = foreign_models(path.read_text())
    assert "" not in found
    assert not found or path.is_relative_to(ROOT / "mm_core" / "encoders")


def test_encoders_can_be_listed_without_what_runs_them():
    loaded = loaded_by("import mm_core.encoders.families, mm_core.cli.main")
    assert "mm_core.encoders.families" in loaded
    assert not [name for name in loaded if name.startswith(("transformers", "tokenizers"))]


@pytest.mark.parametrize("path", CORE, ids=names)
def test_the_core_neither_reads_nor_writes_pickles(path):
    assert pickled(path.read_text()) == ({"torch.load"} if path == UNPICKLER else set())


def test_the_one_file_that_reads_pickles_makes_tensors_alone_and_imports_nothing_of_ours():
    source = UNPICKLER.read_text()
    assert unrestricted(source) == 0
    assert not [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.ImportFrom) and n.level]


@pytest.mark.parametrize("path", [p for p in CORE if p.read_text().strip()], ids=names)
def test_every_file_of_the_core_says_what_it_is(path):
    assert ast.get_docstring(ast.parse(path.read_text()))


@pytest.mark.parametrize("path", NODES, ids=names)
def test_the_host_is_imported_in_one_folder(path):
    inside = ROOT / "nodes" / "host"
    assert host_imports(path.read_text()) == set() or path.is_relative_to(inside)


def test_the_core_can_be_used_without_command_line_training_or_evaluation():
    loaded = loaded_by("import mm_core.embedded.generate, mm_core.embedded.weights")
    assert "mm_core.embedded.denoiser" in loaded
    above = ("mm_core.cli", "mm_core.training", "mm_core.evaluation", "transformers")
    assert not [name for name in loaded if name.startswith(above)]


def test_guidance_is_usable_without_any_model():
    loaded = loaded_by("import mm_core.guidance.algebra, mm_core.guidance.report")
    assert not [n for n in loaded if n.startswith(("mm_core.embedded", "mm_core.encoders", "PIL"))]


def test_the_core_runs_without_its_development_tools():
    loaded = loaded_by(
        "import sys\nsys.modules['jaxtyping'] = None\nimport mm_core.embedded.generate"
    )
    assert "mm_core.embedded.generate" in loaded
    assert "beartype" not in loaded


def test_every_file_of_the_core_has_its_tests():
    tests = ROOT / "tests" / "core"
    covered_elsewhere = {
        "__main__.py": "cli/test_main.py",
        "embedded/defaults.py": "embedded/test_model.py",
        "training/embedded/export.py": "training/embedded/test_recipe.py",
    }
    missing = []
    for path in CORE:
        name = path.relative_to(ROOT / "mm_core")
        mirror = covered_elsewhere.get(name.as_posix(), name.with_name(f"test_{name.name}"))
        if path.name != "__init__.py" and not (tests / mirror).is_file():
            missing.append(name.as_posix())
    assert missing == []


def test_every_test_file_mirrors_a_file_of_the_core():
    tests = ROOT / "tests" / "core"
    strays = []
    for path in tests.rglob("test_*.py"):
        name = path.relative_to(tests)
        if not (ROOT / "mm_core" / name.with_name(name.name.removeprefix("test_"))).is_file():
            strays.append(name.as_posix())
    assert strays == []


@pytest.mark.parametrize(
    ("find", "source", "found"),
    [
        (strange_imports, "import scipy.stats", {"scipy"}),
        (strange_imports, "def f():\n    from comfy.samplers import x", {"comfy"}),
        (strange_imports, "from .types import x\nimport torch, os", set()),
        (foreign_models, "import transformers", {""}),
        (foreign_models, "from transformers.models import x", {""}),
        (foreign_models, "import importlib\nimportlib.import_module('transformers')", {""}),
        (foreign_models, "def f():\n    import transformers", {"f"}),
        (foreign_models, "def f():\n    return import_module('transformers')", {"f"}),
        (foreign_models, "import torch\nimport_module(name)\nsaid = 'transformers'", set()),
        (host_imports, "import comfy.samplers", {"comfy"}),
        (host_imports, "from comfy_api.latest import io\nfrom .nodes import x", set()),
        (pickled, "torch.load(path)", {"torch.load"}),
        (pickled, "self.load(path)", set()),
        (unrestricted, "torch.load(path)", 1),
        (unrestricted, "torch.load(path, weights_only=False)", 1),
        (unrestricted, "torch.load(path, weights_only=True)", 0),
    ],
)
def test_the_finders_find(find, source, found):
    assert find(source) == found


def test_the_list_of_loaded_modules_shows_what_was_loaded():
    assert "colorsys" in loaded_by("import colorsys")
    assert "colorsys" not in loaded_by("pass")
