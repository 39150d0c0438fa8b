"""pypi.py - the package index that is asked when nobody has named one: the one place that knows its address."""
URL = "https://pypi.org/simple"
