"""What actions are drawn from, a module for each kind; the only ones that import distrax.

Its distributions leak tracers when they cross a transformation: each is built and dropped inside one
function. Functions take entries in the last axis and sum over them. What is drawn and stored is not always
the action: its log-probability must be exact also where the action saturates.
"""
