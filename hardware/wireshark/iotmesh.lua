-- Wireshark dissector for IoTMesh link frames (docs/protocol.md) in captures of `iotmesh sim --pcap`, `iotmesh air --pcap` (link type
-- USER0, capture header of docs/simulator.md) and in the datagrams of the UDP air (port 17700, protocol.md 11).
-- Try it: tshark -X lua_script:iotmesh.lua -r run.pcapng. To keep it: copy it into the folder that Help > About > Folders calls "Personal Lua Plugins".
-- What is encrypted stays so; hop tags are shown, not checked (iotmesh decode --key checks one).

local VERSION = 1
local TYPE_DATA, TYPE_BEACON, TYPE_ACK, TYPE_PROBE, TYPE_REPLY, TYPE_REQUEST, TYPE_FLOOD = 0, 1, 2, 3, 4, 5, 6
local TYPE_ACK_MAIL, TYPE_POLL, TYPE_BUSY, TYPE_JOIN = 7, 8, 9, 10
local TYPE_MAX = TYPE_JOIN
local CLASS_REAL_TIME = 1
local EXTENSION_WAYPOINTS = 1
local WANTED_MAX = 8
local TAG, END_TAG = 4, 8
local NARROW, WIDE = 8, 10

local types = {
    [0] = "data", "beacon", "ack", "probe", "probe reply", "request", "flood", "ack, mail waits", "poll", "busy", "join",
}
local kinds = {
    [0] = "reading", "datagram", "confirmed datagram", "confirmation", "watermark", "hello", "batch of readings",
    "service",
}
local classes = { [0] = "control", "real-time", "normal", "bulk" }
local fates = { [0] = "delivered", "lost", "collided", "corrupted" }
local addresses = { { 0, 0, "none" }, { 1, 0xFFEF, "node" }, { 0xFFF0, 0xFFFD, "reserved" }, { 0xFFFE, 0xFFFE, "any gateway" }, { 0xFFFF, 0xFFFF, "all" } }

local proto = Proto("iotmesh", "IoTMesh")
local capture = Proto("iotmesh_capture", "IoTMesh capture")
local air = Proto("iotmesh_air", "IoTMesh UDP air")

