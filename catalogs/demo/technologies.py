"""Processes of the demo model: technologies, trade and links, and how codes are made.

Codes. Commodities: three letters for fuels (``GAS``), ``ELC``/``HET`` at the plant and
``ELCD``/``HETD`` delivered, ``D...`` for demands, ``...CO2`` for emissions. Processes: the first
letters tell the place in the system (``IMP``, ``MIN``, ``E`` power plant, ``CH`` combined heat and
power, ``H`` district heat, ``P`` conversion, ``S`` storage, ``DIST`` grid, ``R``/``C``/``I``/``A``/
``T`` homes, services, industry, agriculture, transport), then the fuel or kind; ``00`` is stock
that is not built any more, ``01`` can be built.

A mode says what one unit of activity takes in and gives out. Costs are in MEUR20: investment and
fixed cost per unit of capacity, variable cost per unit of activity.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from catalogs.demo import data
from catalogs.demo.commodities import ANNUAL, DAYNITE, FUELS

GW_YEAR = 31.536  # PJ of one GW over a year
HEAT_DEVICE_USE = 0.20  # full-load share of a building's heating device
INDUSTRY_USE = 0.70


@dataclass(frozen=True)
class Mode:
    """What one unit of activity consumes and produces [commodity unit per activity unit]."""

    inputs: dict[str, float] = field(default_factory=dict)
    outputs: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Process:
    """A technology. Pairs of figures hold for 2025 and 2050 and are interpolated between."""

    code: str
    description: str
    sets: tuple[str, ...]
    modes: tuple[Mode, ...]
    level: str = DAYNITE
    activity_unit: str = "PJ"
    capacity_unit: str = "GW"
    capacity_to_activity: float = GW_YEAR
    investment: tuple[float, float] | None = None
    fixed: float = 0.0
    variable: float = 0.0
    life: int = 25
    availability: float = 1.0
    first_year: int = 2030
    retirement: str = "slow"
    emission: str = ""
    load: str = ""
    demand: str = ""
    efficiency: float = 0.0  # of storage: out by in
    hours: float = 0.0  # of storage: at full power
    regions: tuple[str, ...] = data.DEMAND_REGIONS

    @property
    def is_storage(self) -> bool:
        """Whether the process stores within the day."""
        return self.hours > 0


def _one(inputs: dict[str, float], outputs: dict[str, float]) -> tuple[Mode, ...]:
    return (Mode(inputs, outputs),)


def _where(code: str) -> tuple[str, ...]:
    """Return the regions that have or may build the process, in the model's order."""
    known = {*data.STOCK.get(code, ()), *data.POTENTIAL.get(code, ())}
    return tuple(region for region in data.DEMAND_REGIONS if region in known)


def _supply() -> list[Process]:
    free: dict[str, Any] = {"level": ANNUAL, "capacity_unit": "", "capacity_to_activity": 1.0}
    names = {code: text.lower() for code, text, _ in FUELS}
    imports = [
        Process(f"IMP{fuel}1", f"Import of {names[fuel]}", ("IRE",), _one({}, {fuel: 1}), **free)
        for fuel in data.IMPORT_PRICE
    ]
    ambient = [
        Process(
            f"MIN{fuel}1",
            f"Domestic supply of {names[fuel]}",
            ("IRE",),
            _one({}, {fuel: 1}),
            **free,
        )
        for fuel in ("WIN", "SOL", "HYD", "AMB")
    ]
    biomass = [
        Process(
            f"MINBIO{step}",
            f"Domestic solid biomass, {word}",
            ("IRE",),
            _one({}, {"BIO": 1}),
            variable=price,
            **free,
        )
        for step, word, price in zip(
            (1, 2), ("residues", "dearer wood"), data.BIOMASS_PRICE, strict=True
        )
    ]
    waste = tuple(data.WASTE_PJ)
    return [
        *imports,
        *ambient,
        *biomass,
        Process(
            "MINWST1",
            "Collection of municipal waste",
            ("IRE",),
            _one({}, {"WST": 1}),
            variable=data.WASTE_PRICE,
            regions=waste,
            **free,
        ),
        Process(
            "MINSHA1",
            "Mining of oil shale",
            ("IRE",),
            _one({}, {"SHA": 1}),
            variable=data.SHALE_PRICE,
            regions=("EE",),
            **free,
        ),
    ]


