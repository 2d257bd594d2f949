"""A user's own tables of meanings: measures, accounts, carriers, units, rates, people, states."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogs import open_source, semantics, states, units
from catalogs.__main__ import main
from catalogs.errors import MixedUnitsError, TimesError, UnreadableFileError
from catalogs.measures import measures
from catalogs.query import Query
from catalogs.source import Source
from tests.times_files import cells, flows, header, publish, row, write_set

Build = Callable[..., Source]


@pytest.fixture(autouse=True)
def shipped_tables() -> Iterator[None]:
    yield
    semantics.use(None)


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Import a small system with tables of meanings in the data directory."""

    def make(tables: dict[str, str], rows: list[Any] | None = None, **options: Any) -> Source:
        put(tmp_path / "data", tables)
        given = {
            "process_sets": {"ELE": "PLANT", "DMD": "LAMP", "IRE": "IMPGAS"},
            "commodity_sets": {"ELC": "ELC", "DEM": "LIGHT", "ENV": "AAA BBB"},
            "units": {"PJ": "GAS ELC LIGHT", "kt": "AAA BBB"},
            "more_topology": [("IMPEXP", "IMPGAS", "GAS", "IN")],
            "descriptions": {"AAA": "CO2 once", "BBB": "CO2 again", "GAS": "Natural gas"},
        }
        text = """
            IMPGAS: -> GAS 100
            PLANT: GAS 100 -> ELC 40, AAA 5, BBB 7
            LAMP: ELC 40 -> LIGHT 40
        """
        own = [*flows(text), row("Reg_ACost", 3, user_constraint="INV", timeslice="-"),
               row("Reg_wobj", 1, commodity="MEUR20", timeslice="-", year="-")]  # fmt: skip
        folder = write_set(tmp_path / "files", rows or own, **{**given, **options})
        return publish(folder, tmp_path / "data")

    return make


def put(data: Path, tables: dict[str, str]) -> None:
    (data / "semantics").mkdir(parents=True, exist_ok=True)
    for name, text in tables.items():
        lines = [line.strip() for line in text.strip().splitlines()]
        content = "\n".join(lines) if name.endswith(".csv") else text
        (data / "semantics" / name).write_text(content + "\n", encoding="utf-8")


def total(source: Source, name: str, **options: Any) -> float:
    [value] = source.ask(Query(name, **options)).frame.value
    return round(float(value), 9)


def test_a_declared_account_takes_the_place_of_the_rule(build: Build) -> None:
    assert total(build({}), "emissions") == 7  # the larger of two that cover the same tonne
    source = build({"emission_accounts.csv": "account,commodity\nmine,AAA"})
    assert total(source, "emissions") == 5
    report = source.import_report()
    assert "mine: AAA (declared account)" in " ".join(report.message)


def test_a_user_constraint_may_price_the_emissions_of_an_account(build: Build) -> None:
    """DOMAIN section 3: the CO2 price is minus the constraint's dual, plus taxes."""
    caps = [
        row("User_conFXM", -0.03, user_constraint="UC_CO2", region="-", timeslice="-"),
        row("User_conFXM", -0.08, user_constraint="UC_CO2", region="-", timeslice="-", year=2030),
        row("User_conFXM", -0.09, user_constraint="UC_CO2", timeslice="-", year=2030),
        row("User_conFXM", -7, user_constraint="UC_OTHER", region="-", timeslice="-"),
        row("VAR_Comnet", 5, commodity="AAA"),
        row("Cost_Comx", 0.1, commodity="AAA"),
    ]
    money = [row("Reg_wobj", 1, commodity="MEUR20", timeslice="-", year="-")]
    system = flows("IMPGAS: -> GAS 100\nPLANT: GAS 100 -> ELC 40, AAA 5, BBB 7")
    rows = [*system, *money, *caps]
    account = "account,commodity,user_constraint,factor\ncap,AAA,UC_CO2,1\ncap,BBB,UC_CO2,2"

    def prices(source: Source) -> dict[tuple[str, int], float]:
        query = Query("emission_price", group_by=("commodity",), unit="EUR20/t")
        frame = source.ask(query).frame
        keys = zip(frame.commodity, frame.year, strict=True)
        return dict(zip(keys, frame.value.round(9), strict=True))

    assert prices(build({}, rows)) == {("AAA", 2020): 20}  # the tax alone
    assert prices(build({"emission_accounts.csv": account}, rows)) == {
        ("AAA", 2020): 30 + 20,
        ("BBB", 2020): 2 * 30,
        # A constraint of the region goes before one over all of them.
        ("AAA", 2030): 90,
        ("BBB", 2030): 2 * 90,
    }
    # A balance with a marginal of its own holds what binds it.
    rows += [row("EQ_CombalM", -0.5, commodity="AAA"), row("VAR_ComnetM", -0.4, commodity="BBB")]
    assert prices(build({"emission_accounts.csv": account}, rows)) == {
        ("AAA", 2020): 500,
        ("BBB", 2020): 400,
        ("AAA", 2030): 90,
        ("BBB", 2030): 2 * 90,
    }


