"""ComfyUI's real frontend in chromium, driven by playwright."""

import itertools
import shutil
from contextlib import contextmanager

from playwright.sync_api import sync_playwright

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
NODES_2 = "Comfy.VueNodes.Enabled"
TIMEOUT = 120_000  # ms; a busy machine draws a frame in seconds
SETTLE = 1200  # ms without a change of any node's place or size

# What is seen of a node: in Nodes 2.0 its element, which may be larger than the graph says.
RECTANGLES = """
() => {
  const canvas = window.app.canvas, {scale, offset} = canvas.ds;
  const page = canvas.canvas.getBoundingClientRect();
  return Object.fromEntries(window.app.graph.nodes.map(node => {
    const element = document.querySelector(`[data-node-id="${node.id}"]`);
    if (element) {
      const r = element.getBoundingClientRect();
      return [node.title, [r.x, r.y, r.width, r.height]];
    }
    const [x, y, width, height] = node.boundingRect;
    const left = page.x + (x + offset[0]) * scale, top = page.y + (y + offset[1]) * scale;
    return [node.title, [left, top, width * scale, height * scale]];
  }));
}
"""
# Nodes that are unknown, marked as wrong, or hold an input that is.
WRONG = """
() => window.app.graph.nodes
  .filter(n => n.has_errors || n.inputs?.some(i => i.hasErrors)
    || !(n.type in window.LiteGraph.registered_node_types))
  .map(n => n.title)
"""

# How many pictures a node shows.
PICTURES = """
title => {
  const node = window.app.graph.nodes.find(n => n.title === title);
  const element = document.querySelector(`[data-node-id="${node.id}"]`);
  const shown = element ? [...element.querySelectorAll('img')] : node.imgs ?? [];
  return shown.filter(i => i.naturalWidth > 0).length;
}
"""
# Whether all of a note's words are in its box.
FITS = """
() => [...document.querySelectorAll('.comfy-markdown .tiptap, .comfy-markdown-content')]
  .every(e => e.clientHeight > 0 && e.scrollHeight <= e.clientHeight + 1)
"""


@contextmanager
def frontend(server, width=1800, height=1000, nodes_2=False):
    """(page, console errors): the frontend, loaded and without its template dialog."""
    server.post(f"/settings/{NODES_2}", nodes_2)
    server.post("/settings/Comfy.TutorialCompleted", True)  # or its dialog comes some time later
    server.post("/settings/Comfy.RightSidePanel.IsOpen", False)
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=FLAGS)
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(TIMEOUT)
        errors = []
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: errors.append(str(e)))
        page.goto(server.url("/"))
        page.wait_for_function("window.app?.canvas")
        page.wait_for_timeout(1500)
        page.keyboard.press("Escape")
        yield page, errors
        browser.close()


def load_workflow(page, workflow):
    """Opens UI-format JSON and waits until it is there."""
    page.evaluate("w => window.app.loadGraphData(w)", workflow)
    _wait_for_nodes(page, len(workflow["nodes"]))
    page.wait_for_timeout(800)


def open_template(page, pack, name, nodes):
    """Chooses a template of a pack in the Templates browser, as a user does."""
    page.click(".templates-tab-button")
    page.get_by_role("dialog").get_by_text(pack, exact=True).click()
    page.get_by_test_id(f"template-workflow-{name}").click()
    page.mouse.move(0, 0)  # or a tooltip covers what lies under it
    _wait_for_nodes(page, nodes)
    settle(page)


def press_run(page):
    """(the prompt that the Run button sends, the server's answer)."""
    with page.expect_response("**/prompt") as answer:
        page.get_by_test_id("queue-button").click()
    return answer.value.request.post_data_json["prompt"], answer.value.json()


def settle(page, tries=30):
    """Waits until nodes have the size of what they show."""
    seen = None
    for _ in range(tries):
        page.wait_for_timeout(SETTLE)
        if seen == (seen := rectangles(page)):
            return


def rectangles(page):
    """{node title: (left, top, width, height)} in pixels of the page."""
    return page.evaluate(RECTANGLES)


def overlapping(rectangles):
    """The pairs of nodes that cover a part of each other; a pixel is rounding."""
    pairs = itertools.combinations(rectangles.items(), 2)
    return [(a, b) for (a, one), (b, other) in pairs if _meet(one, other)]


def _meet(one, other):
    return all(
        one[i] + one[i + 2] > other[i] + 1 and other[i] + other[i + 2] > one[i] + 1 for i in (0, 1)
    )


def _wait_for_nodes(page, count):
    page.wait_for_function("n => window.app.graph.nodes.length === n", arg=count)