local f = {
    version = ProtoField.uint8("iotmesh.version", "Version", base.DEC, nil, 0xC0),
    type = ProtoField.uint8("iotmesh.type", "Type", base.DEC, types, 0x3C),
    class = ProtoField.uint8("iotmesh.class", "Class", base.DEC, classes, 0x03),
    hint = ProtoField.uint8("iotmesh.hint", "Network hint", base.DEC, nil, 0xE0),
    epoch = ProtoField.uint8("iotmesh.epoch", "Key epoch", base.DEC, nil, 0x18),
    has_extensions = ProtoField.bool("iotmesh.flags.extensions", "Extensions", 8, nil, 0x04),
    has_ack = ProtoField.bool("iotmesh.flags.ack", "An ack rides", 8, nil, 0x02),
    ack_twice = ProtoField.bool("iotmesh.flags.ack_twice", "Acknowledge twice", 8, nil, 0x01),
    source = ProtoField.uint16("iotmesh.source", "Link source", base.DEC + base.RANGE_STRING, addresses),
    destination = ProtoField.uint16("iotmesh.destination", "Link destination", base.DEC + base.RANGE_STRING, addresses),
    counter = ProtoField.uint32("iotmesh.counter", "Frame counter", base.DEC),
    counter_low = ProtoField.uint16("iotmesh.counter_low", "Frame counter, low half", base.DEC),
    extension = ProtoField.bytes("iotmesh.extension", "Extension"),
    extension_type = ProtoField.uint8("iotmesh.extension.type", "Type", base.DEC, { "waypoints" }),
    waypoint = ProtoField.uint16("iotmesh.extension.waypoint", "Waypoint", base.DEC),
    wanted = ProtoField.uint16("iotmesh.wanted", "Wants an ack of", base.DEC),
    tag = ProtoField.bytes("iotmesh.tag", "Hop tag"),
    ack_epoch = ProtoField.uint8("iotmesh.ack.epoch", "Key epoch", base.DEC, nil, 0x03),
    ack_counter = ProtoField.uint16("iotmesh.ack.counter", "Acknowledged counter, low end", base.DEC),
    ack_bitmap = ProtoField.uint8("iotmesh.ack.bitmap", "Bitmap of the 8 before", base.HEX),
    busy_taken = ProtoField.uint8("iotmesh.busy.taken", "Messages taken over", base.HEX),
    age = ProtoField.uint8("iotmesh.age", "Age, x 8 ms", base.DEC, nil, 0x7F),
    copy = ProtoField.bool("iotmesh.age.copy", "Second copy", 8, nil, 0x80),
    cost = ProtoField.uint8("iotmesh.cost", "Sender's cost, x 32/64 transmissions", base.DEC),
    boot = ProtoField.uint16("iotmesh.boot", "Boot number", base.DEC),
    probe_leaf = ProtoField.bool("iotmesh.probe.leaf", "From a sleepy leaf", 8, nil, 0x01),
    join_step = ProtoField.uint8("iotmesh.join.step", "Step", base.DEC, { [0] = "solicit", "offer", "up", "down" }, 0x03),
    join_cost = ProtoField.uint8("iotmesh.join.cost", "Cost of the way to a gateway", base.DEC),
    join_message = ProtoField.uint8("iotmesh.join.message", "Message", base.DEC,
        { "ask", "challenge", "prove", "admit", "refuse" }),
    join_device = ProtoField.uint16("iotmesh.join.device", "Device", base.DEC),
    join_gateway = ProtoField.uint16("iotmesh.join.gateway", "Gateway", base.DEC),
    join_nonce = ProtoField.bytes("iotmesh.join.nonce", "Nonce of the device"),
    join_gateway_nonce = ProtoField.bytes("iotmesh.join.gateway_nonce", "Nonce of the gateway"),
    join_boot = ProtoField.uint16("iotmesh.join.boot", "Boot", base.DEC),
    join_counter = ProtoField.uint32("iotmesh.join.counter", "Next message counter", base.DEC),
    join_epoch = ProtoField.uint32("iotmesh.join.epoch", "Epoch", base.DEC),
    join_key = ProtoField.bytes("iotmesh.join.key", "Network key, sealed"),
    join_verdict = ProtoField.uint8("iotmesh.join.verdict", "Verdict", base.DEC,
        { [0] = "accepted", "not enrolled", "revoked", "closed", "counters lost", "bad proof" }),
    join_proof = ProtoField.bytes("iotmesh.join.proof", "Proof"),
    probe_refused = ProtoField.bool("iotmesh.probe.refused", "No place for the receiver", 8, nil, 0x02),
    probe_wait = ProtoField.uint8("iotmesh.probe.wait", "May ask again after (s)"),
    poll_seqno = ProtoField.uint16("iotmesh.poll.seqno", "The leaf's seqno", base.DEC),
    poll_interval = ProtoField.uint16("iotmesh.poll.interval", "Time between polls, in 256 ms", base.DEC),
    poll_next = ProtoField.uint16("iotmesh.poll.next", "Time until the next poll, in 256 ms", base.DEC),
    poll_polls = ProtoField.uint8("iotmesh.poll.polls", "Polls that may stay away", base.DEC, nil, 0x0F),
    challenge = ProtoField.uint32("iotmesh.challenge", "Challenge", base.DEC),
    beacon_version = ProtoField.uint16("iotmesh.beacon.version", "Table version", base.DEC),
    beacon_since = ProtoField.uint8("iotmesh.beacon.since", "Holds changes of the last versions (255: all)", base.DEC),
    beacon_part = ProtoField.uint8("iotmesh.beacon.part", "Part", base.DEC, nil, 0xF0),
    beacon_parts = ProtoField.uint8("iotmesh.beacon.parts", "Parts", base.DEC, nil, 0x0F),
    beacon_seqno = ProtoField.uint16("iotmesh.beacon.seqno", "Own seqno", base.DEC),
    beacon_gateway = ProtoField.bool("iotmesh.beacon.gateway", "The sender is a gateway", 8, nil, 0x01),
    beacon_short = ProtoField.bool("iotmesh.beacon.short", "Tables are short in this mesh", 8, nil, 0x04),
    time_utc = ProtoField.uint64("iotmesh.time.utc", "UTC in 1/16 ms since 1970", base.DEC),
    time_word = ProtoField.uint16("iotmesh.time.word", "Word of a gateway, in units of 4 s", base.DEC),
    time_sigma = ProtoField.uint16("iotmesh.time.sigma", "Standard error of the time, in 1/16 ms", base.DEC),
    time_hops = ProtoField.uint8("iotmesh.time.hops", "Links to the gateway whose time it is", base.DEC),
    beacon_number = ProtoField.uint8("iotmesh.beacon.number", "Beacon number", base.DEC),
    route = ProtoField.none("iotmesh.route", "Route"),
    route_destination = ProtoField.uint16("iotmesh.route.destination", "Destination", base.DEC),
    route_seqno = ProtoField.uint16("iotmesh.route.seqno", "Seqno", base.DEC),
    route_gateway = ProtoField.bool("iotmesh.route.gateway", "A gateway", 16, nil, 0x8000),
    route_metric = ProtoField.uint16("iotmesh.route.metric", "Metric", base.DEC, nil, 0x7FFF),
    request = ProtoField.none("iotmesh.request", "Asks for"),
    request_destination = ProtoField.uint16("iotmesh.request.destination", "Destination (0: the whole table)", base.DEC),
    request_seqno = ProtoField.uint16("iotmesh.request.seqno", "Seqno", base.DEC),
    request_hop_limit = ProtoField.uint8("iotmesh.request.hop_limit", "Hop limit", base.DEC),
    message = ProtoField.none("iotmesh.message", "Message"),
    kind = ProtoField.uint8("iotmesh.message.kind", "Kind", base.DEC, kinds, 0xE0),
    wide = ProtoField.bool("iotmesh.message.wide", "Wide", 8, nil, 0x10),
    hop_limit = ProtoField.uint8("iotmesh.message.hop_limit", "Hop limit", base.DEC),
    origin = ProtoField.uint16("iotmesh.message.origin", "Origin", base.DEC + base.RANGE_STRING, addresses),
    to = ProtoField.uint16("iotmesh.message.destination", "Destination", base.DEC + base.RANGE_STRING, addresses),
    via = ProtoField.uint16("iotmesh.message.via", "Via gateway", base.DEC),
    message_counter = ProtoField.uint32("iotmesh.message.counter", "Message counter", base.DEC),
    message_counter_low = ProtoField.uint16("iotmesh.message.counter_low", "Message counter, low half", base.DEC),
    origin_boot = ProtoField.uint16("iotmesh.message.boot", "Origin's boot number", base.DEC),
    length = ProtoField.uint8("iotmesh.message.length", "Length of what follows", base.DEC),
    ciphertext = ProtoField.bytes("iotmesh.message.ciphertext", "Ciphertext"),
    end_tag = ProtoField.bytes("iotmesh.message.tag", "End-to-end tag"),
}
local malformed = ProtoExpert.new("iotmesh.malformed", "Malformed frame", expert.group.MALFORMED, expert.severity.ERROR)