def test_the_rule_of_ambient_carriers_can_be_edited(build: Build) -> None:
    assert total(build({}), "import_dependency") == 100
    source = build({"carriers.csv": "fuel,ambient,renewable\nNatural gas,yes,0.25"})
    assert total(source, "import_dependency") == 0
    assert total(source, "renewable_electricity") == 25
    source = build({"carriers.csv": "fuel,commodity,renewable\n,G*,0.5"})
    assert total(source, "renewable_electricity") == 50


def test_what_is_derived_is_derived_again_when_a_rule_changes(build: Build) -> None:
    before = build({}).version
    assert build({}).version == before
    assert build({"emission_accounts.csv": "account,commodity\nmine,AAA"}).version != before


def test_measures_and_rates_need_no_new_import(build: Build) -> None:
    before = build({})
    later = build({"currency_rates.csv": "currency_from,currency_to,rate\nEUR20,USD20,1.25"})
    assert later.version == before.version


def test_a_measure_of_ones_own_is_asked_like_any_other(build: Build) -> None:
    source = build(
        {
            "measures.yaml": """
gas_use:
  label: Use of gas in plants
  definition: What plants take of natural gas.
  source: attribute
  attribute: VAR_FIn
  dimension: energy
  units: [TWh]
  groups: [process, commodity]
  sum_over: [process, timeslice, region, vintage]
final_energy:
  label: End use
savings:
  hidden: true
"""
        }
    )
    assert "gas_use" in source.measure_names
    assert total(source, "gas_use", filters=(("commodity", ("GAS",)),)) == round(100 / 3.6, 9)
    assert measures()["final_energy"].label == "End use"
    assert measures()["final_energy"].boundary == "final"
    assert "savings" not in measures()


def test_currencies_convert_by_the_rates_that_are_given(build: Build) -> None:
    with pytest.raises(MixedUnitsError, match="MEUR20 cannot be converted to MUSD20") as caught:
        units.factor("MEUR20", "MUSD20")
    assert "semantics/currency_rates.csv" in caught.value.remedy
    rates = "currency_from,currency_to,rate\nEUR20,USD20,1.25\nUSD20,Taler99,2"
    source = build({"currency_rates.csv": rates})
    assert units.factor("MEUR20", "MUSD20") == pytest.approx(1.25)
    assert units.factor("USD20/GJ", "EUR20/MWh") == pytest.approx(3.6 / 1.25)
    assert units.factor("kTaler99", "EUR20") == pytest.approx(1000 / 2.5)
    assert "MUSD20" in source.unit_choices("system_cost")
    assert total(source, "system_cost", unit="MUSD20") == 3.75
    with pytest.raises(MixedUnitsError):
        units.factor("MEUR20", "MEUR15")


def test_values_per_head_need_the_people_of_all_regions(build: Build) -> None:
    rows = flows("PLANT: GAS 100 -> ELC 40\nLAMP: ELC 40 -> LIGHT 40")
    rows += flows("LAMP: ELC 20 -> LIGHT 20", region="R2")
    rows += flows("LAMP: ELC 20 -> LIGHT 20", year=2030)
    people = "region,year,population\nR1,2020,3000\nR2,2020,1000\nR1,2030,4000"
    source = build({"population.csv": people}, rows)
    assert source.unit_choices("final_energy")[-2:] == ["GJ/capita", "MWh/capita"]
    answer = source.ask(Query("final_energy", unit="GJ/capita"))
    assert answer.frame[["year", "value"]].values.tolist() == [[2020, 60e6 / 4000]]
    assert "population" in answer.notes[0]  # R2 has no people in 2030
    by_region = source.ask(Query("final_energy", unit="GJ/capita", group_by=("region",))).frame
    assert by_region.value.tolist() == [40e6 / 3000, 20e6 / 1000, 20e6 / 4000]
    one = source.ask(Query("final_energy", unit="GJ/capita", regions=("R1",)))
    assert one.frame.value.tolist() == [40e6 / 3000, 20e6 / 4000]
    assert not one.notes
    shown = source.sql(answer.sql)
    assert shown.value.tolist() == answer.frame.value.tolist()


