"""``python -m hfs``."""

from hfs.cli import main

main()
