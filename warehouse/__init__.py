"""Contracts, the lake, marts and promotion."""
