"""Images: transforms by hand and features, on arrays of bytes (N, H, W, C); knows nothing of networks."""
