"""What every room needs and none owns: files, stages and their manifests, records at the borders, human help."""