def _power(code: str, text: str, fuel: str, efficiency: float, *sets: str, **more: Any) -> Process:
    emission = "ELCCO2" if fuel in data.EMISSION_FACTOR else ""
    return Process(
        code,
        text,
        ("ELE", *sets),
        _one({fuel: 1 / efficiency}, {"ELC": 1}),
        emission=emission,
        **{"regions": _where(code), **more},
    )


def _power_plants() -> list[Process]:
    return [
        _power(
            "EHYDAM00",
            "Hydro power with reservoir",
            "HYD",
            1,
            "RENEW",
            fixed=35,
            availability=0.95,
            retirement="none",
        ),
        _power(
            "EHYROR00", "Hydro power, run of river", "HYD", 1, "RENEW", fixed=35, retirement="none"
        ),
        _power(
            "EWINON01",
            "Onshore wind turbines",
            "WIN",
            1,
            "RENEW",
            investment=(1620, 1300),
            fixed=20,
            variable=0.5,
            life=30,
        ),
        _power(
            "EWINOF01",
            "Offshore wind turbines",
            "WIN",
            1,
            "RENEW",
            investment=(2900, 1900),
            fixed=45,
            variable=0.9,
            life=30,
            retirement="sea",
        ),
        _power(
            "ESOLPV01",
            "Solar cells",
            "SOL",
            1,
            "RENEW",
            investment=(620, 350),
            fixed=9,
            life=35,
            retirement="solar",
        ),
        _power(
            "ENUCLE00",
            "Nuclear power, existing",
            "NUC",
            0.33,
            fixed=95,
            variable=1.5,
            availability=0.84,
            retirement="nuclear",
        ),
        _power(
            "ENUCLE01",
            "Nuclear power, new",
            "NUC",
            0.35,
            investment=(6200, 5200),
            fixed=100,
            variable=1.2,
            life=60,
            availability=0.88,
            first_year=2040,
        ),
        _power(
            "EGTGAS01",
            "Gas turbines",
            "GAS",
            0.40,
            investment=(450, 420),
            fixed=8,
            variable=1.2,
            life=30,
            availability=0.92,
            first_year=2025,
            retirement="biomass",
            regions=("DKW", "DKE", "SES", "FI", "EE", "LV", "LT"),
        ),
        _power(
            "EGTHH201",
            "Hydrogen turbines",
            "HH2",
            0.42,
            investment=(620, 520),
            fixed=10,
            variable=1.2,
            availability=0.92,
            first_year=2035,
            regions=("DKW", "DKE", "SEN", "SES", "FI", "EE", "LV", "LT"),
        ),
        _power(
            "ESHALE00",
            "Oil shale power plants",
            "SHA",
            0.36,
            fixed=55,
            variable=1.2,
            availability=0.80,
            retirement="shale",
        ),
    ]


def _back_pressure(fuel: str, electric: float, heat: float) -> tuple[Mode, ...]:
    return _one({fuel: 1 / electric}, {"ELC": 1, "HET": heat / electric})


def _extraction(fuel: str, condensing: float, ratio: float, loss: float) -> tuple[Mode, ...]:
    """Return condensing and full heat operation at the same fuel use; activity = ELC + loss HET."""
    heat = 1 / (ratio + loss)
    fuel_use = {fuel: 1 / condensing}
    return (Mode(fuel_use, {"ELC": 1}), Mode(fuel_use, {"ELC": ratio * heat, "HET": heat}))


def _heat_and_power() -> list[Process]:
    def chp(code: str, text: str, modes: tuple[Mode, ...], **more: Any) -> Process:
        fuel = next(iter(modes[0].inputs))
        emission = "ELCCO2" if fuel in data.EMISSION_FACTOR else ""
        return Process(code, text, ("CHP",), modes, emission=emission, regions=_where(code), **more)

    return [
        chp(
            "CHCOAL00",
            "Coal-fired heat and power, extraction",
            _extraction("COA", 0.42, 0.6, 0.15),
            fixed=35,
            variable=1.0,
            availability=0.85,
            retirement="coal",
        ),
        chp(
            "CHPGAS01",
            "Gas-fired heat and power, extraction",
            _extraction("GAS", 0.50, 1.1, 0.18),
            investment=(950, 850),
            fixed=20,
            variable=1.0,
            availability=0.90,
        ),
        chp(
            "CHPBIO01",
            "Biomass-fired heat and power",
            _back_pressure("BIO", 0.28, 0.62),
            investment=(3400, 3100),
            fixed=80,
            variable=1.2,
            availability=0.88,
            retirement="biomass",
        ),
        chp(
            "CHPWST01",
            "Waste-fired heat and power",
            # The second mode cools its heat away: waste comes in summer too.
            (*_back_pressure("WST", 0.21, 0.68), *_one({"WST": 1 / 0.21}, {"ELC": 1})),
            investment=(8500, 8000),
            fixed=230,
            variable=3.0,
            availability=0.90,
        ),
    ]


