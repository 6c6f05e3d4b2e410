"""The mesh's certificate authority, and the secrets that proxies get from it."""
