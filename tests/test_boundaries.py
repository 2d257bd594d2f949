"""Measures on small hand-made systems, where every figure can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalogs.errors import MixedUnitsError, NotAdditiveError, NotAvailableError
from catalogs.query import Query
from catalogs.source import Source
from tests.times_files import flows, publish, row, write_set

Build = Callable[..., Source]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Write a set of files, import it, and open it."""

    def make(rows: list[Any], **options: Any) -> Source:
        return publish(write_set(tmp_path / "files", rows, **options), tmp_path / "data")

    return make


def ask(source: Source, measure: str, *group_by: str, **options: Any) -> dict[Any, float]:
    """Return values by group (by year where there is none), rounded to nine digits."""
    frame = source.ask(Query(measure, group_by=group_by, **options)).frame
    keys = frame[list(group_by) or ["year"]]
    return {
        key[0] if len(key) == 1 else key: round(value, 9)
        for key, value in zip(keys.itertuples(index=False, name=None), frame.value, strict=True)
    }


def total(source: Source, measure: str, **options: Any) -> float:
    """Return the one value of a measure that is not grouped."""
    [value] = ask(source, measure, **options).values()
    return value


# ---------------------------------------------------------------------------- a chain

# Coal is mined, handed on 1:1, burnt; electricity loses 10% on the grid and lights a lamp.
CHAIN = """
    MINCOA:               -> COA 100
    FTECOA:  COA 100      -> ELCCOA 100
    PLANT:   ELCCOA 100   -> ELC 40, CO2 9.4
    GRID:    ELC 40       -> ELCD 36
    LAMP:    ELCD 36      -> LIGHT 36
"""
CHAIN_OPTIONS: dict[str, Any] = {
    "process_sets": {
        "ELE": "PLANT",
        "DMD": "LAMP",
        "DISTR": "GRID",
        "PRE": "FTECOA",
        "RES": "LAMP",
    },
    "commodity_sets": {
        "NRG": "COA ELCCOA ELC ELCD",
        "ELC": "ELC ELCD",
        "DEM": "LIGHT",
        "ENV": "CO2",
    },
    "units": {"PJ": "COA ELCCOA ELC ELCD LIGHT", "kt": "CO2"},
    "descriptions": {"COA": "Hard coal", "LIGHT": "Lighting of households"},
}


def test_a_chain_is_counted_once_at_each_boundary(build: Build) -> None:
    source = build(flows(CHAIN), **CHAIN_OPTIONS)
    assert total(source, "primary_energy") == 100  # coal, not coal + handed-on coal
    assert total(source, "electricity_generation", unit="PJ") == 40  # before the grid's loss
    assert total(source, "final_energy") == 36  # what the lamp takes
    assert total(source, "emissions") == 9.4
    assert total(source, "demand", unit="PJ") == 36


def test_a_chain_keeps_its_origin_through_what_only_hands_on(build: Build) -> None:
    source = build(flows(CHAIN), **CHAIN_OPTIONS)
    assert ask(source, "electricity_generation", "fuel", unit="PJ") == {"Coal": 40}
    assert ask(source, "emissions", "fuel") == {"Coal": 9.4}
    assert ask(source, "primary_energy", "part") == {"Domestic": 100}
    assert ask(source, "final_energy", "fuel") == {"Electricity": 36}
    assert ask(source, "final_energy", "sector") == {"Residential": 36}
    assert ask(source, "emissions", "sector") == {"Power and heat": 9.4}


def test_generation_is_shown_in_terawatt_hours(build: Build) -> None:
    source = build(flows(CHAIN), **CHAIN_OPTIONS)
    answer = source.ask(Query("electricity_generation"))
    assert answer.unit == "TWh"
    assert answer.frame.value.tolist() == pytest.approx([40 / 3.6])


def test_all_timeslices_of_a_year_are_added_up_annual_included(build: Build) -> None:
    # The plant reports by season, the mine only for the year.
    rows = flows("MINCOA: -> COA 100")
    rows += flows("PLANT: COA 70 -> ELC 28", timeslice="W")
    rows += flows("PLANT: COA 20 -> ELC 8", timeslice="S")
    rows += flows("PLANT: COA 10 -> ELC 4", timeslice="ANNUAL")
    source = build(rows, **CHAIN_OPTIONS)
    assert total(source, "electricity_generation", unit="PJ") == 40
    assert ask(source, "electricity_generation", "timeslice", unit="PJ") == {
        "ANNUAL": 4,
        "S": 8,
        "W": 28,
    }


