"""The one exception that the `kehu` command shows as a plain sentence instead of a traceback."""


class SuiteFailed(Exception):
    """Something outside this code stands in the way; the text tells the person at the terminal what, and what helps."""
