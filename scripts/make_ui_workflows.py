"""Turns example_workflows/api/*.json into graphs for the editor, by way of the editor itself.

Needs a ComfyUI (as the host tests do), chromium and playwright. It lays the nodes out in columns
along the flow, runs each graph, and keeps the result as the thumbnail.
"""

import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).absolute().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "nodes")]

from browser import frontend, load_workflow
from comfy_server import Server
from PIL import Image

EXAMPLES = ROOT / "example_workflows"
SCALE = 0.62  # smaller, and the editor leaves out all words
MARGIN = 110, 130  # the left one beside the menu

NOTES = {
    "01-four-inputs": """## Four inputs, four weights

The pictures on the left come with this pack, in its folder `example_workflows/assets`: copy them
into ComfyUI's `input` folder, or choose your own. Everything else is here; nothing is downloaded.

Press **Run**, then move one *weight* and run again: 0 ignores an input and costs nothing, 1 is what
the model does by itself, more pushes towards it. The text may use the small model's few dozen words
only; another word is named, with the nearest ones it knows.
""",
    "02-balance-and-report": """## Balance inputs over time, and see what each does

**Guidance Schedule** makes the style's push grow over the first half of sampling. Depth and pose
share the *group* `layout`, so that they are left out together and cost one row instead of two. The
*speed* `balanced` runs rows again only when they have changed.

The report shows each input's share of the push, what it told the picture, which rows were run, and
where inputs agree or contradict each other. Its input pictures are in `example_workflows/assets`.
""",
    "03-style-in-words": """## A style in words, without a picture

A **Diffusion Prior** turns words into what a style picture would have told, one for each of the
four pictures. **Mix Image Embeddings** goes from the one to the other: move *amount* from 0 to 0.5
or 1 and run again. The shipped prior knows two colours and one of gradient, stripes, checks, dots,
waves and rings.

With files of your own the same nodes drive unCLIP models, Stable Cascade, SDXL and IP-Adapters; the
help page of *Load Prior* says which prior fits which.
""",
}

LAY_OUT = """
text => {
  // Modalities under each other, what feeds them to their left, the sampler and the result right.
  const graph = window.app.graph, row = 345, column = 370;
  const isModality = n => n.outputs?.[0]?.type === 'MMC_MODALITY';
  const byId = [...graph.nodes].sort((a, b) => a.id - b.id);
  const put = (n, x, y, height) => {
    n.setSize([310, Math.max(height ?? 0, n.computeSize()[1])]);
    n.pos = [x, y];
  };
  const targets = n => (n.outputs ?? []).flatMap(o => o.links ?? [])
    .map(id => graph.getNodeById(graph.getLink(id).target_id));
  let top = 0;
  const place = new Map();
  for (const n of byId.filter(isModality)) {
    place.set(n, top);
    put(n, column, top);
    top += Math.max(row, n.size[1] + 60);
  }
  let right = 0;
  const fedBy = new Set(), free = new Map(), others = byId.filter(n => !isModality(n));
  for (let more = true; more;) {  // what feeds what feeds a modality, and so on to the left
    more = false;
    for (const n of others.filter(n => !place.has(n) && n.type !== 'MMC_LoadEmbedded')) {
      const fed = targets(n).find(t => place.has(t));
      if (!fed) continue;
      const direct = isModality(fed);
      const x = direct ? (fedBy.has(fed) ? -column : 0) : fed.pos[0] - column;
      const y = direct ? place.get(fed) : Math.max(place.get(fed), free.get(x) ?? 0);
      put(n, x, y, direct ? 270 : 0);
      fedBy.add(fed);
      place.set(n, y);
      free.set(x, y + n.size[1] + 60);
      more = true;
    }
  }
  for (const n of others) {
    if (n.type === 'MMC_LoadEmbedded') put(n, 0, 0);
    else if (place.has(n)) {}
    else if (n.type === 'EmptyLatentImage') put(n, 2 * column, 560);
    else if (n.type.includes('Sampler')) put(n, 2 * column, 0);
    else if (n.type === 'MMC_Report') { n.pos = [4 * column, 0]; n.setSize([640, 620]); }
    else {
      put(n, 3 * column, right, n.type === 'SaveImage' ? 400 : 0);
      right += n.size[1] + 50;
    }
    for (const w of n.widgets ?? []) if (w.name === 'control after generate'
      || w.name === 'control_after_generate') w.value = 'fixed';
  }
  const note = window.LiteGraph.createNode('MarkdownNote');
  graph.add(note);
  note.title = 'Read me';
  note.widgets[0].value = text;
  note.pos = [2 * column, 740];
  note.setSize([680, 260]);
  return graph.serialize();
}
"""


def main():
    server = Server(Path(tempfile.mkdtemp()))
    try:
        for asset in (EXAMPLES / "assets").iterdir():
            server.put_input(asset)
        with frontend(server) as (page, errors):
            for path in sorted((EXAMPLES / "api").glob("*.json")):
                api = json.loads(path.read_text())
                page.evaluate("a => window.app.loadApiJson(a, 'example')", api)
                page.wait_for_timeout(2500)
                workflow = page.evaluate(LAY_OUT, NOTES[path.stem])
                left = min(node["pos"][0] for node in workflow["nodes"])
                view = {"scale": SCALE, "offset": [MARGIN[0] - left, MARGIN[1]]}
                workflow["extra"] = {"ds": view}
                (EXAMPLES / path.name).write_text(json.dumps(workflow, indent=1) + "\n")
                load_workflow(page, workflow)
                page.screenshot(path=str(Path(tempfile.gettempdir()) / f"{path.stem}.png"))
                picture = server.images(api)[0]
                picture.resize((512, 512), Image.Resampling.LANCZOS).save(
                    EXAMPLES / f"{path.stem}.jpg", quality=90
                )
                print(path.stem, len(workflow["nodes"]), "nodes;", len(errors), "console errors")
            print(*errors, sep="\n")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
