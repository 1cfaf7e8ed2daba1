"""DFM Forge: from two videos to a face-swap model that live programs load."""

__version__ = "0.1.0"
