"""Input data of the demo model: time, regions, demands, stocks, potentials, profiles, prices.

All figures are rough and rounded, meant to give a plausible picture and nothing more. They were
set by hand to the order of magnitude that public sources show: Eurostat energy balances, Nord Pool
and ENTSO-E transparency data, the Danish Energy Agency's technology catalogues, NVE,
Energimyndigheten, Statistics Finland. Do not use them for analysis.

Energy is in PJ, capacity in GW, money in million euro of 2020 (MEUR20), emissions in kt CO2.
"""

from __future__ import annotations

# --- Time ---------------------------------------------------------------------------------------

#: Milestone year: first and last calendar year of its period.
PERIODS: dict[int, tuple[int, int]] = {
    2025: (2025, 2027),
    2030: (2028, 2032),
    2035: (2033, 2037),
    2040: (2038, 2042),
    2045: (2043, 2047),
    2050: (2048, 2052),
}
BASE_YEAR = 2025  # money is discounted to this year
DISCOUNT_RATE = 0.04
HURDLE_RATE = 0.06  # turns an investment into yearly payments

#: Season: description and days.
SEASONS: dict[str, tuple[str, int]] = {
    "WI": ("Winter", 76),
    "CS": ("Cold spell", 14),  # a calm, cold and dark time in winter: what the back-up is for
    "SP": ("Spring", 92),
    "SU": ("Summer", 92),
    "AU": ("Autumn", 91),
}
#: Part of the day: description and hours.
DAY_PARTS: dict[str, tuple[str, int]] = {
    "NIGHT": ("night", 8),
    "MORN": ("morning", 4),
    "DAY": ("day", 7),
    "EVE": ("evening", 5),
}

# --- Space --------------------------------------------------------------------------------------

#: Region: description, latitude, longitude (degrees, of a central point).
REGIONS: dict[str, tuple[str, float, float]] = {
    "DKW": ("Denmark West", 56.2, 9.2),
    "DKE": ("Denmark East", 55.5, 12.0),
    "NON": ("Norway North", 66.5, 15.0),
    "NOS": ("Norway South", 60.6, 8.8),
    "SEN": ("Sweden North", 65.2, 18.0),
    "SES": ("Sweden South", 58.6, 14.9),
    "FI": ("Finland", 63.0, 26.5),
    "EE": ("Estonia", 58.7, 25.6),
    "LV": ("Latvia", 56.9, 25.0),
    "LT": ("Lithuania", 55.3, 23.9),
}

