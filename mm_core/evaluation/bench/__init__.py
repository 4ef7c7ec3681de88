"""Ways to guide by many inputs, side by side: what each costs, and how far it is from exact."""
