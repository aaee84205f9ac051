"""For programs: records over HTTP, as jobs that survive a kill, and over the Model Context Protocol."""
