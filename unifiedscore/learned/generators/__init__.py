"""One-step generators trained with the stop-gradient drift loss; training needs the extra `torch`."""
