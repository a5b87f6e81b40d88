"""Ways by car: the shortest from stop to stop along the streets. Whoever drives one is so many metres along it."""

import heapq
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import shapely

from cheng.demo.lattice import Index
from cheng.demo.network import PATH, Network, components
from cheng.demo.plane import Floats, metres


@dataclass(frozen=True)
class Way:
    """A line along streets."""

    lon: Floats
    lat: Floats
    """(corners,) degrees WGS 84"""
    run: Floats
    """(corners,) metres from the beginning"""

    @property
    def length(self) -> float:
        return float(self.run[-1])

    def at(self, run: Floats) -> Floats:
        """(n, 2) longitudes and latitudes so many metres along it."""
        return np.stack([np.interp(run, self.run, self.lon), np.interp(run, self.run, self.lat)], axis=-1)


class Streets:
    """What can be driven of a network, perhaps only within a shape: every node from every other."""

    def __init__(self, network: Network, within: shapely.Geometry | None = None) -> None:
        self.network = network
        inside = np.ones(len(network.lon), np.bool_)
        if within is not None:
            inside = shapely.contains_xy(within, network.lon, network.lat)
        edges = np.flatnonzero((network.kind < PATH) & inside[network.start] & inside[network.end])
        label = components(len(network.lon), network.start[edges], network.end[edges])
        largest = np.bincount(label[network.start[edges]]).argmax()
        self.nodes: Index = np.flatnonzero(label == largest)
        """positions in the network"""
        self._next: dict[int, list[tuple[int, float]]] = {node: [] for node in self.nodes.tolist()}
        kept = edges[label[network.start[edges]] == largest]
        for start, end, length in zip(
            network.start[kept].tolist(), network.end[kept].tolist(), network.metres[kept].tolist(), strict=True
        ):
            self._next[start].append((end, length))
            self._next[end].append((start, length))
        self._from = cache(self._tree)

    def nearest(self, lon: float, lat: float) -> int:
        """The node nearest to a place."""
        off = metres(self.network.lon[self.nodes], self.network.lat[self.nodes]) - metres(lon, lat)
        return int(self.nodes[np.hypot(*off.T).argmin()])

    def way(self, *stops: int) -> Way:
        """The shortest way by some nodes, in this order."""
        nodes = [stops[0]]
        for start, end in pairwise(stops):
            before, leg = self._from(start), [end]
            while leg[-1] != start:
                leg.append(before[leg[-1]])
            nodes += leg[-2::-1]
        lon, lat = self.network.lon[nodes], self.network.lat[nodes]
        steps = np.hypot(*np.diff(metres(lon, lat), axis=0).T)
        return Way(lon, lat, np.concatenate([[0.0], np.cumsum(steps)]))

    def _tree(self, start: int) -> dict[int, int]:
        """The node before each on the shortest way from one node (Dijkstra)."""
        before: dict[int, int] = {}
        reached = [(0.0, start, start)]
        while reached:
            far, node, last = heapq.heappop(reached)
            if node in before:
                continue
            before[node] = last
            for other, length in self._next[node]:
                if other not in before:
                    heapq.heappush(reached, (far + length, other, node))
        return before


def placed(ways: list[Way], which: Index, run: Floats) -> Floats:
    """(n, 2) longitudes and latitudes of those who are so many metres along one of the ways each."""
    found = np.zeros((len(which), 2))
    for number in np.unique(which).tolist():
        chosen = which == number
        found[chosen] = ways[number].at(run[chosen])
    return found