for _, field in pairs(f) do
    table.insert(proto.fields, field)
end
proto.experts = { malformed }

local c = {
    version = ProtoField.uint8("iotmesh_capture.version", "Version", base.DEC),
    cut_short = ProtoField.bool("iotmesh_capture.cut_short", "The sender died while it sent", 8, nil, 0x01),
    length = ProtoField.uint16("iotmesh_capture.length", "Length", base.DEC),
    transmitter = ProtoField.uint16("iotmesh_capture.transmitter", "Transmitter", base.DEC),
    destination = ProtoField.uint16("iotmesh_capture.destination", "Link destination", base.DEC + base.RANGE_STRING, addresses),
    reception = ProtoField.none("iotmesh_capture.reception", "At node"),
    node = ProtoField.uint16("iotmesh_capture.node", "Node", base.DEC),
    rssi = ProtoField.int8("iotmesh_capture.rssi", "RSSI, dBm", base.DEC),
    fate = ProtoField.uint8("iotmesh_capture.fate", "Fate", base.DEC, fates),
    delivered = ProtoField.uint16("iotmesh_capture.delivered", "Nodes that heard it", base.DEC),
    lost = ProtoField.uint16("iotmesh_capture.lost", "Nodes in range that did not", base.DEC),
}
local bad_capture = ProtoExpert.new("iotmesh_capture.malformed", "Malformed capture header", expert.group.MALFORMED, expert.severity.ERROR)
for _, field in pairs(c) do
    table.insert(capture.fields, field)