def test_without_people_nothing_is_offered_per_head(build: Build) -> None:
    source = build({})
    assert not [unit for unit in source.unit_choices("final_energy") if "capita" in unit]
    with pytest.raises(MixedUnitsError, match="cannot be shown in GJ/capita"):
        source.ask(Query("final_energy", unit="GJ/capita"))


def test_a_unit_of_ones_own_converts(build: Build) -> None:
    build({"units.csv": "unit,dimension,expression,shown\nMtce,energy,29.3076 petajoule,yes"})
    assert units.factor("Mtce", "PJ") == pytest.approx(29.3076)
    assert units.is_energy("Mtce")


# ---------------------------------------------------------------------------- states of the world

STATES = ("Attribute", "Sow", "Commodity", "Process", "Period", "Region", "Vintage", "TimeSlice",
          "UserConstraint", "PV")  # fmt: skip


def stochastic(tmp_path: Path, tables: dict[str, str]) -> Source:
    """2020 is shared and stands under state 1; in 2030 three states follow."""
    put(tmp_path / "data", tables)
    folder = write_set(
        tmp_path / "files",
        flows("PLANT: -> ELC 1"),
        process_sets={"ELE": "PLANT"},
        commodity_sets={"ELC": "ELC"},
        units={"PJ": "ELC"},
        process_units="process,activity_unit,capacity_unit\nPLANT,PJ,GW",
    )
    rows = [
        ("VAR_FOut", state, "ELC", "PLANT", year, "R1", "-", "ANNUAL", "-", value)
        for state, year, value in (("1", 2020, 40), ("1", 2030, 10), ("2", 2030, 20),
                                   ("3", 2030, 40))
    ]  # fmt: skip
    rows += [("VAR_Cap", state, "-", "PLANT", 2030, "R1", "-", "-", "-", value)
             for state, value in (("1", 1), ("2", 2), ("3", 4))]  # fmt: skip
    (folder / "Case.vd").write_text(header(dimensions=STATES) + cells(rows), encoding="utf-8")
    return publish(folder, tmp_path / "data")


def test_states_of_the_world_are_weighted_by_their_probability(tmp_path: Path) -> None:
    table = "sow,probability\n1,0.5\n2,0.3\n3,0.2"
    source = stochastic(tmp_path, {"states_of_the_world.csv": table})
    answer = source.ask(Query("electricity_generation", unit="PJ"))
    # 2020 counts in full; 2030: 0.5 x 10 + 0.3 x 20 + 0.2 x 40
    assert answer.frame.value.tolist() == pytest.approx([40, 19])
    assert answer.notes == ("Case: expected values, states weighted by their probability",)
    assert source.ask(Query("capacity")).frame.value.tolist() == pytest.approx([1.9])


def test_without_probabilities_states_stay_apart(tmp_path: Path) -> None:
    source = stochastic(tmp_path, {})
    with pytest.raises(TimesError, match="over sow") as caught:
        source.ask(Query("electricity_generation", unit="PJ"))
    assert "states_of_the_world.csv" in caught.value.remedy
    labels = [offer.label for offer in caught.value.instead]
    assert labels[0] == "By state of the world"
    assert "State of the world 1 only" in labels
    # A year before they part has one state alone, which may be shown.
    shared = source.ask(Query("electricity_generation", unit="PJ", years=(2020,)))
    assert shared.frame.value.tolist() == [40]
    assert source.groups("electricity_generation")[-1] == "sow"


@given(
    st.dictionaries(st.integers(1, 12).map(str), st.floats(0.01, 1), min_size=1, max_size=8),
    st.data(),
)
def test_states_that_have_results_count_for_all(
    known: dict[str, float], data: st.DataObject
) -> None:
    present = data.draw(st.sets(st.sampled_from(sorted(known)), min_size=1))
    weights = states.weights(present, known)
    assert weights.keys() == present
    assert sum(weights.values()) == pytest.approx(sum(known.values()))
    if present == known.keys():
        assert weights == pytest.approx(known)


def test_a_state_stands_for_those_that_follow_from_it() -> None:
    # Two branches in a middle year: 1 stands for itself and 2, 3 for itself and 4.
    known = {"1": 0.1, "2": 0.2, "3": 0.3, "4": 0.4}
    assert states.weights(["1", "3"], known) == pytest.approx({"1": 0.3, "3": 0.7})
    assert states.weights(["-"], known) == pytest.approx({"-": 1})


# ---------------------------------------------------------------------------- what is refused

