"""The way to a help page that the README names: select a node, press the i in the bar above it."""

import pytest

pytestmark = pytest.mark.browser

SELECT = """
type => {
  const node = window.LiteGraph.createNode(type);
  window.app.graph.add(node);
  node.pos = [300, 300];
  window.app.canvas.selectNode(node);
  window.app.canvas.setDirty(true, true);
}
"""


@pytest.mark.parametrize("nodes_2", [False, True], ids=["classic", "vue"])
def test_the_info_button_of_a_node_opens_its_help_page(comfy, nodes_2):
    from browser import frontend

    with frontend(comfy, nodes_2=nodes_2) as (page, _):
        page.evaluate(SELECT, "MMC_ExampleInputs")
        page.get_by_test_id("info-button").click()
        page.get_by_text("there is nothing to copy and nothing to download").wait_for()