end
capture.experts = { bad_capture }

local function name(address)
    if address == 0xFFFF then return "all" end
    if address == 0xFFFE then return "any gateway" end
    if address == 0 then return "none" end
    return tostring(address)
end

local function is_node(address)
    return address >= 1 and address <= 0xFFEF
end

local function bit_of(value, bit)
    return math.floor(value / bit) % 2 == 1
end

-- The functions below return nil where all is well, else what is wrong. Ends are offsets behind the last byte. All check before they read.

local function add_ack(tvb, at, tree)
    local ack = tree:add(proto, tvb(at, 3), "Riding ack")
    ack:add_le(f.ack_counter, tvb(at, 2))
    ack:add(f.ack_bitmap, tvb(at + 2, 1))
end

-- Gives the offset behind the list, or nil and what is wrong.
local function add_extensions(tvb, at, stop, tree)
    while at < stop do
        local type = tvb(at, 1):uint()
        if type == 0 then
            return at + 1
        end
        if at + 2 > stop or at + 2 + tvb(at + 1, 1):uint() > stop then
            break
        end
        local length = 2 + tvb(at + 1, 1):uint()
        local item = tree:add(f.extension, tvb(at, length))
        item:add(f.extension_type, tvb(at, 1))
        if type == EXTENSION_WAYPOINTS then
            for waypoint = at + 2, at + length - 2, 2 do
                item:add_le(f.waypoint, tvb(waypoint, 2))
            end
        end
        at = at + length
    end
    return nil, "the extensions run into the hop tag"
end

local function add_message(tvb, at, stop, source, tree)
    if stop - at < 2 then
        return nil, "a message is too short"
    end
    local control = tvb(at, 1):uint()
    local start = at
    local has_length, has_via, has_to = bit_of(control, 1), bit_of(control, 2), bit_of(control, 4)
    local has_origin, is_wide = bit_of(control, 8), bit_of(control, 16)
    local kind = math.floor(control / 32)
    local need = 2 + (has_origin and 2 or 0) + (has_to and 2 or 0) + (has_via and 2 or 0) + (is_wide and 6 or 2) + (has_length and 1 or 0)
    if stop - at < need then
        return nil, "a message header is too short"
    end
    local item = tree:add(f.message, tvb(at, stop - at))
    item:add(f.kind, tvb(at, 1))
    item:add(f.wide, tvb(at, 1))
    item:add(f.hop_limit, tvb(at + 1, 1))
    local hop_limit = tvb(at + 1, 1):uint()
    at = at + 2
    local origin, to = source, 0xFFFE
    if has_origin then
        origin = tvb(at, 2):le_uint()
        item:add_le(f.origin, tvb(at, 2))
        at = at + 2
    else
        item:add(f.origin, origin):set_generated()
    end
    if has_to then
        to = tvb(at, 2):le_uint()
        item:add_le(f.to, tvb(at, 2))
        at = at + 2
    else
        item:add(f.to, to):set_generated()
    end
    if has_via then
        item:add_le(f.via, tvb(at, 2))
        at = at + 2
    end
    if is_wide then
        item:add_le(f.message_counter, tvb(at, 4))
        item:add_le(f.origin_boot, tvb(at + 4, 2))
        at = at + 6
    else
        item:add_le(f.message_counter_low, tvb(at, 2))
        at = at + 2
    end
    local length = stop - at
    if has_length then
        length = tvb(at, 1):uint()
        item:add(f.length, tvb(at, 1))
        at = at + 1
    end
    if length < END_TAG or length > stop - at then
        return nil, "a message's length does not fit its frame"
    end
    if hop_limit == 0 or not is_node(origin) or not (is_node(to) or to >= 0xFFFE) then
        return nil, "a message has no hops left or an address that cannot be"
    end
    if length > END_TAG then
        item:add(f.ciphertext, tvb(at, length - END_TAG))
    end
    item:add(f.end_tag, tvb(at + length - END_TAG, END_TAG))
    at = at + length
    item:set_len(at - start)
    item:append_text(string.format(": %s from %s to %s", kinds[kind], name(origin), name(to)))
    return at, nil, kinds[kind] .. " " .. name(origin) .. " > " .. name(to)
