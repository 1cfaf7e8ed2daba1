"""DFM Forge: from two videos to a face-swap model that live programs load."""

import os

__version__ = "0.1.0"

# Read by OpenCV when it is imported: pixels that it decodes at most, of formats whose headers core.imaging.dimensions
# does not read.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(1 << 28))
