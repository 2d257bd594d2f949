"""Every rule of what may be added up: what is allowed, what is refused, and what is offered.

One small system of two regions, whose figures can be worked out by hand (see SYSTEM). Each line of
a table below is a rule of the domain: the question, and either its answer or the refusal with the
offer that stands in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb
import pytest

from catalogs.errors import MixedUnitsError, NotAdditiveError, NotAvailableError, TimesError
from catalogs.figures import build_figures
from catalogs.measures import attributes, measure
from catalogs.query import Query
from catalogs.source import Source
from catalogs.tables import create_tables
from tests.times_files import flows, publish, row, write_set

# Coal is mined and burnt; CHP burns gas and biomass half and half; wind comes from "outside".
# A battery loses a tenth; a line to R2 loses 1 of 12; the grid of R1 is left with a surplus of 10.
SYSTEM = """
    MINCOA:                  -> COA 100
    MINBIO:                  -> BIO 40
    IMPGAS:                  -> GAS 60
    IMPWIN:                  -> WIN 20
    EXPCOA:  COA 20          ->
    COALPP:  COA 80          -> ELC 32, CO2 8, CH4 0.1
    CHP:     GAS 40, BIO 40  -> ELC 30, HET 30, CO2 2.2
    BATTERY: ELC 10          -> ELC 9
    LINE:    ELC 12          ->
    LAMP:    ELC 59          -> LIGHT 59
    BOILER:  GAS 20          -> WARM 18, CO2 1.1
    HEX:     HET 32          -> WARM 32
    CAR:     ELC 0           -> KM 500
    INSUL:                   -> HET 2
