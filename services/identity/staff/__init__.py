"""Staff: who works here, in which posts, with which roles, who stands in for whom, and who leaves."""