def _heat_plants() -> list[Process]:
    def plant(code: str, text: str, inputs: dict[str, float], **more: Any) -> Process:
        fuel = next(iter(inputs))
        emission = "HETCO2" if fuel in data.EMISSION_FACTOR else ""
        return Process(code, text, ("HPL",), _one(inputs, {"HET": 1}), emission=emission, **more)

    return [
        plant(
            "HBOBIO01",
            "District heat boilers, biomass",
            {"BIO": 1 / 1.0},
            investment=(620, 570),
            fixed=28,
            variable=0.6,
            availability=0.92,
            retirement="biomass",
        ),
        plant(
            "HBOGAS01",
            "District heat boilers, gas",
            {"GAS": 1 / 0.98},
            investment=(60, 55),
            fixed=2,
            variable=0.3,
            availability=0.95,
            first_year=2025,
        ),
        plant(
            "HBOELC01",
            "District heat boilers, electric",
            {"ELC": 1 / 0.99},
            investment=(75, 65),
            fixed=1.2,
            variable=0.2,
            life=20,
            availability=0.97,
        ),
        plant(
            "HPPAMB01",
            "District heat pumps",
            {"ELC": 1 / 3.2, "AMB": 1 - 1 / 3.2},
            investment=(900, 700),
            fixed=4,
            variable=0.5,
            availability=0.95,
        ),
    ]


def _storage_and_conversion() -> list[Process]:
    def store(
        code: str, text: str, commodity: str, efficiency: float, hours: float, **more: Any
    ) -> Process:
        modes = _one({commodity: 1}, {commodity: efficiency})
        return Process(
            code,
            text,
            ("STG",),
            modes,
            efficiency=efficiency,
            hours=hours,
            capacity_to_activity=hours * 0.0036,
            variable=0.1,
            **more,
        )

    grid: dict[str, Any] = {"capacity_unit": "", "capacity_to_activity": 1.0}
    return [
        store(
            "SBATTE01",
            "Batteries in the grid, four hours",
            "ELC",
            0.90,
            4,
            life=20,
            investment=(850, 300),
            fixed=5,
            retirement="devices",
            regions=("DKW", "DKE", "SES", "FI", "EE", "LV", "LT"),
        ),
        store(
            "SPUMPE00",
            "Pumped hydro storage",
            "ELC",
            0.76,
            10,
            fixed=15,
            retirement="none",
            regions=_where("SPUMPE00"),
        ),
        store(
            "SHEATS01",
            "Heat tanks of district heat",
            "HET",
            0.95,
            8,
            life=30,
            investment=(40, 36),
            fixed=0.4,
            regions=_where("SHEATS01"),
        ),
        Process(
            "PELYZE01",
            "Electrolysers",
            ("PRE",),
            _one({"ELC": 1 / 0.68}, {"HH2": 1}),
            investment=(1500, 680),
            fixed=30,
            variable=0.3,
            life=20,
            availability=0.95,
        ),
        Process(
            "PSMRGA00",
            "Hydrogen from natural gas",
            ("PRE",),
            _one({"GAS": 1 / 0.76}, {"HH2": 1}),
            level=ANNUAL,
            fixed=25,
            variable=0.3,
            availability=0.90,
            retirement="reformers",
            emission="INDCO2",
            regions=_where("PSMRGA00"),
        ),
        Process(
            "DISTEL01",
            "Electricity distribution grid",
            ("PRE", "DISTR"),
            _one({"ELC": 1}, {"ELCD": 0.94}),
            variable=3.5,
            **grid,
        ),
        Process(
            "DISTHE01",
            "District heat network",
            ("PRE", "DISTR"),
            _one({"HET": 1}, {"HETD": 0.90}),
            variable=1.2,
            **grid,
        ),
    ]


