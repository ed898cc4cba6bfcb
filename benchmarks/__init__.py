"""What `make bench` measures: ratios and times taken in one run on one machine."""
