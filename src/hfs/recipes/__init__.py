"""Recipes: whole training runs as functions, one file each; ``hfs train NAME`` runs one.

A recipe file defines ``recipe(**options) -> Recipe`` (`hfs.training.recipe`); its docstring states
the command, the hardware and what to expect. Options are the function's parameters.
"""
