"""HTTP in thin layers over one small interface: retry, redirects, limit, authorise, log, sockets (see `stack`)."""
