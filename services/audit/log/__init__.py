"""The log: append, proofs, checkpoints, verification (RFC 6962 over C2SP tlog-tiles)."""
