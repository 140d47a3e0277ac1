"""Chance that is the same on every machine: draws from a seed by a fixed mixing function.

Columns are drawn with the finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable
pseudorandom number generators, 2014), a counter in and a number out, so that a request's
draws depend on nothing but the seed, its day and its place in the day. Single draws use a
hash, whose result is fixed by its standard; library generators may change with a release.
"""

import hashlib
import math

import polars as pl

GOLDEN = 0x9E3779B97F4A7C15
FIRST_FACTOR = 0xBF58476D1CE4E5B9
SECOND_FACTOR = 0x94D049BB133111EB
WORD = 2**64


def number(*parts: object) -> int:
    """A whole number from 0 to 2**64 - 1, fixed by the parts."""
    text = "/".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def uniform(*parts: object) -> float:
    """A number in [0, 1), fixed by the parts."""
    return number(*parts) / WORD


def shuffled(count: int, *parts: object) -> list[int]:
    """The numbers 0 to count - 1 in an order fixed by the parts."""
    return sorted(range(count), key=lambda item: number(*parts, item))


def mixed(word: pl.Expr) -> pl.Expr:
    """One SplitMix64 step; division by a power of two is the right shift."""
    word = (word ^ (word // 2**30)) * pl.lit(FIRST_FACTOR, dtype=pl.UInt64)
    word = (word ^ (word // 2**27)) * pl.lit(SECOND_FACTOR, dtype=pl.UInt64)
    return word ^ (word // 2**31)


def keys(seed: int, group: pl.Expr, place: pl.Expr) -> pl.Expr:
    """One 64-bit key a row, from the row's group (its day) and its place in the group."""
    word = group.cast(pl.UInt64) * pl.lit(2**32, dtype=pl.UInt64) + place.cast(pl.UInt64)
    return mixed(word + pl.lit(number("keys", seed), dtype=pl.UInt64))


def column(key: pl.Expr, name: str) -> pl.Expr:
    """A column of numbers in [0, 1) for a column of keys; `name` makes it independent."""
    step = (number("column", name) * GOLDEN) % WORD
    word = mixed(key + pl.lit(step, dtype=pl.UInt64))
    return (word // 2**11).cast(pl.Float64) / float(2**53)


def normal(key: pl.Expr, name: str) -> pl.Expr:
    """A column of standard normal numbers (Box and Muller, 1958)."""
    radius = (-2.0 * (1.0 - column(key, f"{name}/radius")).log()).sqrt()
    return radius * (2.0 * math.pi * column(key, f"{name}/angle")).cos()


def picked(numbers: pl.Series, weights: list[float]) -> pl.Series:
    """The place in `weights` that each number in [0, 1) falls on (u32)."""
    total = sum(weights)
    bounds, reached = [], 0.0
    for weight in weights[:-1]:
        reached += weight
        bounds.append(reached / total)
    return pl.Series(bounds, dtype=pl.Float64).search_sorted(numbers, side="right")