def test_an_aggregate_process_is_no_flow(build: Build) -> None:
    rows = [
        *flows(CHAIN),
        row("VAR_FOut", 40, commodity="ELC"),
        row("VAR_FIn", 40, commodity="ELC"),
    ]
    source = build(rows, **CHAIN_OPTIONS)
    assert total(source, "electricity_generation", unit="PJ") == 40
    by_commodity = ask(source, "attribute:VAR_FOut", "commodity", unit="PJ")
    assert by_commodity["ELC"] == 40
    # ... but it can be looked at by itself.
    assert ask(source, "attribute:VAR_FOut", "process", "commodity", unit="PJ")["-", "ELC"] == 40


# ---------------------------------------------------------------------------- CHP and heat

# A CHP plant heats homes through a network; a household boiler is PRE and feeds a radiator.
HOUSEHOLDS = """
    IMPGAS:             -> GAS 150
    CHP:     GAS 100    -> ELC 30, HET 50
    NET:     HET 50     -> HETD 40
    BOILER:  GAS 50     -> HOT 45
    RAD:     HOT 45     -> WARM 45
    HEX:     HETD 40    -> WARM 40
    INSUL:              -> HOT 5
    RAD2:    HOT 5      -> WARM 5
    LAMP:    ELC 30     -> LIGHT 30
"""
HOUSEHOLD_OPTIONS: dict[str, Any] = {
    "process_sets": {
        "CHP": "CHP",
        "PRE": "BOILER INSUL NET",
        "DISTR": "NET",
        "DMD": "RAD RAD2 HEX LAMP",
        "IRE": "IMPGAS",
    },
    "commodity_sets": {"ELC": "ELC", "DEM": "WARM LIGHT", "NRG": "GAS HET HETD HOT"},
    "units": {"PJ": "GAS ELC HET HETD HOT WARM LIGHT"},
    "more_topology": [("IMPEXP", "IMPGAS", "GAS", "IN")],
    "descriptions": {"WARM": "Heating of dwellings", "GAS": "Natural gas"},
}


def test_only_the_electricity_of_chp_is_generation(build: Build) -> None:
    source = build(flows(HOUSEHOLDS), **HOUSEHOLD_OPTIONS)
    assert ask(source, "electricity_generation", "process", unit="PJ") == {"CHP": 30}
    assert ask(source, "electricity_generation", "technology", unit="PJ") == {"Natural gas CHP": 30}


def test_a_boiler_before_a_radiator_uses_gas_once(build: Build) -> None:
    source = build(flows(HOUSEHOLDS), **HOUSEHOLD_OPTIONS)
    # Gas 50 into the boiler, district heat 40, electricity 30. The boiler's 45 go on within final
    # use: +45 into the radiator, -45 out of the boiler. Savings: +5 into RAD2, -5 out of INSUL.
    assert total(source, "final_energy") == 120
    by_commodity = ask(source, "final_energy", "commodity")
    assert by_commodity == {"ELC": 30, "GAS": 50, "HETD": 40}


def test_savings_are_no_final_energy_and_stand_apart(build: Build) -> None:
    source = build(flows(HOUSEHOLDS), **HOUSEHOLD_OPTIONS)
    by_process = ask(source, "final_energy", "process")
    assert by_process["INSUL"] == -5  # offsets what RAD2 takes of it
    [(savings,)] = source.rows(
        "SELECT sum(value * factor) FROM flow_annual JOIN boundary"
        " USING (region, process, commodity, direction) WHERE boundary = 'savings'"
    )
    assert savings == 5


def test_a_conversion_only_for_households_is_their_final_use(build: Build) -> None:
    # Outside the set DISTR, what loses a fifth is a device like the boiler: its input counts.
    sets = {**HOUSEHOLD_OPTIONS["process_sets"], "DISTR": ""}
    source = build(flows(HOUSEHOLDS), **{**HOUSEHOLD_OPTIONS, "process_sets": sets})
    assert ask(source, "final_energy", "commodity") == {"ELC": 30, "GAS": 50, "HET": 50}