#: Electricity link: capacity today, capacity that may be added by 2050 [GW], investment [MEUR/GW].
LINKS: dict[tuple[str, str], tuple[float, float, float]] = {
    ("DKE", "DKW"): (0.6, 1.2, 450),
    ("DKE", "SES"): (1.5, 1.2, 350),
    ("DKW", "NOS"): (1.6, 1.4, 800),
    ("DKW", "SES"): (0.7, 1.4, 500),
    ("NON", "NOS"): (1.2, 1.5, 550),
    ("NON", "SEN"): (1.0, 1.0, 450),
    ("NOS", "SES"): (2.1, 1.4, 450),
    ("SEN", "SES"): (7.0, 4.0, 500),
    ("FI", "SEN"): (2.0, 1.6, 500),
    ("FI", "SES"): (1.2, 0.8, 700),
    ("EE", "FI"): (0.65, 0.7, 800),
    ("EE", "LV"): (1.0, 1.0, 400),
    ("LT", "LV"): (1.0, 1.0, 350),
    ("LT", "SES"): (0.7, 0.7, 1100),
    ("LV", "SES"): (0.0, 0.7, 1200),
}
#: Hydrogen pipeline: capacity that may be built [GW], investment [MEUR/GW].
PIPELINES: dict[tuple[str, str], tuple[float, float]] = {
    ("DKE", "DKW"): (2.0, 250),
    ("DKE", "SES"): (2.0, 250),
    ("FI", "SEN"): (4.0, 350),
    ("SEN", "SES"): (4.0, 450),
    ("EE", "FI"): (2.0, 450),
    ("EE", "LV"): (2.0, 250),
    ("LT", "LV"): (2.0, 250),
}
#: Cable to a neighbour outside the model: capacity in 2025 and from 2035 [GW].
OUTSIDE: dict[tuple[str, str], tuple[float, float]] = {
    ("DKW", "DE"): (2.5, 3.5),
    ("DKW", "NL"): (0.7, 0.7),
    ("DKW", "UK"): (1.4, 1.4),
    ("DKE", "DE"): (1.0, 1.0),
    ("NOS", "DE"): (1.4, 1.4),
    ("NOS", "NL"): (0.7, 0.7),
    ("NOS", "UK"): (1.4, 1.4),
    ("SES", "DE"): (0.6, 0.6),
    ("SES", "PL"): (0.6, 0.6),
    ("LT", "PL"): (0.5, 1.2),
}
#: Average electricity price abroad in 2025 and 2050 [EUR/MWh].
OUTSIDE_PRICE: dict[str, tuple[float, float]] = {
    "DE": (66, 54),
    "NL": (65, 54),
    "UK": (70, 55),
    "PL": (76, 59),
}
OUTSIDE_SEASON = {"WI": 1.20, "CS": 1.55, "SP": 0.90, "SU": 0.78, "AU": 1.06}
#: Solar power abroad digs a hole in the middle of the day: in 2025 and in 2050.
OUTSIDE_DAY_PART = {
    "NIGHT": (0.92, 1.02),
    "MORN": (1.14, 1.16),
    "DAY": (0.80, 0.60),
    "EVE": (1.30, 1.40),
}

# --- Demands ------------------------------------------------------------------------------------

DEMAND_REGIONS = ("DKW", "DKE", "NON", "NOS", "SEN", "SES", "FI", "EE", "LV", "LT")
#: Demand in 2025 in the order of DEMAND_REGIONS, and its ratio of 2050 to 2025.
DEMANDS: dict[str, tuple[tuple[float, ...], float]] = {
    # Useful heat, homes and services [PJ]
    "DRHEA": ((66, 56, 28, 80, 28, 203, 175, 28, 32, 38), 0.88),
    "DCHEA": ((29, 24, 12, 35, 12, 87, 75, 12, 13, 17), 0.85),
    # Appliances and lighting, homes and services [PJ]
    "DRAPP": ((18, 15, 13, 38, 8, 75, 42, 7, 6, 9), 1.08),
    "DCAPP": ((20, 15, 12, 37, 9, 85, 43, 9, 7, 11), 1.20),
    # Process heat of industry [PJ]
    "DIHEA": ((45, 22, 18, 50, 70, 150, 220, 14, 18, 35), 0.97),
    # Electricity of industry and data centres [PJ]
    "DIELC": ((17, 10, 105, 145, 62, 110, 130, 7, 6, 14), 1.35),
    # Hydrogen as feedstock and for steel [PJ]: set by year in HYDROGEN_DEMAND
    "DIHH2": ((0,) * 10, 1.0),
    # Agriculture and fishing, final energy services [PJ]
    "DAGRI": ((18, 7, 4, 7, 3, 13, 22, 4, 6, 5), 0.95),
    # Cars [Gvkm]
    "DTCAR": ((21, 18, 8, 28, 7, 60, 40, 8, 8, 15), 1.08),
    # Trucks [Mt-km]
    "DTTRU": ((9000, 6000, 6000, 15000, 8000, 35000, 28000, 4500, 8000, 14000), 1.25),
}
#: Faster growth than the others: (demand, region) -> ratio of 2050 to 2025.
DEMAND_GROWTH: dict[tuple[str, str], float] = {
    ("DIELC", "DKW"): 3.0,
    ("DIELC", "DKE"): 2.0,
    ("DIELC", "SEN"): 1.9,
    ("DIELC", "FI"): 1.45,
    ("DIELC", "LT"): 1.8,
    ("DIELC", "EE"): 1.6,
    ("DIELC", "LV"): 1.6,
}
#: Hydrogen of industry [PJ] by milestone year 2025, 2030 ... 2050.
HYDROGEN_DEMAND: dict[str, tuple[float, ...]] = {
    "DKW": (2, 3, 6, 9, 12, 14),
    "NOS": (6, 8, 10, 12, 13, 14),
    "SEN": (0, 6, 18, 30, 38, 42),
    "SES": (9, 10, 13, 16, 19, 21),
    "FI": (14, 16, 20, 25, 29, 32),
    "LT": (16, 16, 17, 18, 19, 20),
}

