"""A client of `hefu serve` that shares no code with it: first|second ADDRESS-FILE KEYS AUDITOR-TOKEN REGION-TOKEN."""

import base64
import datetime
import hashlib
import json
import pathlib
import secrets
import sys
import uuid

import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status
from hefu.v1 import audit_pb2, audit_pb2_grpc, ledger_pb2, ledger_pb2_grpc, query_pb2, query_pb2_grpc

run, address, keys, auditor, region = sys.argv[1:]
url = json.loads(pathlib.Path(address).read_text())["url"]
channel = grpc.insecure_channel(url.removeprefix("http://"))
ledger = ledger_pb2_grpc.LedgerServiceStub(channel)
query = query_pb2_grpc.QueryServiceStub(channel)
audit = audit_pb2_grpc.AuditServiceStub(channel)
as_auditor = [("authorization", f"Bearer {auditor}")]
as_region = [("authorization", f"Bearer {region}")]

PROJECT = "0198b2c4-0000-7000-8000-000000000001"
FIRM = "91330100799655058B"


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sign(office, command):
    """A signed command, as docs/FORMAT.md section 4 has it."""
    files = (json.loads(path.read_text()) for path in pathlib.Path(keys).rglob("*") if path.is_file())
    key = next(one for one in files if one["region"] == office and one["role"] == "office")
    now = datetime.datetime.now(datetime.timezone.utc)
    instant = lambda at: at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    envelope = {
        "at": instant(now),
        "command": command,
        "id": str(uuid.uuid4()),
        "key": hashlib.sha256(bytes.fromhex(key["public"])).hexdigest()[:32],
        "ledger": "test.example/zj",
        "nonce": secrets.token_hex(16),
        "not_after": instant(now + datetime.timedelta(hours=1)),
    }
    secret = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key["secret"]))
    signature = secret.sign(b"hefu-command-v1\n" + canonical(envelope))
    return canonical({"envelope": envelope, "sig": base64.b64encode(signature).decode()}), envelope["id"]


def submit(office, command):
    return ledger.Submit(ledger_pb2.SubmitRequest(command=sign(office, command)[0])).accepted


def report(period, value):
    return {"type": "report_observation", "project": PROJECT, "indicator": "INV_FAI", "period": period, "value": value}


def refused(status, code, call):
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == status, error
        details = rpc_status.from_call(error).details
        info = error_details_pb2.ErrorInfo()
        assert details[0].Unpack(info) and info.domain == "hefu" and info.metadata["code"] == code, details
        return
    raise AssertionError(f"it should have been refused with {code}")


def indicators(position=0, metadata=as_region, region="330881"):
    moment = query_pb2.Moment(min_position=position)
    question = query_pb2.IndicatorsRequest(region=region, period="2023", indicators=["INV_FAI"], moment=moment)
    return query.Indicators(question, metadata=metadata)


def first():
    health = health_pb2_grpc.HealthStub(channel)
    for name in ["", "hefu.v1.LedgerService", "hefu.v1.QueryService", "hefu.v1.AuditService"]:
        answer = health.Check(health_pb2.HealthCheckRequest(service=name))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING, name
    ask = reflection_pb2.ServerReflectionRequest(list_services="")
    listed = next(reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([ask])))
    listed = {service.name for service in listed.list_services_response.service}
    assert {"hefu.v1.LedgerService", "hefu.v1.QueryService", "hefu.v1.AuditService"} <= listed, listed
    submit("330881", {"type": "register_enterprise", "enterprise": FIRM, "name": "某企业", "region": "330881"})
    project = {"type": "register_project", "project": PROJECT, "name": "项目", "enterprise": FIRM, "industry": "C34"}
    project |= {"origin": "330881", "planned_investment": "1200000000.00", "date": "2023-01-10"}
    accepted = submit("330881", project)
    size = accepted.position + accepted.records
    follow = audit_pb2.ReadRecordsRequest(**{"from": size}, events=["observation.reported"], follow=True)
    tail = audit.ReadRecords(follow, metadata=as_auditor)
    assert next(tail).caught_up
    accepted = submit("330881", report("2023-07", "35000000.50"))
    step = next(tail)
    assert [one.position for one in step.records] == [accepted.position], step
    assert json.loads(step.records[0].body)["data"]["period"] == "2023-07"
    assert hashlib.sha256(step.records[0].body).hexdigest() == json.loads(step.records[0].leaf)["body_sha256"]
    tail.cancel()
    audit.SetCursor(audit_pb2.SetCursorRequest(name="python", position=step.next), metadata=as_auditor)
    answer = indicators(accepted.position)
    assert answer.position == accepted.position and answer.checkpoint == accepted.receipt.head
    assert answer.rows[0].figures.territorial == answer.rows[0].figures.shared == "35000000.50"
    assert not answer.rows[0].figures.HasField("elimination"), "a county has none"
    refused(grpc.StatusCode.PERMISSION_DENIED, "foreign_region", lambda: indicators(region="330108"))
    refused(grpc.StatusCode.UNAUTHENTICATED, "token_needed", lambda: indicators(metadata=[]))
    refused(grpc.StatusCode.PERMISSION_DENIED, "foreign_office", lambda: submit("330108", report("2023-08", "1.00")))
    batch = [sign("330881", report(f"2024-{month:02}", f"{month}.00"))[0] for month in range(1, 13)]
    requests = [ledger_pb2.SubmitBatchRequest(commands=batch[at : at + 5]) for at in range(0, len(batch), 5)]
    answers = [one for response in ledger.SubmitBatch(iter(requests)) for one in response.answers]
    assert [one.WhichOneof("outcome") for one in answers] == ["accepted"] * 12, answers
    again = ledger.GetReceipt(ledger_pb2.GetReceiptRequest(id=answers[0].accepted.id)).accepted
    assert again.receipt == answers[0].accepted.receipt


def second():
    cursor = audit.GetCursor(audit_pb2.GetCursorRequest(name="python"), metadata=as_auditor)
    steps = list(audit.ReadRecords(audit_pb2.ReadRecordsRequest(cursor="python"), metadata=as_auditor))
    records = [one for step in steps for one in step.records]
    assert records[0].position == cursor.position and steps[-1].caught_up
    periods = [json.loads(one.body)["data"]["period"] for one in records]
    assert periods == [f"2024-{month:02}" for month in range(1, 13)], periods
    checkpoint = audit.Checkpoint(audit_pb2.CheckpointRequest())
    assert checkpoint.size == records[-1].position + 1, "the stop signed what came last"
    proof = audit.InclusionProof(audit_pb2.InclusionProofRequest(position=checkpoint.size - 1), metadata=as_auditor)
    assert checkpoint.note in proof.proof
    assert indicators().rows[0].figures.territorial == "35000000.50"


{"first": first, "second": second}[run]()