def test_a_plant_that_also_exports_is_not_final_use(build: Build) -> None:
    # The refinery's petrol goes to cars and abroad: final energy is petrol, not crude oil.
    text = """
        IMPOIL:            -> OIL 100
        REF:     OIL 100   -> GSL 90
        CAR:     GSL 60    -> KM 20
        EXPGSL:  GSL 30    ->
    """
    source = build(
        flows(text),
        process_sets={"PRE": "REF", "DMD": "CAR", "IRE": "IMPOIL EXPGSL"},
        commodity_sets={"DEM": "KM", "NRG": "OIL GSL"},
        units={"PJ": "OIL GSL", "Mpkm": "KM"},
        more_topology=[("IMPEXP", "IMPOIL", "OIL", "IN"), ("IMPEXP", "EXPGSL", "GSL", "OUT")],
    )
    assert ask(source, "final_energy", "commodity") == {"GSL": 60}


def test_imports_and_exports_are_told_by_their_part_and_sign(build: Build) -> None:
    text = """
        IMPOIL:            -> OIL 100
        MINWIN:            -> WIN 25
        IMPWIN:            -> SOL 10
        EXPOIL:  OIL 30    ->
        USE:     OIL 70    -> D 70
    """
    source = build(
        flows(text),
        process_sets={"DMD": "USE", "IRE": "IMPOIL MINWIN EXPOIL IMPWIN"},
        commodity_sets={"DEM": "D", "NRG": "OIL WIN SOL"},
        units={"PJ": "OIL WIN SOL D"},
        more_topology=[
            ("IMPEXP", "IMPOIL", "OIL", "IN"),
            ("MINRNW", "MINWIN", "WIN", "IN"),
            ("IMPEXP", "EXPOIL", "OIL", "OUT"),
            ("IMPEXP", "IMPWIN", "SOL", "IN"),
        ],
        descriptions={"SOL": "Solar energy", "WIN": "Wind", "OIL": "Crude oil"},
    )
    # Sun is domestic even where the model takes it from outside.
    assert ask(source, "primary_energy", "part") == {"Domestic": 35, "Exports": -30, "Imports": 100}
    assert total(source, "primary_energy") == 105


# ---------------------------------------------------------------------------- storage


def storage(build: Build) -> Source:
    rows = flows("PLANT: -> ELC 60", timeslice="N") + flows("PLANT: -> ELC 30", timeslice="D")
    rows += flows("BATTERY: ELC 20 ->", timeslice="N") + flows("BATTERY: -> ELC 18", timeslice="D")
    rows += flows("LAMP: ELC 40 -> LIGHT 40", timeslice="N")
    rows += flows("LAMP: ELC 48 -> LIGHT 48", timeslice="D")
    rows += [
        row("VAR_Act", 20, process="BATTERY", timeslice="N"),
        row("VAR_Act", 2, process="BATTERY", timeslice="D"),
        row("VAR_Act", 60, process="PLANT", timeslice="N"),
        row("VAR_Act", 30, process="PLANT", timeslice="D"),
    ]
    return build(
        rows,
        process_sets={"ELE": "PLANT", "STG": "BATTERY", "DMD": "LAMP"},
        commodity_sets={"ELC": "ELC", "DEM": "LIGHT"},
        units={"PJ": "ELC LIGHT"},
        process_units="process,activity_unit\nPLANT,PJ\nBATTERY,PJ",
    )


def test_what_a_storage_gives_back_is_not_generated_again(build: Build) -> None:
    source = storage(build)
    assert total(source, "electricity_generation", unit="PJ") == 90
    assert total(source, "final_energy") == 88  # 90 less the battery's loss of 2
    assert total(source, "primary_energy") == 90


def test_a_storage_level_is_never_added_up_over_timeslices(build: Build) -> None:
    source = storage(build)
    answer = source.ask(Query("attribute:VAR_Act", group_by=("process",)))
    assert dict(zip(answer.frame.process, answer.frame.value, strict=True)) == {"PLANT": 90}
    assert any("storage levels" in note for note in answer.left_out)
    by_timeslice = ask(source, "attribute:VAR_Act", "process", "timeslice")
    assert by_timeslice["BATTERY", "N"] == 20
    assert by_timeslice["BATTERY", "D"] == 2


