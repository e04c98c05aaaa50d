"""The parts of the CIFAR-10 study: its material, its networks, its tables, and what the reports printed."""
