"""A log-linear model of one label out of several: what every known word of a case says is added up.

Multinomial logistic regression over one-hot columns, fitted by AdaGrad (Duchi, Hazan and Singer, 2011) on small
batches, with a penalty on large weights (ridge), so that a word seen twice says little. Labels can belong to families:
what a word says about the family is learnt from all its members, and each member adds its own. With nothing known the
chances are the shares of the labels as a whole.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int32]

UNKNOWN = -1
"""In place of the number of a word that was not there when the model was fitted."""
PENALTY, FAMILY_PENALTY = 1.0, 0.3
"""Of the square of each weight, as if so many cases had spoken against it."""
ROUNDS = 30
LONGEST = 4_000
"""Batches after which fitting ends at the latest."""
BATCH = 256
RATE = 0.25
BEFORE = 0.5
"""Cases that each label is thought to have had before the first one came."""
TINY = 1e-6


@dataclass(frozen=True, slots=True)
class LogLinear:
    """`prior` (labels,) and `weights` (words, labels): what is there anyway, and what each word adds, as logarithms."""

    prior: Floats
    weights: Floats

    def chances(self, codes: Codes) -> Floats:
        """(n, labels), each row summing to 1. `codes` (n, columns): numbers of words, UNKNOWN where there is none."""
        padded = np.vstack([self.weights, np.zeros((1, len(self.prior)), np.float32)])
        scores = np.tile(self.prior, (len(codes), 1))
        for column in range(codes.shape[1]):
            scores += padded[codes[:, column]]  # UNKNOWN is the last row, which says nothing
        return softmax(scores)


class Steps:
    """A table of weights on its way down, each as fast as it has not been moved before."""

    def __init__(self, rows: int, columns: int) -> None:
        self.weights = np.zeros((rows, columns), np.float32)
        self.moved = np.full((rows, columns), TINY, np.float32)

    def down(self, slope: Floats) -> None:
        self.moved += slope * slope
        self.weights -= RATE * slope / np.sqrt(self.moved)


def fit(codes: Codes, labels: Codes, families: Codes, words: int) -> LogLinear:
    """The model of cases with `words` numbered words in `codes` (n, columns) and `labels` (n,).

    `families` (labels,): the number of the family of each label. The order of the batches is always the same, so that
    the same cases give the same model.
    """
    count, n = len(families), len(labels)
    prior = prior_of(labels, count)
    members = Members(families)
    own, shared = Steps(words, count), Steps(words, members.families)
    for batch in batches(n):
        now = LogLinear(prior, own.weights + members.spread(shared.weights))
        wrong = now.chances(codes[batch])
        wrong[np.arange(len(batch)), labels[batch]] -= 1
        slope, share = gathered(codes[batch], wrong, words), np.float32(len(batch) / n)
        own.down(slope + PENALTY * share * own.weights)
        shared.down(members.sums(slope) + FAMILY_PENALTY * share * shared.weights)
    return LogLinear(prior, own.weights + members.spread(shared.weights))


class Members:
    """Which labels belong together; who is alone in a family has none to share with."""

    def __init__(self, families: Codes) -> None:
        _, place, sizes = np.unique(families, return_inverse=True, return_counts=True)
        shared = np.flatnonzero(sizes > 1)
        self.families = len(shared)
        numbers = np.full(len(sizes), len(shared))
        numbers[shared] = np.arange(len(shared))
        self.place = numbers[place]
        self.order = np.argsort(self.place, kind="stable")[: int(sizes[shared].sum())]
        self.begins = np.searchsorted(self.place[self.order], np.arange(len(shared)))

    def spread(self, shared: Floats) -> Floats:
        """(words, labels) from (words, families): nothing for those that are alone."""
        return np.asarray(np.pad(shared, ((0, 0), (0, 1)))[:, self.place])

    def sums(self, slope: Floats) -> Floats:
        """(words, families) from (words, labels)."""
        if not self.families:
            return np.zeros((len(slope), 0), np.float32)
        return np.asarray(np.add.reduceat(slope[:, self.order], self.begins, axis=1))


def gathered(codes: Codes, wrong: Floats, words: int) -> Floats:
    """(words, labels): the rows of `wrong` (n, labels) added up by the words of `codes` (n, columns).

    Adding up in order costs less than the product of two tables that are nearly empty, and never more than one core.
    """
    flat = codes.ravel()
    order = np.argsort(flat, kind="stable")
    order = order[np.searchsorted(flat[order], 0) :]
    found = np.zeros((words, wrong.shape[1]), np.float32)
    if len(order):
        named, begins = np.unique(flat[order], return_index=True)
        found[named] = np.add.reduceat(wrong[order // codes.shape[1]], begins, axis=0)
    return found


def batches(n: int) -> list[Codes]:
    """Rows in an order that is shuffled anew, but always alike, in every round."""
    order = np.random.default_rng(1)
    found: list[Codes] = []
    for _ in range(ROUNDS):
        shuffled = order.permutation(n).astype(np.int32)
        found += [shuffled[begin : begin + BATCH] for begin in range(0, n, BATCH)]
        if len(found) >= LONGEST:
            break
    return found


def prior_of(labels: Codes, count: int) -> Floats:
    """Logarithms of the shares of each label."""
    seen = np.bincount(labels, minlength=count) + BEFORE
    return np.asarray(np.log(seen / seen.sum()), np.float32)


def softmax(scores: Floats) -> Floats:
    """Chances from logarithms, row by row."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float32)