def _building_devices(letter: str, sector: str, who: str) -> list[Process]:
    def device(
        kind: str, text: str, inputs: dict[str, float], cost: tuple[float, float], **more: Any
    ) -> Process:
        fuel = next(iter(inputs))
        return Process(
            f"{letter}H{kind}01",
            f"{who}: {text}",
            ("DMD", sector),
            _one(inputs, {f"D{letter}HEA": 1}),
            level=ANNUAL,
            demand=f"D{letter}HEA",
            availability=HEAT_DEVICE_USE,
            retirement="devices",
            load="heat",
            investment=cost,
            emission="RSDCO2" if fuel in data.EMISSION_FACTOR else "",
            life=20,
            **more,
        )

    return [
        device("DHX", "district heat exchangers", {"HETD": 1 / 0.98}, (330, 330), fixed=3),
        device("GAS", "gas boilers", {"GAS": 1 / 0.93}, (420, 420), fixed=12),
        device("OIL", "oil boilers", {"OIL": 1 / 0.88}, (480, 480), fixed=14),
        device("BIO", "biomass boilers and stoves", {"BIO": 1 / 0.80}, (650, 640), fixed=20),
        device("ELC", "electric heating", {"ELCD": 1}, (230, 230), fixed=2),
        device("HPP", "heat pumps", {"ELCD": 1 / 3.0, "AMB": 2 / 3.0}, (1150, 900), fixed=14),
        Process(
            f"{letter}AELC01",
            f"{who}: appliances and lighting",
            ("DMD", sector),
            _one({"ELCD": 1}, {f"D{letter}APP": 1}),
            level=ANNUAL,
            demand=f"D{letter}APP",
            load="appliances",
            capacity_unit="",
            capacity_to_activity=1.0,
        ),
    ]


def _industry_devices() -> list[Process]:
    def heat(kind: str, text: str, inputs: dict[str, float], cost: float, **more: Any) -> Process:
        fuel = next(iter(inputs))
        return Process(
            f"IH{kind}01",
            f"Industry: process heat from {text}",
            ("DMD", "IND"),
            _one(inputs, {"DIHEA": 1}),
            level=ANNUAL,
            demand="DIHEA",
            availability=INDUSTRY_USE,
            retirement="devices",
            load="industry",
            investment=(cost, cost),
            emission="INDCO2" if fuel in data.EMISSION_FACTOR else "",
            life=25,
            **more,
        )

    plain: dict[str, Any] = {"level": ANNUAL, "capacity_unit": "", "capacity_to_activity": 1.0}
    return [
        heat("GAS", "gas", {"GAS": 1 / 0.90}, 90, fixed=3),
        heat("OIL", "oil", {"OIL": 1 / 0.88}, 95, fixed=3),
        heat("BIO", "biomass", {"BIO": 1 / 0.85}, 520, fixed=20),
        heat("ELC", "electricity", {"ELC": 1 / 1.02}, 250, fixed=5),
        heat("HH2", "hydrogen", {"HH2": 1 / 0.92}, 130, fixed=4),
        Process(
            "IEELC01",
            "Industry: motors, processes and data centres",
            ("DMD", "IND"),
            _one({"ELC": 1}, {"DIELC": 1}),
            demand="DIELC",
            load="industry",
            **plain,
        ),
        Process(
            "IFHH201",
            "Industry: hydrogen as feedstock and for steel",
            ("DMD", "IND"),
            _one({"HH2": 1}, {"DIHH2": 1}),
            demand="DIHH2",
            regions=tuple(r for r in data.DEMAND_REGIONS if r in data.HYDROGEN_DEMAND),
            **plain,
        ),
    ]


