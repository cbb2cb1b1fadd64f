"""Throughput, and the results that the project's tables are made of."""