end

local function add_messages(tvb, at, stop, source, tree, pinfo)
    local infos = {}
    local wrong
    while at and at < stop do
        local info
        at, wrong, info = add_message(tvb, at, stop, source, tree)
        table.insert(infos, info)
    end
    if #infos > 0 then
        pinfo.cols.info:append(": " .. table.concat(infos, ", "))
    end
    return wrong
end

local function add_beacon(tvb, at, stop, tree, pinfo)
    local fixed = 10
    if stop - at >= 10 and math.floor(tvb(at + 8, 1):uint() / 2) % 2 == 1 then
        fixed = 21
    end
    if stop - at < fixed or (stop - at - fixed) % 6 ~= 0 then
        return "the beacon's length does not fit its entries"
    end
    tree:add_le(f.boot, tvb(at, 2))
    tree:add_le(f.beacon_version, tvb(at + 2, 2))
    tree:add(f.beacon_since, tvb(at + 4, 1))
    tree:add(f.beacon_part, tvb(at + 5, 1))
    tree:add(f.beacon_parts, tvb(at + 5, 1))
    tree:add_le(f.beacon_seqno, tvb(at + 6, 2))
    tree:add(f.beacon_gateway, tvb(at + 8, 1))
    tree:add(f.beacon_short, tvb(at + 8, 1))
    tree:add(f.beacon_number, tvb(at + 9, 1))
    if fixed == 21 then
        local item = tree:add_le(f.time_utc, tvb(at + 10, 6))
        local seconds = tvb(at + 10, 6):le_uint64():tonumber() / 16000
        item:append_text(" (" .. format_date(seconds) .. ")")
        tree:add_le(f.time_word, tvb(at + 16, 2))
        tree:add_le(f.time_sigma, tvb(at + 18, 2))
        tree:add(f.time_hops, tvb(at + 20, 1))
    end
    local routes = 0
    for entry = at + fixed, stop - 1, 6 do
        local item = tree:add(f.route, tvb(entry, 6))
        item:add_le(f.route_destination, tvb(entry, 2))
        item:add_le(f.route_seqno, tvb(entry + 2, 2))
        item:add_le(f.route_gateway, tvb(entry + 4, 2))
        item:add_le(f.route_metric, tvb(entry + 4, 2))
        local metric = tvb(entry + 4, 2):le_uint() % 0x8000
        item:append_text(string.format(" to %d: %s", tvb(entry, 2):le_uint(), metric == 0x7FFF and "unreachable" or "metric " .. metric))
        routes = routes + 1
    end
    pinfo.cols.info:append(string.format(", %d routes", routes))
end

local function add_requests(tvb, at, stop, tree, pinfo)
    if (stop - at) % 5 ~= 0 then
        return "the request's length does not fit its rows"
    end
    for row = at, stop - 1, 5 do
        local item = tree:add(f.request, tvb(row, 5))
        item:add_le(f.request_destination, tvb(row, 2))
        item:add_le(f.request_seqno, tvb(row + 2, 2))
        item:add(f.request_hop_limit, tvb(row + 4, 1))
        local destination = tvb(row, 2):le_uint()
        local what = destination == 0 and "the whole table" or string.format("seqno %d of %d", tvb(row + 2, 2):le_uint(), destination)
        item:append_text(" " .. what)
        pinfo.cols.info:append(", " .. what)
    end
end

