"""Use cases: what a customer or an operator can have done, whatever dialect the wish came in.

Each function does its calls of the store, gives the schedulers their hint and returns a frozen value; it knows neither
HTTP nor JSON nor any service. A wish that cannot be granted is refused by a code and facts (shared/errors.py), and the
dialect finds the words.
"""
