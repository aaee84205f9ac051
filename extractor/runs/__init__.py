"""Many documents: order, resume, journal, what it will take."""