# --- Stocks and potentials ----------------------------------------------------------------------

#: Capacity in 2025 [GW, electricity output; heat output for HB* and HP*; electricity for SBAT*].
STOCK: dict[str, dict[str, float]] = {
    "EHYDAM00": {"NON": 8.0, "NOS": 20.0, "SEN": 10.0, "SES": 1.7, "FI": 1.7},
    "EHYROR00": {"NON": 2.6, "NOS": 5.5, "SEN": 3.0, "SES": 1.2, "FI": 1.5, "LV": 1.5, "LT": 0.12},
    "EWINON01": {
        "DKW": 4.0,
        "DKE": 0.85,
        "NON": 2.6,
        "NOS": 2.6,
        "SEN": 9.0,
        "SES": 6.5,
        "FI": 8.2,
        "EE": 0.7,
        "LV": 0.3,
        "LT": 2.1,
    },
    "EWINOF01": {"DKW": 1.6, "DKE": 1.1, "SES": 0.2, "FI": 0.05},
    "ESOLPV01": {
        "DKW": 2.9,
        "DKE": 1.3,
        "NON": 0.05,
        "NOS": 0.7,
        "SEN": 0.3,
        "SES": 4.5,
        "FI": 1.3,
        "EE": 1.3,
        "LV": 0.7,
        "LT": 2.6,
    },
    "ENUCLE00": {"SES": 6.9, "FI": 4.4},
    "EGTGAS01": {"DKW": 0.3, "DKE": 0.6, "SES": 1.5, "FI": 1.5, "EE": 0.4, "LV": 0.2, "LT": 0.9},
    "ESHALE00": {"EE": 1.0},
    "CHCOAL00": {"DKW": 0.7, "DKE": 0.2, "FI": 0.5},
    "CHPGAS01": {"DKW": 0.9, "DKE": 0.4, "SES": 0.6, "FI": 1.3, "EE": 0.1, "LV": 1.0, "LT": 0.7},
    "CHPBIO01": {
        "DKW": 0.7,
        "DKE": 1.0,
        "SEN": 0.3,
        "SES": 2.0,
        "FI": 2.0,
        "EE": 0.2,
        "LV": 0.15,
        "LT": 0.15,
    },
    "CHPWST01": {
        "DKW": 0.2,
        "DKE": 0.2,
        "NOS": 0.1,
        "SEN": 0.05,
        "SES": 0.5,
        "FI": 0.2,
        "EE": 0.025,
        "LT": 0.06,
    },
    "HBOBIO01": {
        "DKW": 1.2,
        "DKE": 0.6,
        "NON": 0.2,
        "NOS": 0.5,
        "SEN": 0.8,
        "SES": 3.5,
        "FI": 3.2,
        "EE": 1.0,
        "LV": 1.2,
        "LT": 1.6,
    },
    "HBOGAS01": {
        "DKW": 2.5,
        "DKE": 1.5,
        "NON": 0.05,
        "NOS": 0.3,
        "SEN": 0.5,
        "SES": 3.0,
        "FI": 4.0,
        "EE": 0.9,
        "LV": 0.9,
        "LT": 1.3,
    },
    "HBOELC01": {
        "DKW": 0.9,
        "DKE": 0.3,
        "NON": 0.1,
        "NOS": 0.4,
        "SEN": 0.1,
        "SES": 0.4,
        "FI": 1.5,
        "EE": 0.1,
    },
    "HPPAMB01": {
        "DKW": 0.35,
        "DKE": 0.2,
        "NON": 0.02,
        "NOS": 0.15,
        "SEN": 0.1,
        "SES": 1.2,
        "FI": 0.4,
        "EE": 0.02,
        "LV": 0.02,
        "LT": 0.02,
    },
    "SBATTE01": {"DKW": 0.05, "SES": 0.4, "FI": 0.3, "EE": 0.1, "LV": 0.1, "LT": 0.3},
    "SPUMPE00": {"NOS": 0.7, "LT": 0.9},
    "SHEATS01": {"DKW": 0.6, "DKE": 0.5, "SES": 0.8, "FI": 0.9, "EE": 0.1, "LV": 0.1, "LT": 0.1},
    "PSMRGA00": {"DKW": 0.1, "NOS": 0.3, "SES": 0.4, "FI": 0.6, "LT": 0.7},
}
#: Share of the stock of 2025 that still stands in 2025, 2030 ... 2050; "slow" unless named.
RETIREMENT: dict[str, tuple[float, ...]] = {
    "none": (1, 1, 1, 1, 1, 1),
    "slow": (1, 0.95, 0.75, 0.45, 0.20, 0.05),
    "devices": (1, 0.78, 0.50, 0.25, 0.08, 0),
    "nuclear": (1, 1, 1, 1, 0.88, 0.65),
    "shale": (1, 0.8, 0.4, 0.15, 0, 0),
    "coal": (1, 0.25, 0, 0, 0, 0),
    "solar": (1, 1, 1, 0.90, 0.65, 0.30),
    "sea": (1, 1, 0.95, 0.75, 0.45, 0.20),
    "biomass": (1, 1, 0.92, 0.82, 0.70, 0.55),
    "reformers": (1, 1, 0.85, 0.65, 0.45, 0.30),
}
#: Most that may stand in any year, old and new [GW].
POTENTIAL: dict[str, dict[str, float]] = {
    "EWINON01": {
        "DKW": 7.0,
        "DKE": 1.8,
        "NON": 5.0,
        "NOS": 5.0,
        "SEN": 18,
        "SES": 12,
        "FI": 22,
        "EE": 3.0,
        "LV": 3.5,
        "LT": 6.0,
    },
    "EWINOF01": {
        "DKW": 12,
        "DKE": 6,
        "NOS": 7,
        "SEN": 3,
        "SES": 10,
        "FI": 7,
        "EE": 3,
        "LV": 2.5,
        "LT": 2.8,
    },
    "ESOLPV01": {
        "DKW": 14,
        "DKE": 7,
        "NON": 0.5,
        "NOS": 5,
        "SEN": 2,
        "SES": 20,
        "FI": 12,
        "EE": 4,
        "LV": 4,
        "LT": 9,
    },
    "ENUCLE01": {"SES": 5.0, "FI": 3.2, "EE": 0.6},
    "CHPBIO01": {
        "DKW": 1.2,
        "DKE": 1.4,
        "SEN": 0.7,
        "SES": 3.0,
        "FI": 3.0,
        "EE": 0.4,
        "LV": 0.5,
        "LT": 0.5,
    },
    "CHPWST01": {
        "DKW": 0.2,
        "DKE": 0.2,
        "NOS": 0.12,
        "SEN": 0.06,
        "SES": 0.5,
        "FI": 0.22,
        "EE": 0.03,
        "LT": 0.08,
    },
    "HPPAMB01": {
        "DKW": 2.1,
        "DKE": 1.7,
        "NON": 0.10,
        "NOS": 0.45,
        "SEN": 0.7,
        "SES": 5.0,
        "FI": 3.9,
        "EE": 0.6,
        "LV": 0.6,
        "LT": 0.8,
    },
}
#: Least use of what is left of the stock, in full-load share of a year, 2025, 2030 ... 2050:
#: plants that run for contracts, local heat or security whatever the market says.
LEAST_USE: dict[str, tuple[float, ...]] = {
    "ESHALE00": (0.45, 0.35, 0.20, 0.10, 0, 0),
    "CHPGAS01": (0.20, 0.15, 0.10, 0.05, 0, 0),
    "HBOGAS01": (0.05, 0.04, 0.03, 0.02, 0, 0),
}
#: Most that may be added in one period, as a share of the potential; first year it may be built.
BUILD_LIMIT: dict[str, tuple[float, int]] = {
    "EWINON01": (0.20, 2030),
    "EWINOF01": (0.22, 2030),
    "ESOLPV01": (0.24, 2030),
    "ENUCLE01": (0.40, 2040),
    "CHPBIO01": (0.25, 2030),
    "CHPWST01": (0.30, 2030),
    "HPPAMB01": (0.25, 2030),
}
#: Projects decided already: least that is built in 2030 [GW].
DECIDED: dict[str, dict[str, float]] = {
    "EWINOF01": {"DKW": 1.0},
    "ESOLPV01": {
        "DKW": 1.5,
        "DKE": 0.8,
        "NOS": 0.2,
        "SES": 1.5,
        "FI": 0.9,
        "EE": 0.4,
        "LV": 0.5,
        "LT": 0.9,
    },
}
#: Water that flows in over an average year [TWh] and full-load share of run-of-river by season.
INFLOW_TWH = {"NON": 33, "NOS": 67, "SEN": 41, "SES": 7, "FI": 7}
RIVER_TWH = {"NON": 12, "NOS": 25, "SEN": 13, "SES": 5, "FI": 7, "LV": 3.1, "LT": 0.4}
RIVER_SEASON = {"WI": 0.75, "CS": 0.70, "SP": 1.35, "SU": 1.05, "AU": 0.85}

