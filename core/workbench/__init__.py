"""The workbench: one local page for what a person does by eye and hand, and for starting and watching stages."""
