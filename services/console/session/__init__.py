"""Who sits at which browser: signing in, staying signed in, signing out, the language."""
