"""Stages on models: training, saves, export."""