local function add_body(type, tvb, at, stop, tree, pinfo)
    if type == TYPE_DATA then
        if at >= stop then
            return "the data frame has no cost"
        end
        tree:add(f.cost, tvb(at, 1))
        at = at + 1
        if tvb(0, 1):uint() % 4 == CLASS_REAL_TIME and at < stop then
            tree:add(f.age, tvb(at, 1))
            tree:add(f.copy, tvb(at, 1))
            at = at + 1
        end
        return add_messages(tvb, at, stop, tvb(2, 2):le_uint(), tree, pinfo)
    elseif type == TYPE_FLOOD then
        if tvb(0, 1):uint() % 2 == 1 then
            if at >= stop or tvb(at, 1):uint() > WANTED_MAX or at + 1 + 2 * tvb(at, 1):uint() > stop then
                return "the list of wanted acks is longer than can be"
            end
            for _ = 1, tvb(at, 1):uint() do
                tree:add_le(f.wanted, tvb(at + 1, 2))
                at = at + 2
            end
            at = at + 1
        end
        return add_messages(tvb, at, stop, tvb(2, 2):le_uint(), tree, pinfo)
    elseif type == TYPE_BEACON then
        return add_beacon(tvb, at, stop, tree, pinfo)
    elseif type == TYPE_REQUEST then
        return add_requests(tvb, at, stop, tree, pinfo)
    elseif type == TYPE_PROBE then
        if stop - at < 2 then
            return "the probe is too short"
        end
        tree:add_le(f.boot, tvb(at, 2))
        if stop - at > 2 then
            tree:add(f.probe_leaf, tvb(at + 2, 1))
            tree:add(f.probe_refused, tvb(at + 2, 1))
        end
        if stop - at > 3 then
            tree:add(f.probe_wait, tvb(at + 3, 1))
        end
    elseif type == TYPE_POLL then
        if stop - at < 9 then
            return "the poll is too short"
        end
        tree:add_le(f.boot, tvb(at, 2))
        tree:add_le(f.poll_seqno, tvb(at + 2, 2))
        tree:add_le(f.poll_interval, tvb(at + 4, 2))
        tree:add_le(f.poll_next, tvb(at + 6, 2))
        tree:add(f.poll_polls, tvb(at + 8, 1))
    elseif type == TYPE_REPLY then
        if stop - at < 6 then
            return "the probe reply is too short"
        end
        tree:add_le(f.challenge, tvb(at, 4))
        tree:add_le(f.boot, tvb(at + 4, 2))
    end
end

local function add_bare_ack(tvb, tree, pinfo, type)
    local length = tvb:len()
    tree:add(f.ack_epoch, tvb(0, 1))
    tree:add_le(f.ack_counter, tvb(1, 1))
    pinfo.cols.info:append(string.format(" of ..%d", tvb(1, 1):uint()))
    if length == 7 then
        tree:add(type == TYPE_BUSY and f.busy_taken or f.ack_bitmap, tvb(2, 1))
    end
    tree:add(f.tag, tvb(length - TAG, TAG))
    if length ~= 6 and length ~= 7 then
        return "an ack has 6 or 7 bytes"
    end
end

local join_lengths = { 19, 21, 35, 31, 12 }

-- protocol.md 8.7
local function add_join(tvb, tree, pinfo)
    local length = tvb:len()
    local step = tvb(0, 1):uint() % 4
    tree:add(f.join_step, tvb(0, 1))
    tree:add(f.hint, tvb(1, 1))
    tree:add_le(f.source, tvb(2, 2))
    tree:add_le(f.destination, tvb(4, 2))
    pinfo.cols.src:set(name(tvb(2, 2):le_uint()))
    pinfo.cols.dst:set(name(tvb(4, 2):le_uint()))
    if step == 0 then
        return
    end
    if step == 1 then
        if length < 7 then
            return "an offer has a cost byte"
        end
        tree:add(f.join_cost, tvb(6, 1))
        return
    end
    local message = length > 6 and tvb(6, 1):uint() or 0
    local is_up = message == 1 or message == 3
    if join_lengths[message] ~= length - 6 or is_up ~= (step == 2) then
        return "no join message of that type, step and length"
    end
    tree:add(f.join_message, tvb(6, 1))
    tree:add_le(f.join_device, tvb(7, 2))
    if message == 1 then
        tree:add(f.join_nonce, tvb(9, 8))
    elseif message == 2 then
        tree:add_le(f.join_gateway, tvb(9, 2))
        tree:add(f.join_gateway_nonce, tvb(11, 8))
    elseif message == 3 then
        tree:add_le(f.join_gateway, tvb(9, 2))
        tree:add(f.join_nonce, tvb(11, 8))
        tree:add(f.join_gateway_nonce, tvb(19, 8))
        tree:add_le(f.join_boot, tvb(27, 2))
        tree:add_le(f.join_counter, tvb(29, 4))
    elseif message == 4 then
        tree:add_le(f.join_epoch, tvb(9, 4))
        tree:add(f.join_key, tvb(13, 16))
    else
        tree:add(f.join_verdict, tvb(9, 1))
    end
    tree:add(f.join_proof, tvb(length - 8, 8))
