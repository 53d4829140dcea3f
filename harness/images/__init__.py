"""The images of a stack: built from their Dockerfiles, from a registry's bases or offline, and only what changed."""