# ---------------------------------------------------------------------------- trade


def trade(source: Source) -> list[tuple[Any, ...]]:
    return source.rows(
        "SELECT process, region_from, region_to, commodity_from, commodity_to, sent, received,"
        " partner_source FROM trade ORDER BY ALL"
    )


def line(name: str, *, sent: float = 10, received: float = 9) -> list[Any]:
    """R1 sends, R2 receives less the loss."""
    return flows(f"{name}: ELC {sent} ->", region="R1") + flows(
        f"{name}: -> ELC {received}", region="R2"
    )


ELECTRIC: dict[str, Any] = {"commodity_sets": {"ELC": "ELC"}, "units": {"PJ": "ELC"}}


def test_partners_are_read_from_the_topology(build: Build) -> None:
    source = build(line("LINE"), process_sets={"IRE": "LINE"}, **ELECTRIC)
    assert trade(source) == [("LINE", "R1", "R2", "ELC", "ELC", 10, 9, "topology")]


def test_a_commodity_may_change_its_name_on_the_way(build: Build) -> None:
    rows = flows("PIPE: GASA 10 ->", region="R1") + flows("PIPE: -> GASB 9", region="R2")
    source = build(rows, process_sets={"IRE": "PIPE"}, units={"PJ": "GASA GASB"})
    assert trade(source) == [("PIPE", "R1", "R2", "GASA", "GASB", 10, 9, "topology")]


def test_the_outside_world_is_told_by_its_process_set(build: Build) -> None:
    source = build(
        flows("IMPELC: -> ELC 5"),
        process_sets={"IRE": "IMPELC"},
        more_sets=[("Process", "IMPEXP", "IRE", "IMPELC")],
        **ELECTRIC,
    )
    assert trade(source) == [("IMPELC", "IMPEXP", "R1", "ELC", "ELC", None, 5, "process set")]


def test_a_name_tells_partners_where_the_topology_does_not(build: Build) -> None:
    source = build(
        line("TB_ELC_R1_R2_01"), process_sets={"IRE": "TB_ELC_R1_R2_01"}, topology=[], **ELECTRIC
    )
    assert trade(source) == [("TB_ELC_R1_R2_01", "R1", "R2", "ELC", "ELC", 10, 9, "process name")]


def test_an_untold_partner_stays_unknown_and_is_warned_of(build: Build) -> None:
    source = build(line("LINE"), process_sets={"IRE": "LINE"}, topology=[], **ELECTRIC)
    assert trade(source) == [
        ("LINE", "R1", None, "ELC", "ELC", 10, None, "unknown"),
        ("LINE", None, "R2", "ELC", "ELC", None, 9, "unknown"),
    ]
    report = source.import_report()
    assert report[report.topic == "trade"]["count"].tolist() == [1]


def test_a_process_among_three_regions_is_not_guessed_at(build: Build) -> None:
    rows = flows("POOL: ELC 10 ->", region="R1") + flows("POOL: ELC 5 ->", region="R2")
    rows += flows("POOL: -> ELC 8", region="R3") + flows("POOL: -> ELC 6", region="R4")
    source = build(rows, process_sets={"IRE": "POOL"}, **ELECTRIC)
    assert {partner for *_, partner in trade(source)} == {"unknown"}


def test_trade_between_regions_is_no_primary_energy(build: Build) -> None:
    rows = flows("MINCOA: -> COA 100", region="R1")
    rows += flows("SHIP: COA 40 ->", region="R1") + flows("SHIP: -> COA 39", region="R2")
    rows += flows("EXPCOA: COA 25 ->", region="R1")
    source = build(
        rows,
        process_sets={"IRE": "SHIP MINCOA EXPCOA"},
        units={"PJ": "COA"},
        more_topology=[("MINRNW", "MINCOA", "COA", "IN"), ("IMPEXP", "EXPCOA", "COA", "OUT")],
    )
    assert ask(source, "primary_energy", "part") == {"Domestic": 100, "Exports": -25}
    assert ask(source, "primary_energy", "region") == {"R1": 75}