#: Capacity factor of wind on land, at sea and of solar cells.
CAPACITY_FACTOR: dict[str, dict[str, float]] = {
    "EWINON01": {
        "DKW": 0.32,
        "DKE": 0.31,
        "NON": 0.35,
        "NOS": 0.34,
        "SEN": 0.34,
        "SES": 0.33,
        "FI": 0.34,
        "EE": 0.33,
        "LV": 0.33,
        "LT": 0.34,
    },
    "EWINOF01": {
        "DKW": 0.50,
        "DKE": 0.46,
        "NOS": 0.49,
        "SEN": 0.43,
        "SES": 0.45,
        "FI": 0.43,
        "EE": 0.45,
        "LV": 0.45,
        "LT": 0.45,
    },
    "ESOLPV01": {
        "DKW": 0.115,
        "DKE": 0.118,
        "NON": 0.085,
        "NOS": 0.10,
        "SEN": 0.095,
        "SES": 0.112,
        "FI": 0.103,
        "EE": 0.112,
        "LV": 0.115,
        "LT": 0.118,
    },
}
WIND_SEASON = {"WI": 1.34, "CS": 0.55, "SP": 0.96, "SU": 0.73, "AU": 1.05}
WIND_DAY_PART = {"NIGHT": 1.01, "MORN": 0.95, "DAY": 1.05, "EVE": 0.95}
SOLAR_SEASON = {"WI": 0.24, "CS": 0.22, "SP": 1.46, "SU": 1.77, "AU": 0.52}
#: Weather passes: what blows in one group of regions is missing in the next. Each group's wind in
#: the timeslices in their order, relative to the average.
WIND_GROUP = {
    "DKW": "west",
    "DKE": "west",
    "NOS": "west",
    "SES": "middle",
    "NON": "north",
    "SEN": "north",
    "FI": "east",
    "EE": "east",
    "LV": "east",
    "LT": "east",
}
WIND_PASSING: dict[str, tuple[float, ...]] = {
    "west": (1.25, 1.10, 0.90, 0.75),
    "middle": (1.05, 1.20, 1.00, 0.80),
    "north": (0.80, 0.90, 1.10, 1.20),
    "east": (0.80, 0.85, 1.05, 1.25),
}
SOLAR_DAY_PART = {"NIGHT": 0.03, "MORN": 0.75, "DAY": 2.60, "EVE": 0.55}

