"""What a GRU is, in the words and with the formulas that the other pages use."""

from gruviz.ui import guide

guide.page()
