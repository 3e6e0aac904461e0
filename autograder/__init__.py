"""What instructors and maintainers run: build the notebooks from their cases, test them, release and grade them."""
