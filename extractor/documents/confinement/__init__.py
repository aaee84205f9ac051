"""What a process gives up before it looks at a file of a stranger, so that who takes it over has little of it."""
