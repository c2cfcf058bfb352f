"""Whether kinds of answers can be told apart by how long they take: Mann and Whitney's test, two-sided.

Reads lines `KIND NUMBER`, and prints a line for each pair of kinds: their names, the probability that
a difference this large comes by chance, and which of the two is the slower one.
"""
import itertools
import math
import sys


def ranks(values):
    """Of each value, the mean of the places that it shares with its equals; and the ties' correction."""
    order = sorted(range(len(values)), key=values.__getitem__)
    places = [0.0] * len(values)
    ties = 0
    begin = 0
    while begin < len(order):
        end = begin
        while end < len(order) and values[order[end]] == values[order[begin]]:
            end += 1
        for place in order[begin:end]:
            places[place] = (begin + 1 + end) / 2
        ties += (end - begin) ** 3 - (end - begin)
        begin = end
    return places, ties


def mann_whitney(a, b):
    """The standard score of a's ranks among both: the normal approximation, fit for 20 and more."""
    places, ties = ranks(a + b)
    n, m = len(a), len(b)
    total = n + m
    u = sum(places[:n]) - n * (n + 1) / 2
    variance = n * m / 12 * (total + 1 - ties / (total * (total - 1)))
    return 0.0 if variance == 0 else (u - n * m / 2) / math.sqrt(variance)


kinds = {}
for line in sys.stdin:
    kind, number = line.split()
    kinds.setdefault(kind, []).append(float(number))
for one, other in itertools.combinations(sorted(kinds), 2):
    score = mann_whitney(kinds[one], kinds[other])
    probability = math.erfc(abs(score) / math.sqrt(2))
    slower = one if score > 0 else other
    print(f"{one} {other} {probability:.4f} {slower}")
