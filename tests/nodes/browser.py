"""ComfyUI's real frontend in chromium, driven by playwright."""

import shutil
from contextlib import contextmanager

from playwright.sync_api import sync_playwright

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@contextmanager
def frontend(server, width=1800, height=1000):
    """(page, console errors): the frontend, loaded and without its template dialog."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=FLAGS)
        page = browser.new_page(viewport={"width": width, "height": height})
        errors = []
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: errors.append(str(e)))
        page.goto(server.url("/"))
        page.wait_for_function("window.app?.canvas", timeout=120_000)
        page.wait_for_timeout(1500)
        page.keyboard.press("Escape")
        yield page, errors
        browser.close()


def load_workflow(page, workflow):
    """Opens UI-format JSON and waits until it is there."""
    page.evaluate("w => window.app.loadGraphData(w)", workflow)
    page.wait_for_function(
        "n => window.app.graph.nodes.length === n", arg=len(workflow["nodes"]), timeout=30_000
    )
    page.wait_for_timeout(800)
