"""The rules as people and programs read them: in a terminal, in mitmproxy, in the README."""
