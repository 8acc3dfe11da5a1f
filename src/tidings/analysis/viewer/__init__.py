"""`tidings view`: a local web viewer over runs, and a static copy of it."""

from tidings.analysis.viewer.library import Library
from tidings.analysis.viewer.server import ViewerServer

__all__ = ["Library", "ViewerServer"]
