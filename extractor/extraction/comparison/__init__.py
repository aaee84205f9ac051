"""When two values are the same, and which row of one list is which row of another: for scores and for ensembles."""
