"""Cheng."""
