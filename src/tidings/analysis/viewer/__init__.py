"""`tidings view`: a local web viewer over runs, and a static copy of it."""

from tidings.analysis.viewer.browser import opened
from tidings.analysis.viewer.bundle import write_bundle
from tidings.analysis.viewer.library import Library
from tidings.analysis.viewer.server import ViewerServer

__all__ = ["Library", "ViewerServer", "opened", "write_bundle"]
