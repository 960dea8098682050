"""The contract that every format keeps, as a test suite to import."""
