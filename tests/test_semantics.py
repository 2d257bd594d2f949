"""What may be added up, and how units convert."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogs import units
from catalogs.errors import MixedUnitsError, NotAdditiveError, UnknownNameError
from catalogs.measures import ATTRIBUTE_PREFIX, RESULT_DIMENSIONS, attributes, measure, measures
from catalogs.query import Query
from catalogs.source import Source
from tests.times_files import cells, flows, header, publish, row, write_set

# ---------------------------------------------------------------------------- additivity

#: Two members of each dimension; the rows of a year differ in one dimension only.
MEMBERS = {
    "region": ("R1", "R2"),
    "process": ("P1", "P2"),
    "commodity": ("C1", "C2"),
    "timeslice": ("S1", "S2"),
    "vintage": ("2010", "2015"),
    "user_constraint": ("U1", "U2"),
    "sow": ("1", "2"),
}
YEAR_OF = {dimension: 2021 + number for number, dimension in enumerate(MEMBERS)}
UNKNOWN_ATTRIBUTE = "XTRA_Thing"
HEADER_NAMES = (
    "Attribute",
    "Sow",
    "Commodity",
    "Process",
    "Period",
    "Region",
    "Vintage",
    "TimeSlice",
    "UserConstraint",
    "PV",
)
COLUMNS = ("sow", "commodity", "process", "year", "region", "vintage", "timeslice")


def pair(attribute: str, dimension: str) -> list[tuple[object, ...]]:
    """Return two rows, 1 and 2, that differ in ``dimension`` alone."""
    rows = []
    for place, value in enumerate((1, 2)):
        cell = {name: members[0] for name, members in MEMBERS.items()}
        cell |= {"year": str(YEAR_OF[dimension]), dimension: MEMBERS[dimension][place]}
        if attribute == "Reg_wobj":
            cell["commodity"] = "MEUR20"
        names = [cell[column] for column in COLUMNS]
        rows.append((attribute, *names, cell["user_constraint"], value))
    return rows


@pytest.fixture(scope="module")
def every_attribute(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Two rows for each attribute and dimension, in a year of their own."""
    folder = tmp_path_factory.mktemp("semantics")
    names = [*attributes(), UNKNOWN_ATTRIBUTE]
    rows = [found for name in names for dimension in MEMBERS for found in pair(name, dimension)]
    write_set(
        folder / "files",
        [row("VAR_Act", 1)],
        units={"PJ": "C1 C2"},
        process_units="process,activity_unit,capacity_unit\nP1,PJ,GW\nP2,PJ,GW",
    )
    text = header(dimensions=HEADER_NAMES) + cells(rows)
    (folder / "files" / "Case.vd").write_text(text, encoding="utf-8")
    return publish(folder / "files", folder / "data")


def values(source: Source, attribute: str, dimension: str, *group_by: str) -> list[float]:
    query = Query(
        ATTRIBUTE_PREFIX + attribute, years=(YEAR_OF[dimension],), group_by=tuple(group_by)
    )
    return sorted(source.ask(query).frame.value)


@pytest.mark.parametrize("attribute", [*attributes(), UNKNOWN_ATTRIBUTE])
def test_an_attribute_is_added_up_only_where_its_table_says(
    every_attribute: Source, attribute: str
) -> None:
    known = attributes().get(attribute)
    allowed = known.sum_over if known else frozenset()
    for dimension in MEMBERS:
        if (attribute, dimension) == ("Reg_wobj", "commodity"):
            continue  # there the commodity is the currency
        if dimension in allowed:
            assert values(every_attribute, attribute, dimension) == [3]
            continue
        with pytest.raises(NotAdditiveError) as caught:
            values(every_attribute, attribute, dimension)
        error = caught.value
        assert error.what.endswith(f"must not be added up over {dimension}.")
        assert error.remedy.startswith(f"Group by {dimension}, or choose one {dimension}.")
        assert error.instead
        # The advice works: both are shown apart, and one of them alone.
        assert values(every_attribute, attribute, dimension, dimension) == [1, 2]
        one = Query(
            ATTRIBUTE_PREFIX + attribute,
            years=(YEAR_OF[dimension],),
            filters=((dimension, MEMBERS[dimension][:1]),),
            regions=("R1",),
        )
        assert every_attribute.ask(one).frame.value.tolist() == [1]


