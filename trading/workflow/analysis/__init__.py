"""What to do about a symbol: a model is asked, and when it cannot be had a rule speaks, on which no order is placed."""
