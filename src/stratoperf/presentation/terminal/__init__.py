"""Text in a terminal or a pipe: screens, tables, views of results, and progress."""