def test_trade_with_an_unknown_partner_is_neither_import_nor_export(build: Build) -> None:
    rows = flows("MINCOA: -> COA 100", region="R1")
    rows += flows("SHIP: COA 40 ->", region="R1") + flows("SHIP: -> COA 39", region="R2")
    source = build(
        rows,
        process_sets={"IRE": "SHIP MINCOA"},
        units={"PJ": "COA"},
        topology=[("R1", "MINCOA", "COA", "OUT"), ("MINRNW", "MINCOA", "COA", "IN")],
    )
    assert ask(source, "primary_energy", "part") == {"Domestic": 100, "Unknown partner": -1}


def test_electricity_bought_is_not_generated(build: Build) -> None:
    source = build(
        flows("PLANT: -> ELC 60\nIMPELC: -> ELC 7"),
        process_sets={"ELE": "PLANT", "IRE": "IMPELC"},
        more_topology=[("IMPEXP", "IMPELC", "ELC", "IN")],
        **ELECTRIC,
    )
    assert total(source, "electricity_generation", unit="PJ") == 60


def test_dummy_imports_are_warned_of(build: Build) -> None:
    source = build(
        flows("IMPNRGZ: -> ELC 3"),
        process_sets={"IRE": "IMPNRGZ"},
        more_topology=[("IMPEXP", "IMPNRGZ", "ELC", "IN")],
        **ELECTRIC,
    )
    report = source.import_report()
    [message] = report[report.topic == "dummy import"].message
    assert "IMPNRGZ supplies 3 in R1" in message
    assert ask(source, "primary_energy", "part") == {"Dummy imports": 3}


# ---------------------------------------------------------------------------- emissions


def test_overlay_emissions_are_never_added(build: Build) -> None:
    # The plant's tonnes stand under CO2 and again under ETSCO2X; the car's only under CO2.
    source = build(
        flows("PLANT: COA 100 -> ELC 40, CO2 9, ETSCO2X 9\nCAR: OIL 10 -> KM 1, CO2 1"),
        process_sets={"ELE": "PLANT", "DMD": "CAR"},
        commodity_sets={"ENV": "CO2 ETSCO2X", "ELC": "ELC", "DEM": "KM"},
        units={"PJ": "COA ELC OIL", "kt": "CO2 ETSCO2X", "Mpkm": "KM"},
    )
    assert ask(source, "emissions", "commodity") == {"CO2": 10}


def test_emissions_of_separate_processes_are_one_account(build: Build) -> None:
    source = build(
        flows("PLANT: COA 100 -> ELC 40, ELCCO2 9\nCAR: OIL 10 -> KM 1, TRACO2 1"),
        process_sets={"ELE": "PLANT", "DMD": "CAR"},
        commodity_sets={"ENV": "ELCCO2 TRACO2", "ELC": "ELC", "DEM": "KM"},
        units={"PJ": "COA ELC OIL", "kt": "ELCCO2 TRACO2", "Mpkm": "KM"},
        descriptions={"KM": "Passenger cars"},
    )
    assert ask(source, "emissions", "commodity") == {"ELCCO2": 9, "TRACO2": 1}
    assert ask(source, "emissions", "sector") == {"Power and heat": 9, "Transport": 1}


def test_an_aggregate_of_emissions_is_not_added_to_its_parts(build: Build) -> None:
    # TOTCO2 is made of the two sectors' by the model itself: its process is '-'.
    rows = flows("PLANT: COA 100 -> ELC 40, ELCCO2 9\nCAR: OIL 10 -> KM 1, TRACO2 1")
    rows += [row("VAR_FOut", 10, commodity="TOTCO2"), row("VAR_Comnet", 10, commodity="TOTCO2")]
    source = build(
        rows,
        process_sets={"ELE": "PLANT", "DMD": "CAR"},
        commodity_sets={"ENV": "ELCCO2 TRACO2 TOTCO2", "ELC": "ELC", "DEM": "KM"},
        units={"PJ": "COA ELC OIL", "kt": "ELCCO2 TRACO2 TOTCO2", "Mpkm": "KM"},
    )
    assert total(source, "emissions") == 10