end

local function add_frame(tvb, tree, pinfo)
    local length = tvb:len()
    if length < 6 then
        return "fewer than 6 bytes"
    end
    local kind = tvb(0, 1):uint()
    local version, type = math.floor(kind / 64), math.floor(kind / 4) % 16
    tree:add(f.version, tvb(0, 1))
    tree:add(f.type, tvb(0, 1))
    if version ~= VERSION or type > TYPE_MAX then
        return "unknown version or type"
    end
    tree:append_text(", " .. types[type])
    pinfo.cols.info:set(types[type])
    if type == TYPE_ACK or type == TYPE_ACK_MAIL or type == TYPE_BUSY then
        return add_bare_ack(tvb, tree, pinfo, type)
    end
    if type == TYPE_JOIN then
        return add_join(tvb, tree, pinfo)
    end
    local at = type == TYPE_DATA and NARROW or WIDE
    if length < at + TAG then
        return "too short for a header and a tag"
    end
    if type == TYPE_DATA then
        tree:add(f.class, tvb(0, 1))
    end
    local network = tvb(1, 1):uint()
    for _, field in ipairs({ f.hint, f.epoch, f.has_extensions, f.has_ack, f.ack_twice }) do
        tree:add(field, tvb(1, 1))
    end
    tree:add_le(f.source, tvb(2, 2))
    tree:add_le(f.destination, tvb(4, 2))
    pinfo.cols.src:set(name(tvb(2, 2):le_uint()))
    pinfo.cols.dst:set(name(tvb(4, 2):le_uint()))
    if type == TYPE_DATA then
        tree:add_le(f.counter_low, tvb(6, 2))
    else
        tree:add_le(f.counter, tvb(6, 4))
    end
    local stop = length - TAG
    tree:add(f.tag, tvb(stop, TAG))
    if bit_of(network, 4) then
        local wrong
        at, wrong = add_extensions(tvb, at, stop, tree)
        if not at then
            return wrong
        end
    end
    if bit_of(network, 2) then
        if at + 3 > stop then
            return "no room for the riding ack"
        end
        add_ack(tvb, at, tree)
        at = at + 3
    end
    return add_body(type, tvb, at, stop, tree, pinfo)
end

function proto.dissector(tvb, pinfo, root)
    pinfo.cols.protocol:set("IoTMesh")
    local tree = root:add(proto, tvb())
    local wrong = add_frame(tvb, tree, pinfo)
    if wrong then
        tree:add_proto_expert_info(malformed, wrong)
        pinfo.cols.info:append(" [malformed: " .. wrong .. "]")
    end
    return tvb:len()
end