@pytest.mark.parametrize("attribute", ["VAR_FOut", "VAR_Ncap", "EQ_CombalM", "Cost_Inv", "ObjZ"])
def test_years_are_never_added_up(every_attribute: Source, attribute: str) -> None:
    everything = Query(ATTRIBUTE_PREFIX + attribute, group_by=RESULT_DIMENSIONS)
    frame = every_attribute.ask(everything).frame
    assert sorted(frame.year.unique()) == sorted(YEAR_OF.values())


#: Marginals, bounds, levels and others that are never added up.
NEVER = """
    EQ_CombalM VAR_ComnetM VAR_ComprdM VAR_ActM VAR_CapM VAR_NcapM VAR_NcapR User_conFXM User_DynbM
    EQ_IreM EQ_PeakM EQ_CumfloM Time_NPV PAR_CapLO PAR_CapUP User_con EQ_Peak EQ_Cumflo VAR_POut
    Val_Flo VAR_Eout VAR_CumCst VAR_Climate PAR_Top ObjZ
"""
MONEY = """
    Cost_Inv Cost_Invx Cost_Fom Cost_Fixx Cost_Act Cost_Flo Cost_Flox Cost_Com Cost_Comx Cost_ire
    Cost_Els Cost_Dec Cost_Dam
"""

#: From DOMAIN section 2, written out again by hand.
STATED = {
    "VAR_FIn": "timeslice region process vintage",
    "VAR_FOut": "timeslice region process vintage",
    "VAR_Act": "timeslice region vintage process",
    "VAR_Cap": "vintage region process",
    "VAR_Ncap": "vintage region process",
    "VAR_Comprd": "timeslice region",
    "VAR_Comnet": "timeslice region",
    "EQ_Combal": "timeslice region",
    "Reg_ACost": "region user_constraint",
    "Reg_wobj": "region user_constraint",
    "Reg_obj": "region",
    "Reg_irec": "region",
}


def test_the_table_of_attributes_says_what_the_domain_says() -> None:
    table = attributes()
    for name, sum_over in STATED.items():
        assert table[name].sum_over == frozenset(sum_over.split()), name
    for name in NEVER.split():
        assert table[name].sum_over == frozenset(), name
    for name in MONEY.split():
        assert table[name].kind == "money", name
        assert "region" in table[name].sum_over, name
        assert "sow" not in table[name].sum_over, name
    assert "user_constraint" not in table["Cap_New"].sum_over


def test_prices_levels_and_bounds_are_never_added() -> None:
    for name, known in attributes().items():
        if known.kind in ("price", "bound", "constraint", "factor", "power"):
            assert known.sum_over == frozenset(), name
        assert known.sum_over <= set(RESULT_DIMENSIONS), name
        assert known.label, name
        assert known.definition, name


def test_every_measure_says_what_it_is() -> None:
    for name, found in measures().items():
        assert found.name == name
        assert found.label
        assert len(found.definition) > 40, name
        assert found.default_group == found.groups[0]


def test_a_measure_or_attribute_that_is_not_there_is_named() -> None:
    with pytest.raises(UnknownNameError, match=r"no measure 'final_enrgy'.*final_energy"):
        measure("final_enrgy")


