"""One self-contained HTML file about a run: `write_report(run)`."""

from tidings.analysis.report.page import report_html, write_report

__all__ = ["report_html", "write_report"]
