"""Systems that ask for tokens: apps that people use, partners' systems, services of the suite."""
