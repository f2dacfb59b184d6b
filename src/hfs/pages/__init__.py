"""Pages: results -> self-contained HTML, and tables for the terminal."""
