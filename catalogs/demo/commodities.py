"""Commodities of the demo model: energy carriers, demands and emissions."""

from __future__ import annotations

from dataclasses import dataclass

ANNUAL = "ANNUAL"
DAYNITE = "DAYNITE"


@dataclass(frozen=True)
class Commodity:
    """A commodity; ``group`` is its kind of energy carrier or the sector of a demand."""

    code: str
    description: str
    unit: str = "PJ"
    level: str = ANNUAL
    type: str = "NRG"
    group: str = ""


FUELS = (
    ("GAS", "Natural gas", "FOS"),
    ("OIL", "Fuel oil", "FOS"),
    ("DSL", "Diesel", "FOS"),
    ("GSL", "Gasoline", "FOS"),
    ("COA", "Coal", "FOS"),
    ("SHA", "Oil shale", "FOS"),
    ("NUC", "Nuclear fuel", ""),
    ("BIO", "Solid biomass", "REN"),
    ("WST", "Municipal waste", "REN"),
    ("BDS", "Biodiesel", "REN"),
    ("WIN", "Wind", "REN"),
    ("SOL", "Solar radiation", "REN"),
    ("HYD", "Hydro power inflow", "REN"),
    ("AMB", "Ambient heat", "REN"),
    ("HH2", "Hydrogen", "SYN"),
)
_DEMANDS = (
    ("DRHEA", "Homes: space and water heat", "PJ", "RES"),
    ("DCHEA", "Services: space and water heat", "PJ", "COMM"),
    ("DRAPP", "Homes: appliances and lighting", "PJ", "RES"),
    ("DCAPP", "Services: appliances and lighting", "PJ", "COMM"),
    ("DIHEA", "Industry: process heat", "PJ", "IND"),
    ("DIELC", "Industry: motors, processes and data centres", "PJ", "IND"),
    ("DIHH2", "Industry: hydrogen for chemicals and steel", "PJ", "IND"),
    ("DAGRI", "Agriculture and fishing: energy services", "PJ", "AGR"),
    ("DTCAR", "Transport: cars", "Gvkm", "TRN"),
    ("DTTRU", "Transport: trucks", "Mt-km", "TRN"),
)
_EMISSIONS = (
    ("ELCCO2", "CO2 from power plants and combined heat and power"),
    ("HETCO2", "CO2 from district heat boilers"),
    ("INDCO2", "CO2 from industry"),
    ("TRACO2", "CO2 from transport"),
    ("RSDCO2", "CO2 from homes and services"),
    ("AGRCO2", "CO2 from agriculture"),
    ("TOTCO2", "CO2 of all sectors together"),
)
TOTAL_EMISSION = "TOTCO2"

COMMODITIES: dict[str, Commodity] = {
    item.code: item
    for item in (
        *(Commodity(code, text, group=group) for code, text, group in FUELS),
        Commodity("ELC", "Electricity, high voltage", level=DAYNITE, group="ELC"),
        Commodity("ELCD", "Electricity, delivered", level=DAYNITE, group="ELC"),
        Commodity("HET", "District heat, at the plant", level=DAYNITE, group="HET"),
        Commodity("HETD", "District heat, delivered", level=DAYNITE, group="HET"),
        *(
            Commodity(code, text, unit, type="DEM", group=sector)
            for code, text, unit, sector in _DEMANDS
        ),
        *(Commodity(code, text, "kt", type="ENV") for code, text in _EMISSIONS),
    )
}