def test_a_declared_account_goes_before_any_rule(build: Build) -> None:
    # Without the declaration the larger ALLCO2 would be chosen.
    source = build(
        flows(
            "PLANT: COA 100 -> ELC 40, ETSCO2 9, ALLCO2 9\nCAR: OIL 9 -> KM 1, NETSCO2 1, ALLCO2 2"
        ),
        process_sets={"ELE": "PLANT", "DMD": "CAR"},
        commodity_sets={"ENV": "ETSCO2 NETSCO2 ALLCO2", "ELC": "ELC", "DEM": "KM"},
        units={"PJ": "COA ELC OIL", "kt": "ETSCO2 NETSCO2 ALLCO2", "Mpkm": "KM"},
    )
    assert ask(source, "emissions", "commodity") == {"ETSCO2": 9, "NETSCO2": 1}
    report = source.import_report()
    [message] = report[report.topic == "emission account"].message
    assert "declared account" in message


def test_captured_carbon_dioxide_is_taken_off(build: Build) -> None:
    source = build(
        flows("PLANT: COA 100 -> ELC 40, CO2 9\nDAC: CO2 2 ->"),
        process_sets={"ELE": "PLANT"},
        commodity_sets={"ENV": "CO2", "ELC": "ELC"},
        units={"PJ": "COA ELC", "kt": "CO2"},
    )
    assert total(source, "emissions") == 7
    assert ask(source, "emissions", "part") == {"capture": -2, "emission": 9}


def test_a_model_without_emission_commodities_says_so(build: Build) -> None:
    source = build(flows("PLANT: -> ELC 40"), **ELECTRIC)
    with pytest.raises(NotAvailableError, match="nothing to show CO₂ emissions from"):
        source.ask(Query("emissions"))


# ---------------------------------------------------------------------------- demand


def mixed_demand(build: Build) -> Source:
    return build(
        flows("CAR: GSL 10 -> KM 2000\nRAD: HETD 30 -> WARM 30\nBUS: GSL 1 -> SEAT 500"),
        process_sets={"DMD": "CAR RAD BUS"},
        commodity_sets={"DEM": "KM WARM SEAT"},
        units={"PJ": "GSL HETD WARM", "Mpkm": "KM SEAT"},
    )


def test_demands_of_different_units_are_not_added(build: Build) -> None:
    source = mixed_demand(build)
    with pytest.raises(MixedUnitsError, match=r"Choose one of Mpkm, PJ\."):
        source.ask(Query("demand"))


def test_the_unit_chosen_says_which_demands_are_shown_and_the_rest_is_named(build: Build) -> None:
    source = mixed_demand(build)
    answer = source.ask(Query("demand", unit="PJ"))
    assert answer.frame.value.tolist() == [30]
    assert answer.left_out == ("what is measured in Mpkm",)
    assert ask(source, "demand", "commodity", unit="Gpkm") == {"KM": 2, "SEAT": 0.5}


# ---------------------------------------------------------------------------- capacity


def capacity(build: Build) -> Source:
    rows = flows("PLANT: COA 100 -> ELC 40\nBOILER: COA 9 -> HET 8")
    rows += [
        row("VAR_Cap", 1500, process="PLANT", vintage="-", timeslice="-"),
        row("VAR_Cap", 700, process="PLANT", vintage="0", timeslice="-"),
        row("VAR_Cap", -200, process="PLANT", vintage="\xa4", timeslice="-"),
        row("VAR_Cap", 50, process="BOILER", vintage="-", timeslice="-"),
        row("VAR_Cap", 1000, process="PLANT", year=2030, vintage="-", timeslice="-"),
    ]
    return build(
        rows,
        process_sets={"ELE": "PLANT", "HPL": "BOILER"},
        commodity_sets={"ELC": "ELC"},
        units={"PJ": "COA ELC HET"},
        process_units="process,activity_unit,capacity_unit\nPLANT,PJ,MW\nBOILER,PJ,MW",
    )


def test_capacity_is_new_and_residual_stock_less_what_was_retired(build: Build) -> None:
    source = capacity(build)
    # 1500 + 700 - 200 MW; the boiler generates no electricity; years stay apart.
    assert ask(source, "capacity") == {2020: 2.0, 2030: 1.0}
    assert ask(source, "capacity", "vintage", years=(2020,)) == {"-": 1.5, "0": 0.7, "¤": -0.2}


