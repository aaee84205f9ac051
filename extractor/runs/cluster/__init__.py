"""Documents on many machines: a Ray cluster's nodes read and extract, and the run alone writes."""
