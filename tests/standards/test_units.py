import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheng.standards.units import convert, convertible, unit, units


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (20, "Cel", "K", 293.15),
        (68, "[degF]", "Cel", 20),
        (36, "km/h", "m/s", 10),
        (1, "mg/m3", "ug/m3", 1000),
        (1, "L/s", "m3/h", 3.6),
        (1, "kW.h", "MJ", 3.6),
        (0.4, "MPa", "kPa", 400),
        (180, "deg", "rad", np.pi),
        (15, "[mu]", "har", 1),
        (1, "t", "kg", 1000),
        (1, "%", "[ppm]", 10_000),
    ],
)
def test_worked_examples(value: float, source: str, target: str, expected: float) -> None:
    assert convert([value], source, target)[0] == pytest.approx(expected)


def test_the_units_a_city_needs_are_there() -> None:
    wanted = "deg m Cel % ug/m3 mg/m3 [ppm] %LEL kPa MPa km/h m/s t kg W kW kW.h A V lx dB L/s m3/h mm 1 %RH [pH]"
    for code in [*wanted.split(), "[NTU]", "CNY"]:
        found = unit(code)
        assert found.code == code
        assert found.name_zh
        assert found.dimension


@pytest.mark.parametrize(
    ("spelling", "code"),
    [
        ("℃", "Cel"),
        ("°C", "Cel"),
        ("CEL", "Cel"),
        ("kWh", "kW.h"),
        ("µg/m³", "ug/m3"),
        ("μg/m3", "ug/m3"),
        ("ppm", "[ppm]"),
    ],
)
def test_usual_spellings_lead_to_the_code(spelling: str, code: str) -> None:
    assert unit(spelling).code == code


def test_an_unknown_unit_names_the_nearest_one() -> None:
    with pytest.raises(ValueError, match="did you mean 'ug/m3'"):
        unit("ug/m33")
    with pytest.raises(ValueError, match="did you mean 'km/h'"):
        unit("KM/H")


def test_what_measures_something_else_cannot_be_converted() -> None:
    assert not convertible("[ppm]", "mg/m3")
    with pytest.raises(ValueError, match="mass concentration"):
        convert([1.0], "[ppm]", "mg/m3")


@given(st.sampled_from(sorted(units())), st.data(), st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5))
def test_there_and_back_is_where_it_was(source: str, data: st.DataObject, values: list[float]) -> None:
    same = [code for code, other in units().items() if other.dimension == unit(source).dimension]
    target = data.draw(st.sampled_from(same))
    back = convert(convert(values, source, target), target, source)
    np.testing.assert_allclose(back, values, rtol=1e-9, atol=1e-6)


def test_codes_spellings_and_names_are_not_used_twice() -> None:
    codes = [found.cefact for found in units().values() if found.cefact]
    assert len(codes) == len(set(codes))
    assert len({found.name_zh for found in units().values()}) == len(units())