def _farm_and_transport_devices() -> list[Process]:
    def farm(kind: str, text: str, inputs: dict[str, float], cost: float) -> Process:
        fuel = next(iter(inputs))
        return Process(
            f"AG{kind}01",
            f"Agriculture: {text}",
            ("DMD", "AGR"),
            _one(inputs, {"DAGRI": 1}),
            level=ANNUAL,
            demand="DAGRI",
            capacity_unit="PJa",
            capacity_to_activity=1.0,
            retirement="devices",
            load="industry",
            investment=(cost, cost),
            life=20,
            emission="AGRCO2" if fuel in data.EMISSION_FACTOR else "",
        )

    def vehicle(
        code: str, text: str, fuel: str, use: float, cost: tuple[float, float], **more: Any
    ) -> Process:
        unit, demand = ("Gvkm", "DTCAR") if code.startswith("TC") else ("Mt-km", "DTTRU")
        return Process(
            code,
            f"Transport: {text}",
            ("DMD", "TRN"),
            _one({fuel: use}, {demand: 1}),
            level=ANNUAL,
            demand=demand,
            activity_unit=unit,
            capacity_unit=unit,
            capacity_to_activity=1.0,
            retirement="devices",
            load="charging",
            investment=cost,
            emission="TRACO2" if fuel in data.EMISSION_FACTOR else "",
            **more,
        )

    return [
        farm("DSL", "diesel machines", {"DSL": 1.0}, 25),
        farm("BDS", "machines on biodiesel", {"BDS": 1.0}, 26),
        farm("ELC", "electric machines and light", {"ELCD": 0.75}, 45),
        farm("BIO", "biomass heating", {"BIO": 1.1}, 30),
        vehicle("TCGSL01", "gasoline cars", "GSL", 2.10, (1650, 1700), fixed=62, life=15),
        vehicle("TCDSL01", "diesel cars", "DSL", 1.90, (1780, 1830), fixed=64, life=15),
        vehicle("TCELC01", "battery cars", "ELCD", 0.68, (2400, 1850), fixed=45, life=15),
        vehicle("TTDSL01", "diesel trucks", "DSL", 0.00110, (0.12, 0.125), fixed=0.008, life=10),
        vehicle(
            "TTBDS01", "trucks on biodiesel", "BDS", 0.00110, (0.12, 0.125), fixed=0.008, life=10
        ),
        vehicle("TTELC01", "battery trucks", "ELCD", 0.00048, (0.34, 0.155), fixed=0.006, life=10),
        vehicle("TTHH201", "hydrogen trucks", "HH2", 0.00080, (0.36, 0.17), fixed=0.008, life=10),
    ]


def _outside_trade() -> list[Process]:
    """Return import and export of electricity over the cables to neighbours outside."""
    names = {"DE": "Germany", "NL": "the Netherlands", "UK": "the United Kingdom", "PL": "Poland"}
    found = []
    for abroad, name in names.items():
        where = tuple(region for region, other in data.OUTSIDE if other == abroad)
        found += [
            Process(
                f"IMPELC-{abroad}",
                f"Import of electricity from {name}",
                ("IRE",),
                _one({}, {"ELC": 1}),
                availability=0.80,
                regions=where,
            ),
            Process(
                f"EXPELC-{abroad}",
                f"Export of electricity to {name}",
                ("IRE",),
                _one({"ELC": 1}, {}),
                availability=0.80,
                regions=where,
            ),
        ]
    return found


PROCESSES: dict[str, Process] = {
    process.code: process
    for process in (
        *_supply(),
        *_outside_trade(),
        *_power_plants(),
        *_heat_and_power(),
        *_heat_plants(),
        *_storage_and_conversion(),
        *_building_devices("R", "RES", "Homes"),
        *_building_devices("C", "COMM", "Services"),
        *_industry_devices(),
        *_farm_and_transport_devices(),
    )
}


@dataclass(frozen=True)
class Link:
    """A line or pipeline between two regions; its capacity serves either direction."""

    code: str
    description: str
    commodity: str
    first: str
    second: str
    loss: float
    stock: float
    limit: float
    investment: float
    life: int = 40
    variable: float = 0.05  # per PJ sent; keeps energy from going round in circles

    @property
    def fixed(self) -> float:
        """Fixed cost of what is added [MEUR20 per GW and year]."""
        return 0.01 * self.investment


def _link(
    kind: str,
    commodity: str,
    pair: tuple[str, str],
    loss: float,
    figures: tuple[float, float, float],
) -> Link:
    (first, second), (stock, limit, investment) = pair, figures
    text = f"{kind} {data.REGIONS[first][0]} - {data.REGIONS[second][0]}"
    return Link(
        f"TB_{commodity}_{first}_{second}_01",
        text,
        commodity,
        first,
        second,
        loss,
        stock,
        limit,
        investment,
    )


LINKS: tuple[Link, ...] = (
    *(_link("Power line", "ELC", pair, 0.03, figures) for pair, figures in data.LINKS.items()),
    *(
        _link("Hydrogen pipeline", "HH2", pair, 0.015, (0.0, *figures))
        for pair, figures in data.PIPELINES.items()
    ),
)
