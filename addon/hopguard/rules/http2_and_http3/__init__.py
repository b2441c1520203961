"""HTTP/2 and HTTP/3: what must stay behind on HTTP/1."""
