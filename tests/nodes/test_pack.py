"""The pack as the host sees it: it loads, its schemas are complete, and they do not change."""

import json
import re
import subprocess
import urllib.request

import pytest
from find_comfyui import PACK, comfyui, interpreter
from schemas import contract, inputs_of

from mm_core.embedded.scenes.attributes import NOTE_NAMES, SEGMENT_RGB, SEGMENTS
from mm_core.embedded.scenes.sounds import note_range
from mm_core.embedded.vocabulary import WORDS

pytestmark = pytest.mark.host

NODES = {
    "MMC_LoadEmbedded", "MMC_Text", "MMC_StyleImage", "MMC_Depth", "MMC_Pose", "MMC_Segmentation",
    "MMC_Audio", "MMC_Condition", "MMC_Schedule", "MMC_Preset", "MMC_Guider", "MMC_KSampler",
    "MMC_Report", "MMC_LoadIPAdapter", "MMC_ApplyImagePrompt", "MMC_LoadEncoder",
    "MMC_LoadFusion", "MMC_EncodeText", "MMC_EncodeImage", "MMC_EncodeDepth", "MMC_EncodePose",
    "MMC_EncodeSegmentation", "MMC_EncodeAudio", "MMC_EncodeVideo", "MMC_Fuse",
    "MMC_LoadPrior", "MMC_Prior",
    "MMC_MixEmbeddings", "MMC_Variations", "MMC_ExampleInputs",
}  # fmt: skip
PAGES = PACK / "web" / "docs"
GOLDEN = PACK / "tests" / "golden" / "schemas.json"
IMPORT_SECONDS = 0.5


def test_the_host_loads_the_pack_without_a_word_of_complaint(comfy, pack_schemas):
    log = comfy.log.read_text(errors="replace").split("Starting server")[0]
    assert "IMPORT FAILED" not in log
    assert "Traceback" not in log
    assert pack_schemas.keys() == NODES


@pytest.fixture(scope="module")
def imported():
    """What a fresh host says about importing the pack."""
    host = comfyui()
    script = PACK / "tests" / "nodes" / "import_pack.py"
    done = subprocess.run(
        [interpreter(host), script, PACK], cwd=host, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_import_is_quick(imported):
    assert imported["seconds"] < IMPORT_SECONDS


def test_the_import_loads_no_transformers(imported):
    loaded = imported["modules"]
    assert any(name.endswith(".nodes.guide") for name in loaded), "the pack itself is not seen"
    assert [name for name in loaded if name.split(".")[0] == "transformers"] == []


def test_every_node_says_what_it_is_for(pack_schemas):
    assert [name for name, node in pack_schemas.items() if not node["description"]] == []


def test_every_input_has_a_tooltip(pack_schemas):
    silent = [f"{name}.{id_}" for name, id_, options in _explained(pack_schemas)
              if not options.get("tooltip")]  # fmt: skip
    assert silent == []


def test_every_number_states_its_range_in_words_too(pack_schemas):
    numbers = [
        (f"{name}.{id_}", options)
        for name, node in pack_schemas.items()
        for id_, type_, options, _ in inputs_of(node)
        if type_ in ("INT", "FLOAT")
    ]
    assert len(numbers) > 20
    for name, options in numbers:
        said = options["tooltip"]
        assert {options["min"], options["max"]} <= numbers_in(said), f"{name}: {said}"


def test_help_pages_and_nodes_match_one_to_one(pack_schemas):
    assert {page.stem for page in PAGES.glob("*.md")} == pack_schemas.keys()


def test_a_help_page_explains_every_input_with_its_range_and_default(pack_schemas):
    for name, node in pack_schemas.items():
        page = (PAGES / f"{name}.md").read_text()
        for id_, _, options, _ in inputs_of(node):
            shown = options.get("display_name", id_)
            row = re.search(rf"^\| `{shown}` \| (.+) \| (.+) \| .+ \|$", page, re.MULTILINE)
            assert row, f"{name}.md does not explain {shown}"
            range_, default = row.groups()
            if "max" in options:
                assert {options["min"], options["max"]} <= numbers_in(range_), f"{name}: {row[0]}"
                assert numbers_in(default) == {options["default"]}, f"{name}: {row[0]}"


def test_help_pages_give_the_embedded_models_words_and_palette():
    words = set(re.findall(r"[a-z]+", (PAGES / "MMC_Text.md").read_text()))
    assert {word for word in WORDS if not word.startswith("<")} <= words
    palette = (PAGES / "MMC_Segmentation.md").read_text()
    for name, rgb in zip(SEGMENTS, SEGMENT_RGB.tolist(), strict=True):
        assert f"| `#{bytes(rgb).hex()}` | {name} |" in palette


def test_the_help_page_of_audio_gives_the_bands_of_the_notes():
    page = (PAGES / "MMC_Audio.md").read_text()
    for note, name in enumerate(NOTE_NAMES):
        low, high = note_range(note)
        assert f"| {low:.0f} to {high:.0f} Hz | {name} |" in page


@pytest.mark.parametrize("name", sorted(NODES))
def test_the_host_serves_the_help_page(comfy, name):
    url = comfy.url(f"/extensions/{PACK.name}/docs/{name}.md")
    with urllib.request.urlopen(url, timeout=60) as answer:
        assert answer.read() == (PAGES / f"{name}.md").read_bytes()


def test_no_script_is_loaded_into_the_browser():
    assert list((PACK / "web").rglob("*.js")) == []


def test_schemas_are_those_that_saved_workflows_rely_on(pack_schemas):
    golden = json.loads(GOLDEN.read_text())
    assert pack_schemas.keys() == golden.keys()
    for name, node in pack_schemas.items():
        assert contract(node) == golden[name], f"{name}; see tests/golden/make_golden.py"


def numbers_in(text):
    """All numbers, 2^64 - 1 among them."""
    plain = text.replace("2^64 - 1", str(2**64 - 1))
    return {float(n) if "." in n else int(n) for n in re.findall(r"-?\d+(?:\.\d+)?", plain)}


def _explained(nodes):
    """(node, input, options) of every input, and of the sockets inside a growing one."""
    for name, node in nodes.items():
        for id_, _, options, _ in inputs_of(node):
            if "template" not in options:
                yield name, id_, options
                continue
            for part in options["template"]["input"].values():
                for inner, (_, inner_options) in part.items():
                    yield name, f"{id_}.{inner}", inner_options
