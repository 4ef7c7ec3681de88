"""Training: recipes, loops and checkpoints. Nothing at run time needs this folder."""
