"""Markdown tables of what was measured."""
