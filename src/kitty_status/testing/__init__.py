"""What a backend or plug-in can inherit for its own tests: a disk that fails on request."""
