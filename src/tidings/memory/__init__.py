"""What a seat can look up again: keyword search (`clear`) and embedding search (`fuzzy`), private to the seat."""
