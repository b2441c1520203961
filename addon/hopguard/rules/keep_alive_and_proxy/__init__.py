"""Keep-Alive and the Proxy-* fields."""
