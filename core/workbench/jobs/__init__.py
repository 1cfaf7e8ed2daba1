"""Stages that the workbench runs as processes of their own, one after another."""
