"""What a training loop needs: devices, seeds, loaders, trackers, checkpoints, weights."""
