"""A stand-in MetaLake on this computer: the service's protocol over SQLite and files in one folder.

For trying things out, for demonstrations and for users' own tests. What it answers is what the official SDK needs and
reads; the real server's source is not public. `serving` runs it, `app` has its routes.
"""
