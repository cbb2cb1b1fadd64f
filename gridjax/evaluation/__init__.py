"""Held-out scenarios, statistics, figures and reports."""
