"""A server and a page in which agents run a grid: `python -m gridjax.live`, extra `gridjax[live]`."""
