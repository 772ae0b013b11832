"""Who customers are to each other, and to people and companies outside."""
