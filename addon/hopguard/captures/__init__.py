"""Captures, read back: flow files, HAR, WARC. All give the same: exchanges as they were seen."""
