"""Turns example_workflows/api/*.json into graphs for the editor, by way of the editor itself.

Needs a ComfyUI (as the host tests do), chromium and playwright. It lays the nodes out in columns
along the flow, runs each graph, and keeps the result as the thumbnail.
"""

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).absolute().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "nodes")]

from browser import frontend
from comfy_server import Server
from PIL import Image

EXAMPLES = ROOT / "example_workflows"
NOTE = "note"
TITLE, GAP, BETWEEN = 30, 45, 40  # a node's title bar; from node to node; from column to column
GROUP_TITLE, PADDING, FOOTER = 40, 15, 30  # Nodes 2.0 may hang a footer under a node
PREVIEW = 230  # what a picture on a node adds to it

# The largest that any supported frontend, Nodes 2.0 on or off, makes a node with what it shows.
HEIGHTS = {
    NOTE: 270,
    "MMC_LoadEmbedded": 170,
    "MMC_ExampleInputs": 255 + PREVIEW,
    "MMC_LoadPrior": 140 + 230,
    "MMC_Text": 325,
    "MMC_StyleImage": 575,
    "MMC_Depth": 300,
    "MMC_Pose": 320,
    "MMC_Schedule": 330,
    "MMC_Prior": 425 + 90,
    "MMC_MixEmbeddings": 430 + 90,
    "EmptyLatentImage": 150,
    "MMC_KSampler": 570 + PREVIEW,
    "VAEDecode": 75,
    "ImageScaleBy": 110,
    "SaveImage": 90 + 330,
    "MMC_Report": 110 + PREVIEW,
}
# Room below for the picture: given at once, a text box of frontend 1.58 would take it for good.
BELOW = {"MMC_Schedule": PREVIEW}
GROW = ("MMC_ExampleInputs", "MMC_Report")  # they take what their column leaves


@dataclass(frozen=True)
class Column:
    """Node ids from top to bottom, and the group that they share with columns of that title."""

    title: str
    width: int
    ids: tuple[str, ...]


START, WEIGHED = "Start here", "Inputs, each with a weight"
LAYOUTS = {
    "01-four-inputs": [
        Column(START, 300, (NOTE, "1", "2")),
        Column(WEIGHED, 270, ("3", "4")),
        Column(WEIGHED, 270, ("5", "6")),
        Column("Sampling", 280, ("10", "11")),
        Column("Result", 360, ("12", "13", "14")),
    ],
    "02-balance-and-report": [
        Column(START, 300, (NOTE, "1", "2")),
        Column(WEIGHED, 270, ("3", "7")),
        Column(WEIGHED, 270, ("4", "5")),
        Column(WEIGHED, 270, ("6", "10")),
        Column("Sampling", 280, ("11", "12", "13")),
        Column("Result", 460, ("14", "15")),
    ],
    "03-style-in-words": [
        Column(START, 290, (NOTE, "1", "2")),
        Column("A style in words", 300, ("3", "4")),
        Column("A style in words", 280, ("5",)),
        Column(WEIGHED, 270, ("6", "7")),
        Column("Sampling", 280, ("10", "11")),
        Column("Result", 360, ("12", "13", "14")),
    ],
}

# Headings only: the body text of a note is 10 pixels, and a template opens at two thirds.
NOTES = {
    "01-four-inputs": """# Press Run. Then change a weight and run again.

### 0 ignores an input, 1 is what the model does by itself, more pushes towards it.
""",
    "02-balance-and-report": """# Press Run. Then change a weight and compare reports.

### The style's push grows over sampling. Depth and pose are one group, *layout*.
""",
    "03-style-in-words": """# Press Run. Then set *amount* to 1 and run again.

### Words take the place of a style picture: two colours and one of gradient, stripes, checks, \
dots, waves and rings.
""",
}

APPLY = """
([places, groups, text]) => {
  const graph = window.app.graph;
  const note = window.LiteGraph.createNode('MarkdownNote');
  graph.add(note);
  note.title = 'Read me';
  note.widgets[0].value = text;
  Object.assign(note, window.LGraphCanvas.node_colors.black);
  for (const [id, [x, y, width, height]] of Object.entries(places)) {
    const node = id === 'note' ? note : graph.getNodeById(Number(id));
    node.pos = [x, y];
    node.setSize([width, height]);
    for (const widget of node.widgets ?? [])
      if (widget.name.replaceAll('_', ' ') === 'control after generate') widget.value = 'fixed';
  }
  for (const [title, bounds] of groups) {
    const group = new window.LiteGraph.LGraphGroup(title);
    group.pos = bounds.slice(0, 2);
    group.size = bounds.slice(2);
    graph.add(group);
  }
  return graph.serialize();
}
"""


def lay_out(columns, kinds):
    """({node: [x, y, width, height]}, [(title, [x, y, width, height])]) of columns of node ids."""

    def needed(column):
        nodes = sum(TITLE + HEIGHTS[kinds[i]] + BELOW.get(kinds[i], 0) for i in column.ids)
        return nodes + GAP * (len(column.ids) - 1)

    full = max(map(needed, columns))
    places, groups, x = {}, {}, 0
    for column in columns:
        spare = full - needed(column)
        growing = [i for i in column.ids if kinds[i] in GROW]
        y = 0
        for i in column.ids:
            height = HEIGHTS[kinds[i]]
            height += spare // len(growing) if i in growing else 0
            places[i] = [x, y + TITLE, column.width, height]
            y += TITLE + height + BELOW.get(kinds[i], 0) + GAP
        left = groups.get(column.title, [x - PADDING])[0]
        right = x + column.width + PADDING
        top = -GROUP_TITLE - PADDING
        groups[column.title] = [left, top, right - left, full - top + FOOTER]
        x += column.width + BETWEEN
    return places, list(groups.items())


def thumbnail(pictures):
    """The pictures of a run, in rows of two where there are several, 512 pixels wide."""
    across = 1 if len(pictures) == 1 else 2
    side = 512 // across
    sheet = Image.new("RGB", (512, side * -(-len(pictures) // across)))
    for i, picture in enumerate(pictures):
        large = picture.resize((side, side), Image.Resampling.LANCZOS)
        sheet.paste(large, (i % across * side, i // across * side))
    return sheet


def in_the_editor(server, name, api):
    """The graph as the editor saves it. In an editor of its own: one that held another graph
    before gives its values to nodes of the same id."""
    kinds = {NOTE: NOTE} | {i: n["class_type"] for i, n in api.items()}
    places, groups = lay_out(LAYOUTS[name], kinds)
    with frontend(server) as (page, _):
        page.evaluate("a => window.app.loadApiJson(a, 'example')", api)
        page.wait_for_timeout(2500)
        return page.evaluate(APPLY, [places, groups, NOTES[name]]) | {"extra": {}}


def main():
    server = Server(Path(tempfile.mkdtemp()))
    try:
        for path in sorted((EXAMPLES / "api").glob("*.json")):
            api = json.loads(path.read_text())
            workflow = in_the_editor(server, path.stem, api)
            (EXAMPLES / path.name).write_text(json.dumps(workflow, indent=1) + "\n")
            thumbnail(server.images(api)).save(EXAMPLES / f"{path.stem}.jpg", quality=90)
            print(path.stem, len(workflow["nodes"]), "nodes")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
