"""The mitmproxy side: the only place, with `captures.flowfile`, that imports mitmproxy."""
