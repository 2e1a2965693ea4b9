"""The shape of every JSON answer, as models from which the JSON Schemas are made.

Only the command `schema` and the tests load this package: the commands themselves print plain dictionaries.
"""
