"""The service: HTTP, storage, upload, download, the documented client and the sandbox.

Empty until the first of them moves in.
"""
