"""The operations web page: shows what the other services know, with the reader's own token."""