# ---------------------------------------------------------------------------- units of results


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Two processes whose activities are no amounts of one thing, and two of unknown unit."""
    folder = tmp_path_factory.mktemp("mixed")
    rows = [
        row("VAR_Act", 10, process="PLANT"),
        row("VAR_Act", 2000, process="CAR"),
        row("VAR_Cap", 3, process="PLANT", timeslice="-"),
        row("VAR_Cap", 4, process="CAR", timeslice="-"),
        *flows("PLANT: -> ELC 10\nCAR: ELC 4 -> KM 2000"),
        *flows("PLANT: -> ELC 2", region="R2"),
    ]
    return publish(
        write_set(
            folder / "files",
            rows,
            process_units="process,activity_unit\nPLANT,PJ\nCAR,Mpkm",
            units={"PJ": "ELC"},
            commodity_sets={"ELC": "ELC"},
        ),
        folder / "data",
    )


def test_activities_of_different_units_are_not_added(mixed: Source) -> None:
    with pytest.raises(MixedUnitsError, match=r"units that cannot be added\. Choose one of Mpkm"):
        mixed.ask(Query("attribute:VAR_Act"))
    answer = mixed.ask(Query("attribute:VAR_Act", unit="TWh"))
    assert answer.frame.value.tolist() == pytest.approx([10 / 3.6])
    assert answer.left_out[0] == "what is measured in Mpkm"


def test_capacities_of_unknown_unit_are_not_added_over_processes(mixed: Source) -> None:
    with pytest.raises(MixedUnitsError, match="unknown") as caught:
        mixed.ask(Query("attribute:VAR_Cap"))
    assert "process_units.csv" in caught.value.remedy
    answer = mixed.ask(Query("attribute:VAR_Cap", group_by=("process",)))
    assert answer.unit == "unknown"
    assert answer.frame.value.tolist() == [4, 3]


def test_an_unknown_unit_is_never_converted(mixed: Source) -> None:
    with pytest.raises(MixedUnitsError, match="cannot be shown in GW"):
        mixed.ask(Query("attribute:VAR_Cap", group_by=("process",), unit="GW"))
    with pytest.raises(MixedUnitsError, match="units of generation capacity are unknown"):
        mixed.ask(Query("capacity"))


def test_a_unit_that_does_not_fit_is_refused_with_those_that_do(mixed: Source) -> None:
    with pytest.raises(MixedUnitsError, match=r"cannot be shown in kt\. It occurs in PJ\."):
        mixed.ask(Query("electricity_generation", unit="kt"))


# ---------------------------------------------------------------------------- units by themselves


@pytest.mark.parametrize(
    ("unit_from", "unit_to", "expected"),
    [
        ("PJ", "TWh", 1 / 3.6),
        ("TWh", "PJ", 3.6),
        ("GWh", "TJ", 3.6),
        ("ktoe", "PJ", 0.041868),
        ("Mtoe", "TWh", 11.63),
        ("pj", "PJ", 1),
        ("PJa", "GW", 1 / 31.536),
        ("PJ/a", "PJa", 1),
        ("GW", "MW", 1000),
        ("kt", "Mt", 0.001),
        ("Gg", "kt", 1),
        ("t", "kt", 0.001),
        ("Mpkm", "Gpkm", 0.001),
        ("MEUR20", "EUR20", 1e6),
        ("GEUR20", "MEUR20", 1000),
        ("MKr12", "Kr12", 1e6),
        # Prices convert the other way round.
        ("MKr12/TJ", "MKr12/GJ", 0.001),
        ("MEUR20/PJ", "EUR20/GJ", 1),
        ("MEUR20/PJ", "EUR20/MWh", 3.6),
        ("MEUR20/kt", "EUR20/t", 1000),
        ("MEUR20/GW", "EUR20/kW", 1),
        # An amount of a year is that amount: TIMES results are per year as well.
        ("EJ/yr", "PJ", 1000),
        ("PJ/yr", "TWh", 1 / 3.6),
        ("PJ", "PJ/year", 1),
        ("TWh/yr", "PJ/yr", 3.6),
        ("GWh/a", "TJ", 3.6),
        ("kt / a", "Mt/yr", 0.001),
        # What is not in the table is only itself.
        ("widgets", "widgets", 1),
    ],
)
def test_units_convert(unit_from: str, unit_to: str, expected: float) -> None:
    assert units.factor(unit_from, unit_to) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("unit_from", "unit_to"),
    [
        ("PJ", "kt"),
        ("PJ", "PJa"),
        ("GW", "GWh"),
        ("Mpkm", "Mtkm"),
        ("Mpkm", "Mvkm"),
        ("MEUR20", "MEUR15"),
        ("MEUR20", "MUSD20"),
        ("MKr12", "MDKK12"),
        ("MEUR20", "PJ"),
        ("MEUR20/PJ", "MEUR15/PJ"),
        ("MEUR20/PJ", "MEUR20/kt"),
        ("MEUR20/PJ", "MEUR20"),
        ("widgets", "gadgets"),
        ("widgets", "PJ"),
        ("MEUR", "kEUR"),
    ],
)
def test_units_of_different_things_do_not_convert(unit_from: str, unit_to: str) -> None:
    for a, b in ((unit_from, unit_to), (unit_to, unit_from)):
        with pytest.raises(MixedUnitsError, match=f"{a} cannot be converted to {b}"):
            units.factor(a, b)


@pytest.mark.parametrize("pair", [("unknown", "PJ"), ("PJ", "unknown"), ("", "PJ")])
def test_an_unknown_unit_converts_to_nothing(pair: tuple[str, str]) -> None:
    with pytest.raises(MixedUnitsError, match="unit is unknown") as caught:
        units.factor(*pair)
    assert "table of units beside the files" in caught.value.remedy


def _named() -> dict[str, list[str]]:
    """Return the units of the table by what they measure, with some money and prices."""
    path = Path(units.__file__).parent / "semantics" / "units.csv"
    found: dict[str, list[str]] = {}
    with path.open(encoding="utf-8") as file:
        for entry in csv.DictReader(file):
            found.setdefault(entry["dimension"], []).append(entry["unit"])
    found["money"] = ["EUR20", "kEUR20", "MEUR20", "GEUR20", "BEUR20"]
    found["price of energy"] = [f"{m}/{e}" for m in found["money"] for e in found["energy"]]
    return found


SAME = st.sampled_from(list(_named().values())).flatmap(
    lambda names: st.tuples(*[st.sampled_from(names)] * 3)
)


@given(SAME)
def test_there_and_back_is_where_one_was(three: tuple[str, str, str]) -> None:
    a, b, c = three
    assert units.factor(a, b) * units.factor(b, a) == pytest.approx(1, rel=1e-12)
    assert units.factor(a, b) * units.factor(b, c) == pytest.approx(units.factor(a, c), rel=1e-12)
    assert units.factor(a, a) == 1


@given(st.sampled_from([u for names in _named().values() for u in names]))
def test_what_is_offered_in_place_of_a_unit_can_be_had(unit: str) -> None:
    offered = units.compatible(unit)
    assert offered[0] == unit
    assert len(offered) == len(set(offered))
    for other in offered:
        assert units.factor(unit, other) > 0


@given(st.text(max_size=12))
def test_any_text_is_a_unit_of_its_own_or_unknown(text: str) -> None:
    if units.dimension(text) == units.UNKNOWN_UNIT:
        assert text in ("", units.UNKNOWN_UNIT)
    else:
        assert units.factor(text, text) == 1
        assert units.compatible(text)[0] == text


def test_energy_mass_and_distance_are_told_by_their_unit() -> None:
    asked: list[tuple[Any, list[str]]] = [
        (units.is_energy, ["PJ", "twh", "ktoe"]),
        (units.is_mass, ["kt", "Mt", "Gg"]),
        (units.is_distance, ["Mpkm", "Mt-km", "BVkm"]),
    ]
    for test, names in asked:
        for other, others in asked:
            for name in others:
                assert test(name) == (other is test), name
        assert not test(None)
        assert not test("unknown")
        assert names