function capture.dissector(tvb, pinfo, root)
    pinfo.cols.protocol:set("IoTMesh")
    local tree = root:add(capture, tvb())
    local length = tvb:len() >= 8 and tvb(2, 2):le_uint() or 0
    if length < 8 or length > tvb:len() or length % 4 ~= 0 or tvb(0, 1):uint() ~= 1 then
        tree:add_proto_expert_info(bad_capture, "no capture header of version 1")
        return tvb:len()
    end
    tree:set_len(length)
    tree:add(c.version, tvb(0, 1))
    tree:add(c.cut_short, tvb(1, 1))
    tree:add_le(c.length, tvb(2, 2))
    tree:add_le(c.transmitter, tvb(4, 2))
    tree:add_le(c.destination, tvb(6, 2))
    pinfo.cols.src:set(name(tvb(4, 2):le_uint()))
    pinfo.cols.dst:set(name(tvb(6, 2):le_uint()))
    local delivered, lost = 0, 0
    for at = 8, length - 1, 4 do
        local fate = tvb(at + 3, 1):uint()
        local item = tree:add(c.reception, tvb(at, 4))
        item:add_le(c.node, tvb(at, 2))
        item:add(c.rssi, tvb(at + 2, 1))
        item:add(c.fate, tvb(at + 3, 1))
        item:append_text(string.format(" %d: %s, %d dBm", tvb(at, 2):le_uint(), fates[fate] or "unknown", tvb(at + 2, 1):int()))
        if fate == 0 then delivered = delivered + 1 else lost = lost + 1 end
    end
    tree:add(c.delivered, delivered):set_generated()
    tree:add(c.lost, lost):set_generated()
    tree:append_text(string.format(", from %s, heard by %d, not by %d", name(tvb(4, 2):le_uint()), delivered, lost))
    if length < tvb:len() then
        proto.dissector(tvb(length):tvb(), pinfo, root)
    end
    return tvb:len()
end

local air_types = { "hello", "welcome", "frame", "bye", "control", "reply" }
local a = {
    version = ProtoField.uint8("iotmesh_air.version", "Version", base.DEC),
    type = ProtoField.uint8("iotmesh_air.type", "Type", base.DEC, air_types),
    node = ProtoField.uint16("iotmesh_air.node", "Node", base.DEC),
    source = ProtoField.uint16("iotmesh_air.source", "Link source", base.DEC),
    destination = ProtoField.uint16("iotmesh_air.destination", "Link destination", base.DEC + base.RANGE_STRING, addresses),
    rssi = ProtoField.int8("iotmesh_air.rssi", "RSSI, dBm", base.DEC),
    status = ProtoField.uint8("iotmesh_air.status", "Status", base.DEC, { [0] = "registered", "unknown address", "table full" }),
    text = ProtoField.string("iotmesh_air.text", "Text", base.UNICODE),
}
local bad_air = ProtoExpert.new("iotmesh_air.malformed", "Malformed datagram", expert.group.MALFORMED, expert.severity.ERROR)
for _, field in pairs(a) do
    table.insert(air.fields, field)
end
air.experts = { bad_air }

function air.dissector(tvb, pinfo, root)
    if tvb:len() < 2 or tvb(0, 2):uint() ~= 0x6961 then
        return 0
    end
    pinfo.cols.protocol:set("IoTMesh air")
    local tree = root:add(air, tvb())
    local type = tvb:len() >= 12 and tvb(3, 1):uint() or 0
    if tvb:len() < 12 or tvb(2, 1):uint() ~= 1 or not air_types[type] then
        tree:add_proto_expert_info(bad_air, "no header of version 1 with a known type")
        return tvb:len()
    end
    tree:set_len(12)
    tree:add(a.version, tvb(2, 1))
    tree:add(a.type, tvb(3, 1))
    tree:add_le(a.node, tvb(4, 2))
    pinfo.cols.info:set(string.format("%s, node %d", air_types[type], tvb(4, 2):le_uint()))
    if type == 2 then
        tree:add(a.status, tvb(11, 1))
    elseif type == 3 then
        tree:add_le(a.source, tvb(6, 2))
        tree:add_le(a.destination, tvb(8, 2))
        tree:add(a.rssi, tvb(10, 1))
    end
    if type == 3 and tvb:len() > 12 then
        proto.dissector(tvb(12):tvb(), pinfo, root)
    elseif type >= 5 and tvb:len() > 12 then
        tree:add(a.text, tvb(12))
    elseif (type == 3 or type >= 5) ~= (tvb:len() > 12) then
        tree:add_proto_expert_info(bad_air, "the body does not fit the type")
    end
    return tvb:len()
end

DissectorTable.get("wtap_encap"):add(wtap.USER0, capture)
DissectorTable.get("udp.port"):add(17700, air)
