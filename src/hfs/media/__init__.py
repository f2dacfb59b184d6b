"""Media files: bytes -> packets with exact times -> pictures. What decoders are made of."""
