"""Calls a server as somebody else's client would: grpcio, with messages described here and not by our .proto files.

Two descriptions of ARTF: the published one (everything has a presence, enums are open) and an older one (proto2, where
id, intent, op and path are `required` and enums are closed, without ADD_CIDS). Both must read every answer. Our own
service is called through what the server's reflection says of it.
"""

import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.message import DecodeError
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

OPENRTB = "com.iabtechlab.openrtb.v2"
ARTF = "com.iabtechlab.bidstream.mutation.v1"
NAMES = [
    "/com.iabtechlab.bidstream.mutation.services.v1.RTBExtensionPoint/GetMutations",
    "/com.iabtechlab.bidstream.mutation.v1.RTBExtensionPoint/GetMutations",
]
SCALARS = {"string": Field.TYPE_STRING, "int32": Field.TYPE_INT32, "bool": Field.TYPE_BOOL, "double": Field.TYPE_DOUBLE}

# What is on the wire, a line a message: label (`?` has a presence, `*` repeated, `!` required where it can be), type, name, number.
OPENRTB_MESSAGES = """
BidRequest: ?string id 1, *Imp imp 2, ?Site site 3, ?Device device 5, ?User user 6, ?int32 at 7, ?int32 tmax 8, *string cur 11, ?Regs regs 14, ?bool test 15
Site: ?string id 1, ?string name 2
Imp: ?string id 1, ?Pmp pmp 11
Pmp: ?bool private_auction 1, *Deal deals 2
Deal: ?string id 1, ?double bidfloor 2, *string wseat 4, ?int32 guar 7
Device: ?bool dnt 1, ?string ua 2, ?Geo geo 4, ?string ifa 20, ?bool lmt 23
Geo: ?double lat 1, ?string country 3
User: ?string id 1, ?string buyeruid 2, *Data data 8, ?string consent 10, *EID eids 11, ?UserExt ext 99
UserExt: ?string consent 1, *EID eids 2
EID: ?string source 1, *UID uids 2, ?string inserter 3
UID: ?string id 1, ?int32 atype 2
Data: ?string id 1, ?string name 2, *Segment segment 3
Segment: ?string id 1, ?string name 2, ?string value 3
Regs: ?bool coppa 1, ?string gpp 2, *int32 gpp_sid 3, ?bool gdpr 4, ?string us_privacy 5, ?RegsExt ext 99
RegsExt: ?bool gdpr 1, ?string us_privacy 2, ?string gpc 3
"""
ARTF_MESSAGES = """
RTBRequest: ?Lifecycle lifecycle 1, ?string id 2, ?int32 tmax 3, ?{openrtb}.BidRequest bid_request 4, ?Originator originator 6, *Intent applicable_intents 7
Originator: ?OriginatorType type 1, ?string id 2
RTBResponse: !string id 1, *Mutation mutations 2, ?Metadata metadata 3
Mutation: !Intent intent 1, !Operation op 2, !string path 3, ?IDsPayload ids 100
IDsPayload: *string id 1
Metadata: ?string api_version 1, ?string model_version 2
""".replace("{openrtb}", OPENRTB)
INTENTS = (
    "INTENT_UNSPECIFIED ACTIVATE_SEGMENTS ACTIVATE_DEALS SUPPRESS_DEALS ADJUST_DEAL_FLOOR ADJUST_DEAL_MARGIN BID_SHADE "
    "ADD_METRICS ADD_CIDS"
).split()
ENUMS = {
    "Lifecycle": ["LIFECYCLE_UNSPECIFIED", "LIFECYCLE_PUBLISHER_BID_REQUEST", "LIFECYCLE_DSP_BID_RESPONSE"],
    "OriginatorType": ["TYPE_UNSPECIFIED", "TYPE_PUBLISHER", "TYPE_SSP", "TYPE_EXCHANGE", "TYPE_DSP"],
    "Operation": ["OPERATION_UNSPECIFIED", "OPERATION_ADD", "OPERATION_REMOVE", "OPERATION_REPLACE"],
}