"""
PERIODS = "year,start,end\n2020,2018,2022\n2030,2023,2037\n"


def rows() -> list[Any]:
    found = flows(SYSTEM)
    found += flows("WINDPP: WIN 15 -> ELC 15", timeslice="D")
    found += flows("WINDPP: WIN 5 -> ELC 5", timeslice="N")
    found += flows("LINE: -> ELC 11\nLAMP: ELC 11 -> LIGHT 11", region="R2")
    found += flows("MINCOA: -> COA 50\nCOALPP: COA 50 -> ELC 20, CO2 5\nLAMP: ELC 20 -> LIGHT 20",
                   year=2030)  # fmt: skip
    lump: dict[str, Any] = {"timeslice": "-", "year": "-"}
    found += [
        row("VAR_Act", 32, process="COALPP"),
        row("VAR_Act", 20, process="WINDPP"),
        row("VAR_Act", 500, process="CAR"),
        row("VAR_Act", 9, process="BATTERY", timeslice="D"),
        row("VAR_Act", 1, process="BATTERY", timeslice="N"),
        row("VAR_Cap", 1.5, process="COALPP", timeslice="-"),
        row("VAR_Cap", 0.7, process="COALPP", vintage="0", timeslice="-"),
        row("VAR_Cap", -0.2, process="COALPP", vintage="\xa4", timeslice="-"),
        row("VAR_Cap", 1, process="WINDPP", timeslice="-"),
        row("VAR_Cap", 1.5, process="COALPP", year=2030, timeslice="-"),
        row("VAR_Cap", 1.9, process="WINDPP", year=2030, timeslice="-"),
        row("VAR_Ncap", 1.5, process="WINDPP", year=2030, timeslice="-"),
        row("Cap_New", 1.5, process="WINDPP", year=2030, timeslice="-", user_constraint="INSTCAP"),
        row("Cap_New", 9, process="WINDPP", year=2030, timeslice="-", user_constraint="LUMPINV"),
        row("Cap_New", 7, process="WINDPP", year=2030, timeslice="-", user_constraint="INV+"),
        row("VAR_Comnet", 11.5, commodity="CO2"),
        row("VAR_Comprd", 11.3, commodity="CO2"),
        row("VAR_Comprd", 82, commodity="ELC"),
        row("EQ_Combal", 3, commodity="ELC"),
        row("EQ_Combal", 4, commodity="ELC", region="R2"),
        row("EQ_Combal", 9, commodity="HET"),
        row("EQ_CombalM", 20, commodity="ELC"),
        row("EQ_CombalM", 50, commodity="ELC", region="R2"),
        row("EQ_CombalM", 7, commodity="HET"),
        row("EQ_CombalM", 1267103, commodity="LIGHT"),
        row("VAR_ComnetM", -0.05, commodity="CO2"),
        row("Cost_Comx", 0.23, commodity="CO2"),
        row("Cost_Inv", 4, process="COALPP", timeslice="-", user_constraint="INV"),
        row("Cost_Inv", 6, process="WINDPP", timeslice="-", user_constraint="INV+"),
        row("Cost_Salv", 2, process="COALPP", timeslice="-", year="-"),
        row("Reg_ACost", 10, timeslice="-", user_constraint="INV"),
        row("Reg_ACost", 5, timeslice="-", user_constraint="VAR"),
        row("Reg_ACost", 1, timeslice="-", user_constraint="INV", region="R2"),
        row("Reg_wobj", 100, commodity="MEUR20", user_constraint="INV", **lump),
        row("Reg_wobj", 50, commodity="MEUR20", user_constraint="VAR", **lump),
        row("Reg_wobj", 20, commodity="MEUR20", user_constraint="INV", region="R2", **lump),
        row("Reg_obj", 150, **lump),
        row("Reg_obj", 20, region="R2", **lump),
        row("Reg_irec", 5, **lump),
        row("Reg_irec", -5, region="R2", **lump),
        row("ObjZ", 170, region="-", **lump),
        row("Time_NPV", 4.5, timeslice="-", user_constraint="COST"),
        row("Time_NPV", 4.4, timeslice="-", user_constraint="LEVCOST"),
        row("PAR_CapUP", 3, process="COALPP", timeslice="-"),
        row("PAR_CapUP", 4, process="WINDPP", timeslice="-"),
        row("User_con", 3, timeslice="-", user_constraint="UC1"),
        row("User_con", 4, timeslice="-", user_constraint="UC2"),
        row("VAR_POut", 3, process="COALPP", timeslice="D"),
        row("VAR_POut", 4, process="COALPP", timeslice="N"),
        row("XTRA_Thing", 3, process="COALPP"),
        row("XTRA_Thing", 4, process="WINDPP"),
    ]
    return found


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    folder = tmp_path_factory.mktemp("measures")
    write_set(
        folder / "files",
        rows(),
        process_sets={
            "ELE": "COALPP WINDPP",
            "CHP": "CHP",
            "DMD": "LAMP BOILER HEX CAR INSUL",
            "STG": "BATTERY",
            "IRE": "MINCOA MINBIO IMPGAS IMPWIN EXPCOA LINE",
            "RES": "LAMP BOILER HEX INSUL",
        },
        commodity_sets={"ELC": "ELC", "DEM": "LIGHT WARM KM", "ENV": "CO2 CH4"},
        units={"PJ": "COA BIO GAS WIN ELC HET LIGHT WARM", "kt": "CO2 CH4", "Mpkm": "KM"},
        process_units=(
            "process,activity_unit,capacity_to_activity\nCOALPP,PJ,31.536\nWINDPP,PJ,31.536\n"
            "BATTERY,PJ,1\nCAR,Mpkm,"
        ),
        descriptions={"COA": "Hard coal", "BIO": "Wood chips", "GAS": "Natural gas",
                      "WIN": "Wind", "ELC": "Electricity", "CH4": "Methane"},
        timeslices="timeslice,year_fraction\nD,0.5\nN,0.5",
        more_topology=[
            ("MINRNW", "MINCOA", "COA", "IN"),
            ("MINRNW", "MINBIO", "BIO", "IN"),
            ("IMPEXP", "IMPGAS", "GAS", "IN"),
            ("IMPEXP", "IMPWIN", "WIN", "IN"),
            ("IMPEXP", "EXPCOA", "COA", "OUT"),
        ],
    )  # fmt: skip
    (folder / "files" / "periods.csv").write_text(PERIODS, encoding="utf-8")
    return publish(folder / "files", folder / "data")


def figures(source: Source, query: Query) -> dict[Any, float]:
    """Return values by group, or by year (None for the whole horizon) where there is none."""
    frame = source.ask(query).frame
    names = list(query.group_by) or ["year"]
    keys = frame[names].astype(object).where(frame[names].notna(), None)
    return {
        key[0] if len(key) == 1 else key: round(value, 6)
        for key, value in zip(keys.itertuples(index=False, name=None), frame.value, strict=True)
    }


def of(attribute: str, *group_by: str, year: int | None = 2020, **options: Any) -> Query:
    """Return the query of an attribute as it is."""
    years = (year,) if year else ()
    return Query(f"attribute:{attribute}", years=years, group_by=group_by, **options)


def asks(name: str, *group_by: str, year: int | None = 2020, **options: Any) -> Query:
    """Return the query of a measure."""
    return Query(name, years=(year,) if year else (), group_by=group_by, **options)


def only(dimension: str, *members: str) -> Any:
    """Return the filter that keeps some members."""
    return ((dimension, members),)


ELC = only("commodity", "ELC")
CO2 = only("commodity", "CO2")

#: What is allowed, attribute by attribute (DOMAIN section 2): the question and its answer.
ALLOWED: list[tuple[str, Query, Mapping[Any, float]]] = [
    (
        "flows over timeslices, regions, processes",
        of("VAR_FOut", filters=ELC, unit="PJ"),
        {2020: 102},
    ),
    (
        "flows apart by timeslice",
        of("VAR_FOut", "timeslice", filters=ELC, unit="PJ"),
        {"ANNUAL": 82, "D": 15, "N": 5},
    ),
    ("activity over timeslices; storage is left out", of("VAR_Act", unit="PJ"), {2020: 52}),
    (
        "a storage level in one timeslice",
        of("VAR_Act", filters=(("process", ("BATTERY",)), ("timeslice", ("D",))), unit="PJ"),
        {2020: 9},
    ),
    (
        "capacity: new and residual less retired",
        of("VAR_Cap", "process"),
        {"COALPP": 2, "WINDPP": 1},
    ),
    (
        "years stay apart",
        of("VAR_Cap", filters=only("process", "COALPP"), year=None),
        {2020: 2, 2030: 1.5},
    ),
    ("additions of a period", of("VAR_Ncap", year=2030), {2030: 1.5}),
    (
        "additions by kind",
        of("Cap_New", filters=only("user_constraint", "INSTCAP"), year=2030, unit="GW"),
        {2030: 1.5},
    ),
    (
        "money by kind",
        of("Cap_New", "user_constraint", year=2030, unit="MEUR20"),
        {"INV+": 7, "LUMPINV": 9},
    ),
    ("one commodity's net production", of("VAR_Comnet", filters=CO2), {2020: 11.5}),
    ("a balance over regions", of("EQ_Combal", filters=ELC), {2020: 7}),
    (
        "prices apart",
        of("EQ_CombalM", "region", filters=ELC, unit="MEUR20/PJ"),
        {"R1": 20, "R2": 50},
    ),
    ("annual cost over processes and kinds", of("Cost_Inv"), {2020: 10}),
    ("annual cost of all regions", of("Reg_ACost"), {2020: 16}),
    ("the objective of all regions", of("Reg_obj", year=None), {None: 170}),
    ("its parts are its whole", of("Reg_wobj", year=None), {None: 170}),
    ("transfers cancel", of("Reg_irec", year=None), {None: 0}),
    ("salvage over processes", of("Cost_Salv", year=None), {None: 2}),
    ("bounds apart", of("PAR_CapUP", "process"), {"COALPP": 3, "WINDPP": 4}),
    ("what is unknown, apart", of("XTRA_Thing", "process"), {"COALPP": 3, "WINDPP": 4}),
]

#: What measures answer (DOMAIN section 3).
ANSWERED: list[tuple[str, Query, Mapping[Any, float]]] = [
    ("final energy", asks("final_energy"), {2020: 120}),
    ("savings apart", asks("savings"), {2020: 2}),
    ("generation: no storage, no trade", asks("electricity_generation", unit="PJ"), {2020: 82}),
    ("primary energy", asks("primary_energy", "part"),
     {"Domestic": 160, "Imports": 60, "Exports": -20}),
    ("ambient carriers are domestic", asks("primary_energy", "fuel", filters=only("part",
     "Domestic")), {"Biomass": 40, "Coal": 100, "Wind": 20}),
    ("import dependency: (60 - 20) / 200", asks("import_dependency"), {2020: 20}),
    ("as a share", asks("import_dependency", unit="share"), {2020: 0.2}),
    ("renewable generation: wind 20, half of CHP 15, of 82", asks("renewable_electricity",
     regions=("R1",)), {2020: round(3500 / 82, 6)}),
    ("CHP pro rata", asks("renewable_electricity", "process"),
     {"CHP": 50, "COALPP": 0, "WINDPP": 100}),
    ("renewable primary: 60 of 200", asks("renewable_primary"), {2020: 30}),
    ("electricity keeps its mix over the line to R2", asks("renewable_final", regions=("R2",)),
     {2020: round(3500 / 82, 6)}),
    ("trade by partner; extraction and wind are none", asks("trade", "partner"),
     {"R1": 11, "R2": -12, "World market": 40}),
    ("over all regions internal trade nets to its loss", asks("trade", filters=ELC), {2020: -1}),
    ("storage loses what it does not give back", asks("storage_loss"), {2020: 1}),
    ("storage by part", asks("storage_loss", "part"), {"Charged": 10, "Discharged": -9}),
    ("a balance closes", asks("commodity_balance", "part", filters=ELC, regions=("R1",)),
     {"Production": 82, "From storage": 9, "Into storage": -10, "Exports": -12,
      "Consumption": -59, "Surplus": -10}),
    ("a demand's balance", asks("commodity_balance", "part", filters=only("commodity", "LIGHT")),
     {"Production": 70, "Demand": -70}),
    ("a balance by timeslice: wind by day and night, all else over the year",
     asks("commodity_balance", "timeslice", "part", filters=ELC, regions=("R1",)),
     {("ANNUAL", "Production"): 62, ("ANNUAL", "From storage"): 9, ("ANNUAL", "Into storage"): -10,
      ("ANNUAL", "Exports"): -12, ("ANNUAL", "Consumption"): -59,
      ("ANNUAL", "Between timeslices"): 10, ("D", "Production"): 15,
      ("D", "Between timeslices"): -15, ("N", "Production"): 5, ("N", "Between timeslices"): -5}),
    ("a balance of one timeslice", asks("commodity_balance", "part", filters=only("commodity",
     "WIN") + only("timeslice", "D"), regions=("R1",)),
     {"Consumption": -15, "Between timeslices": 15}),
    ("what no grid loses is delivered", asks("electricity_delivered", unit="PJ"), {2020: 82}),
    ("average power: 15 PJ in half a year",
     asks("average_power", "timeslice", filters=only("process", "WINDPP")),
     {"D": round(15 / 31.536 / 0.5, 6), "N": round(5 / 31.536 / 0.5, 6)}),
    ("over the year", asks("average_power", filters=only("process", "WINDPP"), unit="MW"),
     {2020: round(20000 / 31.536, 6)}),
    ("utilisation: 32 of 2 GW x 31.536", asks("utilisation", "process"),
     {"COALPP": round(3200 / 63.072, 6), "WINDPP": round(2000 / 31.536, 6)}),
    ("groups weigh by what they could do", asks("utilisation"), {2020: round(5200 / 94.608, 6)}),
    ("additions per year", asks("capacity_additions_per_year", year=None), {2030: 0.1}),
    ("retirements: 1 + 1.5 - 1.9, and 2 - 1.5", asks("capacity_retirements", "process", year=None),
     {"COALPP": 0.5, "WINDPP": 0.6}),
    ("emissions", asks("emissions"), {2020: 11.3}),
    ("methane has an account of its own", asks("emissions_ch4"), {2020: 0.1}),
    ("greenhouse gases by warming: 11.3 + 28 x 0.1", asks("emissions_ghg"), {2020: 14.1}),
    ("system total and residual", asks("emissions_reconciled", "part"),
     {"From processes": 11.3, "Residual": 0.2}),
    ("carbon budget: 5 x 11.3, then + 15 x 5", asks("cumulative_emissions", unit="kt", year=None),
     {2020: 56.5, 2030: 131.5}),
    ("a later year alone holds what came before", asks("cumulative_emissions", unit="kt",
     year=2030), {2030: 131.5}),
    ("price of a cap and taxes: 50 + 0.23/11.5 x 1000", asks("emission_price", "commodity"),
     {"CO2": 70}),
    ("energy prices leave demands out", asks("price", "commodity", unit="MEUR20/PJ"),
     {"ELC": round((20 * 71 + 50 * 11) / 82, 6), "HET": 7}),
    ("objective by kind", asks("objective", "user_constraint", year=None), {"INV": 120, "VAR": 50}),
    ("objective by region is domestic", asks("objective", "region", year=None),
     {"R1": 150, "R2": 20}),
    ("with trade", asks("objective_with_trade", "region", year=None), {"R1": 155, "R2": 15}),
    ("the whole is the same", asks("objective_with_trade", year=None), {None: 170}),
]  # fmt: skip

#: What is refused: the question, the refusal, and a label among the offers.
REFUSED: list[tuple[str, Query, type[TimesError], str, str]] = [
    ("flows of different commodities", of("VAR_FOut", unit="PJ"), NotAdditiveError,
     "over commodity", "By commodity"),
    ("flows of different units", of("VAR_FOut"), MixedUnitsError, "cannot be added", "PJ"),
    ("storage levels over timeslices", of("VAR_Act", filters=only("process", "BATTERY"),
     unit="kt"), MixedUnitsError, "cannot be shown in kt", "PJ"),
    ("activities of different units", of("VAR_Act"), MixedUnitsError, "cannot be added", "PJ"),
    ("kinds of new capacity", of("Cap_New", year=2030, unit="MEUR20"), NotAdditiveError,
     "over user_constraint", "By kind"),
    ("net production of different things", of("VAR_Comprd"), MixedUnitsError, "cannot be added",
     "PJ"),
    ("prices of regions", of("EQ_CombalM", filters=ELC, unit="MEUR20/PJ"), NotAdditiveError,
     "over region", "By region"),
    ("average prices of commodities", asks("price"), NotAdditiveError, "over commodity",
     "By commodity"),
    ("discount factors", of("Time_NPV"), NotAdditiveError, "over user_constraint", "By kind"),
    ("bounds", of("PAR_CapUP"), NotAdditiveError, "over process", "By process"),
    ("levels of constraints", of("User_con"), NotAdditiveError, "over user_constraint", "By kind"),
    ("power levels", of("VAR_POut"), NotAdditiveError, "over timeslice", "By timeslice"),
    ("unknown attributes", of("XTRA_Thing"), NotAdditiveError, "over process", "By process"),
    ("the balance of everything", asks("commodity_balance"), MixedUnitsError,
     "cannot be added", "Commodity Electricity only"),
    ("balances of different commodities", asks("commodity_balance", unit="PJ"), NotAdditiveError,
     "over commodity", "By commodity"),
    ("average power over timeslices", asks("average_power", filters=only("timeslice", "D", "N")),
     NotAdditiveError, "over timeslice", "By timeslice"),
    ("demands of different units", asks("demand"), MixedUnitsError, "cannot be added", "PJ"),
    ("a share in a unit of energy", asks("renewable_primary", unit="PJ"), MixedUnitsError,
     "is shown in % or share", "In %"),
    ("what the model does not have", asks("emissions_nox"), NotAvailableError, "nothing to show",
     "emissions"),
    ("a scenario that is misspelt", Query("final_energy", scenarios=("Csae",)), TimesError,
     "no scenario 'Csae'", "Case"),
    ("a year between two", Query("final_energy", years=(2029,)), TimesError, "no year 2029",
     "2030"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), [pytest.param(q, e, id=n) for n, q, e in ALLOWED])
def test_an_attribute_is_added_up_where_that_means_something(
    source: Source, query: Query, expected: Mapping[Any, float]
) -> None:
    assert figures(source, query) == pytest.approx(expected)


@pytest.mark.parametrize(("query", "expected"), [pytest.param(q, e, id=n) for n, q, e in ANSWERED])
def test_a_measure_counts_what_it_says(
    source: Source, query: Query, expected: Mapping[Any, float]
) -> None:
    assert figures(source, query) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("query", "error", "why", "offered"), [pytest.param(*r, id=n) for n, *r in REFUSED]
)
def test_a_refusal_says_why_and_offers_the_nearest_that_is_answered(
    source: Source, query: Query, error: type[TimesError], why: str, offered: str
) -> None:
    with pytest.raises(error, match=why) as caught:
        source.ask(query)
    assert caught.value.remedy
    labels = [offer.label for offer in caught.value.instead]
    assert any(offered in label for label in labels), labels
    for offer in caught.value.instead:
        assert not source.ask(offer.query).frame.empty, offer.label


def test_every_offer_for_any_question_is_answered(source: Source) -> None:
    """Ask everything in turn without any group: whatever is refused leads on."""
    names = [*source.measure_names, *(f"attribute:{name}" for name in source.attribute_names)]
    queries = [
        Query(name, group_by=group_by, unit=unit)
        for name in names
        for group_by in ((), measure(name).groups[:1], measure(name).groups[1:2])
        for unit in ("", "bananas")
    ]
    refusals = {query: refusal for query in queries if (refusal := refusal_of(source, query))}
    assert len(refusals) > 50
    for query, refusal in refusals.items():
        assert refusal.instead, query
        for offer in refusal.instead:
            assert offer.query != query
            assert not source.ask(offer.query).frame.empty, (query, offer)
            assert offer.label[0] == offer.label[0].upper()


def refusal_of(source: Source, query: Query) -> TimesError | None:
    """Return the refusal of a query, None where it is answered."""
    try:
        source.ask(query)
    except TimesError as error:
        return error
    return None


def test_ratios_and_prices_are_marked_as_never_totalled() -> None:
    for name in ("renewable_electricity", "import_dependency", "utilisation", "price",
                 "emission_price"):  # fmt: skip
        asked = measure(name)
        assert asked.is_ratio, name
        assert not any(asked.adds_up_over(group) for group in asked.groups), name
    assert measure("average_power").adds_up_over("technology")
    assert not measure("average_power").adds_up_over("timeslice")
    assert not measure("commodity_balance").adds_up_over("commodity")
    assert measure("final_energy").adds_up_over("fuel")
    assert not measure("attribute:EQ_CombalM").adds_up_over("commodity")


def test_every_attribute_of_the_domain_is_in_the_table() -> None:
    assert {r[0] for r in rows()} - {"XTRA_Thing"} <= set(attributes())


# ---------------------------------------------------------------------------- grid losses


def test_what_the_grid_loses_is_interpolated_between_the_years_given() -> None:
    """COM_IE of 0.9 in 2020 and 0.8 in 2030; a winter of its own; nothing outside is guessed."""
    with duckdb.connect() as connection:
        create_tables(connection)
        for table in ("coded_result", "raw_result"):
            connection.execute(f"CREATE TEMP TABLE {table} AS FROM result")
        connection.execute(
            "INSERT INTO commodity_efficiency VALUES ('R1', 'ELC', 2020, 'ANNUAL', 0.9),"
            " ('R1', 'ELC', 2030, 'ANNUAL', 0.8), ('R1', 'ELC', 2020, 'W', 0.5)"
        )
        for year in (2010, 2020, 2025, 2040):
            for timeslice, amount in (("ANNUAL", 80), ("W", 20)):
                connection.execute(
                    "INSERT INTO flow VALUES ('-', ?, ?, 'R1', 'PLANT', 'ELC', 'OUT', ?, 'PJ')",
                    [year, timeslice, amount],
                )
        connection.execute(
            "INSERT INTO flow_annual SELECT sow, year, region, process, commodity, direction,"
            " sum(value), 'PJ' FROM flow GROUP BY ALL"
        )
        connection.execute(
            "INSERT INTO boundary VALUES ('generation', 'R1', 'PLANT', 'ELC', 'OUT', 1, 'PJ',"
            " 'generation', '-', '-', '-', NULL)"
        )
        build_figures(connection)
        lost = connection.execute(
            "SELECT year, round(value, 9) FROM figure WHERE part = 'Grid loss' ORDER BY year"
        ).fetchall()
        delivered = connection.execute(
            "SELECT round(value, 9) FROM figure WHERE figure = 'delivered' ORDER BY year"
        ).fetchall()
    # 80 x (1 - annual) + 20 x 0.5 in winter
    assert lost == [(2010, -18), (2020, -18), (2025, -22), (2040, -26)]
    assert delivered == [(82,), (82,), (78,), (74,)]


# ---------------------------------------------------------------------------- without units


@pytest.fixture(scope="module")
def without_units(tmp_path_factory: pytest.TempPathFactory) -> Source:
    folder = tmp_path_factory.mktemp("bare")
    write_set(
        folder / "files",
        rows(),
        process_sets={"ELE": "COALPP WINDPP", "DMD": "LAMP"},
        commodity_sets={"ELC": "ELC", "DEM": "LIGHT"},
    )
    return publish(folder / "files", folder / "data")


@pytest.mark.parametrize("attribute", ["VAR_Act", "VAR_Cap", "VAR_Ncap"])
def test_without_units_processes_are_offered_one_by_one(
    without_units: Source, attribute: str
) -> None:
    query = Query(f"attribute:{attribute}", group_by=("technology",))
    if attribute == "VAR_Ncap":
        assert not without_units.ask(query).frame.empty  # one process: nothing to add up
        return
    with pytest.raises(MixedUnitsError, match="unknown") as caught:
        without_units.ask(query)
    first = caught.value.instead[0]
    assert first.label == "By process"
    assert first.query.group_by == ("process",)


def test_a_total_that_needs_units_offers_the_rows_behind_it(without_units: Source) -> None:
    with pytest.raises(NotAvailableError, match="nothing to show final energy") as caught:
        without_units.ask(Query("final_energy", group_by=("fuel",)))
    [first, *_] = caught.value.instead
    assert first.query.measure == "attribute:VAR_FIn"
    assert first.query.group_by == ("commodity",)
