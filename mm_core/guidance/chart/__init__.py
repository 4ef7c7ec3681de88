"""Pictures of a report and of a schedule, drawn with Pillow alone."""
