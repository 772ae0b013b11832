"""Why somebody may do something, or not: asked of the service that would decide."""
