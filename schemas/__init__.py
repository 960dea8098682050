"""What an annotation is: the model, the MetaLake JSON codec, validation, geometry, errors and loss codes.

The lowest room of the house: pure, no network, no command line. Nothing here imports from another room.
"""