def test_the_byte_of_retired_capacity_reads_the_same_in_either_encoding(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    options: dict[str, Any] = {"process_units": "process,activity_unit,capacity_unit\nP,PJ,GW"}
    rows = [row("VAR_Cap", -1, process="P", vintage="\xa4")]
    write_set(folder, rows, **options)
    utf8 = publish(folder, tmp_path / "utf8")
    vd = folder / "Case.vd"
    vd.write_bytes(vd.read_text(encoding="utf-8").encode("cp1252"))
    cp1252 = publish(folder, tmp_path / "cp1252")
    asked = "SELECT vintage, value FROM result"
    assert utf8.rows(asked) == cp1252.rows(asked) == [("¤", -1.0)]
    report = cp1252.import_report()
    assert report[report.topic == "encoding"]["count"].tolist() == [1]


def test_capacity_units_are_inferred_only_where_they_are_certain(build: Build) -> None:
    rows = flows("A: -> ELC 10\nB: -> ELC 10")
    rows += [row("VAR_Cap", 2, process="A"), row("VAR_Cap", 3, process="B")]
    source = build(
        rows,
        process_sets={"ELE": "A B"},
        process_units="process,activity_unit,capacity_to_activity\nA,PJ,31.536\nB,PJ,28",
        **ELECTRIC,
    )
    answer = source.ask(Query("capacity"))
    assert answer.frame.value.tolist() == [2]  # GW of A; 28 PJ per unit of B could be anything
    assert answer.left_out == ("what is measured in unknown",)


# ---------------------------------------------------------------------------- prices


def prices(build: Build, more: str = "") -> Source:
    rows = [
        *flows("PLANT: -> ELC 30", timeslice="D"),
        *flows("PLANT: -> ELC 10", timeslice="N"),
        *flows("PLANT: -> ELC 60", timeslice="D", region="R2"),
        row("EQ_CombalM", 20, commodity="ELC", timeslice="D"),
        row("EQ_CombalM", 4, commodity="ELC", timeslice="N"),
        row("EQ_CombalM", 50, commodity="ELC", timeslice="D", region="R2"),
        row("EQ_CombalM", 7, commodity="HET", timeslice="D"),
        row("Reg_wobj", 1, commodity="MEUR20", timeslice="-", user_constraint="INV"),
    ]
    return build(
        rows,
        process_sets={"ELE": "PLANT"},
        commodity_sets={"ELC": "ELC", "NRG": "ELC HET"},
        units={"PJ": "ELC HET"},
        timeslices="timeslice,year_fraction\nD,0.75\nN,0.25",
    )


def test_a_price_is_averaged_by_what_is_produced(build: Build) -> None:
    source = prices(build)
    only = (("commodity", ("ELC",)),)
    # R1: (20*30 + 4*10) / 40 = 16; R2: 50; both: (600 + 40 + 3000) / 100 = 36.4 MEUR20/PJ.
    by_region = ask(source, "price", "region", unit="MEUR20/PJ", filters=only)
    assert by_region == {"R1": 16, "R2": 50}
    assert total(source, "price", unit="MEUR20/PJ", filters=only) == 36.4
    # 1 MEUR/PJ = 1 EUR/GJ = 3.6 EUR/MWh
    assert total(source, "price", unit="EUR20/MWh", filters=only) == pytest.approx(131.04)


def test_what_is_produced_weighs_the_same_in_any_unit(build: Build) -> None:
    # 36 PJ at 1 MEUR/PJ in R1; 10 TWh, which are 36 PJ as well, at 3 MEUR/PJ (10.8 per TWh) in R2.
    rows = [
        *flows("PLANT: -> ELC 36"),
        *flows("PLANT: -> ELC 10", region="R2"),
        row("EQ_CombalM", 1, commodity="ELC"),
        row("EQ_CombalM", 10.8, commodity="ELC", region="R2"),
        row("Reg_wobj", 1, commodity="MEUR20", timeslice="-", user_constraint="INV"),
    ]
    source = build(
        rows,
        commodity_sets={"ELC": "ELC"},
        commodity_units="region,commodity,unit\nR1,ELC,PJ\nR2,ELC,TWh",
    )
    assert total(source, "electricity_generation", unit="PJ") == 72
    assert total(source, "price", unit="MEUR20/PJ") == 2


def test_a_price_without_flow_is_averaged_by_time(build: Build) -> None:
    source = prices(build)
    [(weight, by)] = source.rows("SELECT weight, weighted_by FROM price WHERE commodity = 'HET'")
    assert (weight, by) == (0.75, "time")
    assert ask(source, "price", "commodity", unit="MEUR20/PJ")["HET"] == 7


def test_a_region_without_flow_does_not_move_the_average(build: Build) -> None:
    rows = [
        *flows("PLANT: -> ELC 0.001"),
        row("EQ_CombalM", 20, commodity="ELC"),
        row("EQ_CombalM", 500, commodity="ELC", region="R2"),
        row("Reg_wobj", 1, commodity="MEUR20", timeslice="-", user_constraint="INV"),
    ]
    source = build(rows, commodity_sets={"ELC": "ELC"}, units={"PJ": "ELC"})
    assert total(source, "price", unit="MEUR20/PJ") == pytest.approx(20)
    by_region = ask(source, "price", "region", unit="MEUR20/PJ")
    assert by_region == {"R1": 20, "R2": 500}


def test_prices_of_two_commodities_are_never_averaged(build: Build) -> None:
    source = prices(build)
    with pytest.raises(NotAdditiveError, match="commodity"):
        source.ask(Query("price"))


def test_the_price_of_carbon_dioxide_is_minus_its_shadow_price(build: Build) -> None:
    rows = [
        *flows("PLANT: COA 100 -> CO2 9"),
        row("EQ_CombalM", -0.08, commodity="CO2"),
        row("Reg_wobj", 1, commodity="MEUR20", timeslice="-", user_constraint="INV"),
    ]
    source = build(rows, commodity_sets={"ENV": "CO2"}, units={"PJ": "COA", "kt": "CO2"})
    # 0.08 MEUR per kt = 80 EUR per t
    answer = source.ask(Query("emission_price"))
    assert answer.unit == "EUR20/t"
    assert answer.frame.value.tolist() == pytest.approx([80])


# ---------------------------------------------------------------------------- stochastic runs


def test_states_of_the_world_are_never_added_or_averaged(tmp_path: Path) -> None:
    from tests.times_files import cells, header

    names = ("Attribute", "Sow", "Commodity", "Process", "Period", "Region", "Vintage")
    dimensions = (*names, "TimeSlice", "UserConstraint", "PV")
    rows = [
        ("VAR_FOut", "1", "ELC", "PLANT", "2020", "R1", "-", "ANNUAL", "-", 40),
        ("VAR_FOut", "2", "ELC", "PLANT", "2020", "R1", "-", "ANNUAL", "-", 60),
        ("EQ_CombalM", "1", "ELC", "-", "2020", "R1", "-", "ANNUAL", "-", 10),
        ("EQ_CombalM", "2", "ELC", "-", "2020", "R1", "-", "ANNUAL", "-", 30),
        ("VAR_Cap", "1", "-", "PLANT", "2020", "R1", "-", "-", "-", 1),
        ("VAR_Cap", "2", "-", "PLANT", "2020", "R1", "-", "-", "-", 2),
        ("Reg_wobj", "-", "MEUR20", "-", "-", "R1", "-", "-", "INV", 1),
    ]
    folder = write_set(
        tmp_path / "files",
        flows("PLANT: -> ELC 1"),
        process_sets={"ELE": "PLANT"},
        process_units="process,activity_unit,capacity_unit\nPLANT,PJ,GW",
        **ELECTRIC,
    )
    text = header(dimensions=dimensions) + cells(rows)
    (folder / "Case.vd").write_text(text, encoding="utf-8")
    source = publish(folder, tmp_path / "data")
    for measure in ("electricity_generation", "price", "capacity"):
        with pytest.raises(NotAdditiveError, match="over sow"):
            source.ask(Query(measure))
    assert ask(source, "electricity_generation", "sow", unit="PJ") == {"1": 40, "2": 60}
    assert ask(source, "price", "sow", unit="MEUR20/PJ") == {"1": 10, "2": 30}
    only = (("sow", ("2",)),)
    assert total(source, "capacity", filters=only) == 2
    assert total(source, "electricity_generation", filters=only, unit="PJ") == 60
    report = source.import_report()
    assert report[report.topic == "stochastic"].severity.tolist() == ["warning"]