def described(name, package, messages, enums, older, imports=()):
    """A file of messages, as `protoc` would describe it."""
    file = descriptor_pb2.FileDescriptorProto(name=name, package=package, dependency=imports)
    file.syntax = "proto2" if older else "proto3"
    for enum, values in enums.items():
        described_enum = file.enum_type.add(name=enum)
        for number, value in enumerate(values):
            described_enum.value.add(name=value, number=number)
    for line in messages.strip().splitlines():
        message_name, fields = line.split(":")
        message = file.message_type.add(name=message_name)
        for part in fields.split(","):
            kind, field_name, number = part.split()
            label, kind = kind[0], kind[1:]
            field = message.field.add(name=field_name, number=int(number))
            required = label == "!" and older
            field.label = Field.LABEL_REPEATED if label == "*" else Field.LABEL_REQUIRED if required else Field.LABEL_OPTIONAL
            if kind in SCALARS:
                field.type = SCALARS[kind]
            else:
                field.type = Field.TYPE_ENUM if kind in enums else Field.TYPE_MESSAGE
                field.type_name = f".{kind}" if "." in kind else f".{package}.{kind}"
            if label != "*" and not older:
                field.proto3_optional = True
                field.oneof_index = len(message.oneof_decl)
                message.oneof_decl.add(name=f"_{field_name}")
    return file


def artf(older):
    """The classes of ARTF's request and answer."""
    pool = descriptor_pool.DescriptorPool()
    intents = INTENTS[:-1] if older else INTENTS
    pool.Add(described("openrtb.proto", OPENRTB, OPENRTB_MESSAGES, {}, older))
    pool.Add(described("artf.proto", ARTF, ARTF_MESSAGES, ENUMS | {"Intent": intents}, older, ["openrtb.proto"]))
    classes = (pool.FindMessageTypeByName(f"{ARTF}.{name}") for name in ("RTBRequest", "RTBResponse"))
    return tuple(message_factory.GetMessageClass(it) for it in classes)


CHECKS = 0


def check(what, found, expected):
    global CHECKS
    CHECKS += 1
    if found != expected:
        sys.exit(f"{what}\n  expected {expected}\n  found    {found}")


def failure(call):
    """The code that a call fails with; `None` = it does not."""
    try:
        call()
    except grpc.RpcError as error:
        return error.code().name
    return None


def request_of(kind, uid, deals=(), intents=(), lifecycle=1, **regs):
    request = kind(lifecycle=lifecycle, id="x1", tmax=60_000, applicable_intents=intents)
    request.originator.type = 2
    bid = request.bid_request
    bid.id, bid.at, bid.test = "b1", 1, False
    bid.cur.append("EUR")
    bid.site.name = "a site that the server does not read"
    bid.user.eids.add(source="id.test", inserter="somebody").uids.add(id=uid, atype=1)
    for number, deal in enumerate(deals, 1):
        bid.imp.add(id=str(number)).pmp.deals.add(id=deal, bidfloor=1.5, wseat=["s1"])
    for name, value in regs.items():
        setattr(bid.regs, name, value)
    return request


def told(answer):
    return [(it.intent, it.op, it.path, list(it.ids.id)) for it in answer.mutations]


SEGMENTS = (1, 1, "/user/data/segment", ["560", "561"])
# What is asked -> what is proposed.
QUESTIONS = [
    ("a user in target", dict(uid="gamer", deals=["deal-upgrade"]), [SEGMENTS]),
    (
        "a user to be left alone",
        dict(uid="hater", deals=["deal-upgrade", "deal-moving", "deal-upgrade"]),
        [
            (1, 1, "/user/data/segment", ["560"]),
            (3, 2, "/imp/1", ["deal-upgrade"]),
            (3, 2, "/imp/3", ["deal-upgrade"]),
        ],
    ),
    ("intents", dict(uid="hater", deals=["deal-upgrade"], intents=[3]), [(3, 2, "/imp/1", ["deal-upgrade"])]),
    ("nobody", dict(uid="stranger"), []),
    ("a bid response", dict(uid="gamer", lifecycle=2), []),
    ("a child", dict(uid="gamer", coppa=True), []),
    ("no consent", dict(uid="gamer", gdpr=True), []),
]


