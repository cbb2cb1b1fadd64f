"""Figures, of one look. Matplotlib loads where it is needed."""
