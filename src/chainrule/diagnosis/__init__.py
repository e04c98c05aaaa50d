"""What is wrong with somebody's own back-propagation: it is run, watched, and compared with the right quantities."""
