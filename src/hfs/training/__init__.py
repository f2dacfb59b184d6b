"""Training: questions, videos and models -> a student that selects, and the teacher beside it."""
