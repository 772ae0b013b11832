"""Customer files: values, versions, history, and the keys that seal them."""