#: Share of a year's use by season and by part of the day.
LOAD_SEASON: dict[str, dict[str, float]] = {
    "heat": {"WI": 0.338, "CS": 0.092, "SP": 0.24, "SU": 0.08, "AU": 0.25},
    "appliances": {"WI": 0.231, "CS": 0.044, "SP": 0.245, "SU": 0.23, "AU": 0.25},
    "industry": {"WI": 0.211, "CS": 0.039, "SP": 0.252, "SU": 0.245, "AU": 0.253},
    "charging": {"WI": 0.228, "CS": 0.042, "SP": 0.245, "SU": 0.235, "AU": 0.25},
}
LOAD_DAY_PART: dict[str, dict[str, float]] = {
    "heat": {"NIGHT": 0.30, "MORN": 0.19, "DAY": 0.28, "EVE": 0.23},
    "appliances": {"NIGHT": 0.24, "MORN": 0.175, "DAY": 0.325, "EVE": 0.26},
    "industry": {"NIGHT": 0.31, "MORN": 0.175, "DAY": 0.31, "EVE": 0.205},
    "charging": {"NIGHT": 0.46, "MORN": 0.10, "DAY": 0.19, "EVE": 0.25},
}

# --- Fuels and policy ---------------------------------------------------------------------------

#: Fossil CO2 of burning a fuel [kt/PJ].
EMISSION_FACTOR = {"GAS": 56.1, "OIL": 74, "DSL": 74, "GSL": 73, "COA": 95, "SHA": 107, "WST": 40}
#: Price of imported fuels in 2025 and 2050 [MEUR/PJ].
IMPORT_PRICE: dict[str, tuple[float, float]] = {
    "GAS": (9.0, 8.5),
    "OIL": (13.0, 13.5),
    "DSL": (17.0, 17.5),
    "GSL": (17.0, 17.5),
    "COA": (3.2, 2.8),
    "NUC": (0.9, 1.0),
    "BIO": (9.5, 11.0),
    "BDS": (33.0, 28.0),
}
#: Domestic biomass [PJ a year] in a cheap and a dear step, municipal waste and oil shale.
BIOMASS: dict[str, tuple[float, float]] = {
    "DKW": (45, 25),
    "DKE": (35, 15),
    "NON": (20, 10),
    "NOS": (40, 20),
    "SEN": (110, 30),
    "SES": (260, 80),
    "FI": (330, 90),
    "EE": (35, 15),
    "LV": (55, 20),
    "LT": (45, 20),
}
BIOMASS_PRICE = (5.0, 7.5)
WASTE_PJ = {"DKW": 20, "DKE": 20, "NOS": 12, "SEN": 6, "SES": 52, "FI": 22, "EE": 3, "LT": 7}
WASTE_TREND = (1.0, 0.75)  # in 2025 and 2050
WASTE_PRICE = -1.5  # whoever takes waste is paid
SHALE_PRICE = 2.6

#: Tax on CO2 in 2025 and 2050 [EUR/t], in all scenarios.
CO2_TAX = (60.0, 75.0)
#: Cap on the CO2 of all regions together [kt], where a scenario has one.
CO2_CAP = {2030: 64500.0, 2035: 46000.0, 2040: 26000.0, 2045: 12500.0, 2050: 5600.0}