WRONG = [
    ("emission_accounts.csv", "account,comodity\nx,CO2", "column 'commodity' is missing"),
    ("emission_accounts.csv", "account,commodity,colour\nx,CO2,red", "no column 'colour'"),
    ("emission_accounts.csv", "account,commodity,factor\nx,CO2,much", "factor is 'much'"),
    ("emission_accounts.csv", "account,commodity\nx,CO2,1,2,3,4,5,6", "too many cells"),
    ("substances.csv", "substance,code\nHFC,(HFC", "no regular expression"),
    ("carriers.csv", "fuel,ambient\nWind,perhaps", "ambient is 'perhaps'"),
    ("carriers.csv", "fuel,renewable\nWind,nan", "renewable is 'nan'"),
    ("units.csv", "unit,dimension,expression\nfoo,energy,3 bananas", "the size of 'foo'"),
    ("units.csv", "unit,dimension,expression\nfoo,energy,3 kilogram", "do not convert"),
    ("units.csv", "unit,dimension,expression\nfoo,energy,0 joule", "the size of 'foo' is 0"),
    ("currency_rates.csv", "currency_from,currency_to,rate\nEUR20,USD20,-1", "the rate of EUR20"),
    ("currency_rates.csv", "currency_from,currency_to,rate\nEUR20,USD20,2\nUSD20,SEK20,2\n"
     "EUR20,SEK20,5", "contradict"),
    ("states_of_the_world.csv", "sow,probability\n1,0.5\n2,0.2", "are 0.7 together"),
    ("attributes.csv", "attribute,label,kind,unit_source,sum_over,group_by,definition\n"
     "EQ_CombalM,x,price,unknown,region,commodity,x", "must never be added up over region"),
    ("attributes.csv", "attribute,label,kind,unit_source,sum_over,group_by,definition\n"
     "NEW,x,flow,unknown,colour,commodity,x", "cannot be added up over 'colour'"),
    ("measures.yaml", "mine: [1, 2]", "no table of measures"),
    ("measures.yaml", "mine: {label: [", "cannot be read as YAML"),
    ("measures.yaml", "mine: {label: x, definition: x, source: magic, groups: [region]}",
     "source is 'magic'"),
    ("measures.yaml", "mine: {label: x, definition: x, source: flow, groups: [region]}",
     "boundary is missing"),
    ("measures.yaml", "mine: {label: x, definition: x, source: flow, boundary: final,"
     " groups: [colour]}", "cannot be grouped by 'colour'"),
    ("measures.yaml", "mine: {label: x, definition: x, source: attribute, attribute: EQ_CombalM,"
     " groups: [region], sum_over: [region]}", "EQ_CombalM must not be added up over region"),
    ("measures.yaml", "final_energy: {sum: 3}", "no field 'sum'"),
    ("measures.yaml", "final_energy: {units: PJ}", "units is 'PJ'"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "problem"), WRONG)
def test_a_wrong_table_is_named_and_the_one_before_stays(
    build: Build, tmp_path: Path, name: str, text: str, problem: str
) -> None:
    version = build({}).version
    before = measures()["final_energy"]
    put(tmp_path / "data", {name: text})
    with pytest.raises(UnreadableFileError, match=problem) as caught:
        build({name: text})
    assert caught.value.what.startswith(name)
    assert measures()["final_energy"] == before
    (tmp_path / "data" / "semantics" / name).unlink()
    assert open_source(tmp_path / "data").version == version


def test_an_attribute_that_is_not_known_can_be_given_a_meaning(build: Build) -> None:
    table = (
        "attribute,label,kind,unit_source,sum_over,group_by,definition\n"
        "XTRA_Thing,Extra,flow,commodity,process region,process,Something of our own"
    )
    rows = [
        row("XTRA_Thing", 3, process="A", commodity="ELC"),
        row("XTRA_Thing", 4, process="B", commodity="ELC"),
        *flows("PLANT: -> ELC 7"),
    ]
    source = build({"attributes.csv": table}, rows)
    answer = source.ask(Query("attribute:XTRA_Thing"))
    assert (answer.frame.value.tolist(), answer.unit) == ([7], "PJ")


def test_the_command_line_takes_tables_at_import(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "units.csv").write_text("unit,dimension,expression\nMtce,energy,29.3 petajoule\n")
    folder = write_set(tmp_path / "files", flows("PLANT: -> ELC 7"), units={"Mtce": "ELC"})
    data = ["--data-directory", str(tmp_path / "data")]
    assert main(["import", *data, "--semantics", str(own), str(folder)]) == 0
    assert "units.csv" in capsys.readouterr().err
    assert (tmp_path / "data" / "semantics" / "units.csv").exists()
    semantics.use(None)
    source = open_source(tmp_path / "data")
    assert total(source, "attribute:VAR_FOut", unit="PJ") == pytest.approx(7 * 29.3)
    (own / "units.csv").write_text("unit\nx\n")
    assert main(["import", *data, "--semantics", str(own), str(folder)]) == 2
    assert "units.csv" in capsys.readouterr().err