def call_artf(channel):
    published, older = artf(False), artf(True)
    for name in NAMES:
        raw = channel.unary_unary(name, request_serializer=bytes, response_deserializer=bytes)
        for what, asked, expected in QUESTIONS:
            for kind in (published, older):
                message = request_of(kind[0], **asked)
                answer = raw(message.SerializeToString(), timeout=10, compression=grpc.Compression.Gzip)
                for reader in (published, older):
                    try:
                        read = reader[1].FromString(answer)
                    except DecodeError as error:
                        sys.exit(f"{name}: {what}: {error}: {answer.hex()}")
                    check(f"{name}: {what}: initialised", read.IsInitialized(), True)
                    check(f"{name}: {what}", told(read), expected)
                    check(f"{name}: {what}: id", (read.HasField("id"), read.id), (True, "x1"))
                    check(f"{name}: {what}: metadata", (read.metadata.api_version, read.metadata.model_version), ("1.0", "1"))
        unnamed = request_of(published[0], uid="gamer")
        unnamed.ClearField("id")
        answer = older[1].FromString(raw(unnamed.SerializeToString(), timeout=10))
        check(f"{name}: an id that was not sent", (answer.id, answer.IsInitialized()), ("", True))
        check(f"{name}: no protobuf", failure(lambda: raw(b"\xff\xff\xff", timeout=10)), "INVALID_ARGUMENT")
        check(f"{name}: no bid request", failure(lambda: raw(b"\x08\x01", timeout=10)), "INVALID_ARGUMENT")
        wrong_key = [("authorization", "Bearer nobody-gave-this")]
        wrong = lambda: raw(unnamed.SerializeToString(), timeout=10, metadata=wrong_key)
        check(f"{name}: a wrong key", failure(wrong), "UNAUTHENTICATED")


def reader_proves_itself():
    """An answer without a required field, or with an intent that did not exist, is refused by the older description."""
    published, older = artf(False), artf(True)
    for left_out in ("intent", "op", "path"):
        answer = published[1](id="x")
        mutation = answer.mutations.add(intent=1, op=1, path="")
        mutation.ClearField(left_out)
        check(f"without {left_out}", refused(older[1], answer), True)
    new = published[1](id="x")
    new.mutations.add(intent=8, op=1, path="")
    check("an intent that did not exist", refused(older[1], new), True)


def refused(kind, answer):
    try:
        return not kind.FromString(answer.SerializeToString()).IsInitialized()
    except DecodeError:
        return True


def call_ours(channel):
    """Lookup and Decide, with messages that the server itself describes."""
    database = ProtoReflectionDescriptorDatabase(channel)
    services = set(database.get_services())
    check("services", {"vaglio.v1.AudienceService", NAMES[0].split("/")[1], NAMES[1].split("/")[1]} <= services, True)
    pool = descriptor_pool.DescriptorPool(database)

    def method(service, name):
        described = pool.FindServiceByName(service).FindMethodByName(name)
        asked, answered = map(message_factory.GetMessageClass, (described.input_type, described.output_type))
        call = channel.unary_unary(
            f"/{service}/{name}", request_serializer=asked.SerializeToString, response_deserializer=answered.FromString
        )
        return lambda **fields: call(asked(**fields), timeout=10)

    eids = lambda uid: [{"source": "id.test", "uid": uid}]
    answer = method("vaglio.v1.AudienceService", "Lookup")(eids=eids("gamer"))
    check("lookup", (answer.status, list(answer.audiences)), (1, ["acme/gamers", "acme/movers"]))
    answer = method("vaglio.v1.AudienceService", "Decide")(eids=eids("hater"), campaigns=["acme/upgrade"])
    check("decide", [(it.id, it.verdict, it.reason) for it in answer.campaigns], [("acme/upgrade", 2, "excluded")])
    health = method("grpc.health.v1.Health", "Check")
    for service in ("", "vaglio.v1.AudienceService", *(name.split("/")[1] for name in NAMES)):
        check(f"health of `{service}`", health(service=service).status, 1)
    described = pool.FindMessageTypeByName(f"{ARTF}.Mutation")
    check("what reflection says of a mutation", {it.name: it.number for it in described.fields}["ids"], 100)


def main():
    with grpc.insecure_channel(sys.argv[1]) as channel:
        reader_proves_itself()
        call_artf(channel)
        call_ours(channel)
    print(f"{CHECKS} checks passed")


if __name__ == "__main__":
    main()
