"""Report: what a run did, as a picture and as JSON."""

import json

from comfy_api.latest import io, ui

from ..mm_core.guidance.chart.report import draw_report
from .host.make import GuiderReport
from .pictures import as_image
from .sockets import Report


class ShowReport(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_Report",
            display_name="Multimodal Report",
            category="multimodal/guide",
            description="How much each input pushed and told, which rows were run, and how far the "
            "inputs agree, drawn on the node and as JSON.",
            search_aliases=["guidance chart", "push share", "statistics", "plot"],
            inputs=[
                Report.Input(
                    "report",
                    tooltip="From Multimodal KSampler: what the run did. From Multimodal Guider: "
                    "what will run, or with after connected, what did.",
                ),
                io.Latent.Input(
                    "after",
                    optional=True,
                    tooltip="The latent that was sampled with the guider, so that the report waits "
                    "for the run. Not needed with Multimodal KSampler.",
                ),
            ],
            outputs=[
                io.Image.Output(display_name="chart", tooltip="The picture, 960 pixels wide."),
                io.String.Output(display_name="json", tooltip="All figures, step by step."),
            ],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, report, after=None) -> io.NodeOutput:
        if isinstance(report, GuiderReport):
            report = report.now() if after is None else report.done()
        image = as_image(draw_report(report))
        figures = json.dumps(report.as_dict(), indent=1, allow_nan=False)
        return io.NodeOutput(image, figures, ui=ui.PreviewImage(image, cls=cls))
